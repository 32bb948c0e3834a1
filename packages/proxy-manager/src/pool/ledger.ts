import type { Meter } from '../config/resolve.js';
import type { Demand, MeterReading, Pool, Refusal, Section, Ticket } from '../usage/usage-store.js';
import type { LedgerHead, LedgerIndex, Shelf } from './ledger-index.js';
import type { MeterRecord } from './meter-record.js';
import {
  placeOf,
  readingOf,
  readyAtMs,
  recordArrived,
  recordAt,
  recordCounted,
  recordSetBack,
  recordUncounted,
} from './meter-record.js';
import { factsOf } from './section-facts.js';
import type { TakeNumbers } from './window.js';

/** In a ticket: its own number, and for each section those of the takes that opened the windows it was counted in. */
export interface LedgerReceipt {
  readonly take: number;
  readonly openedBy: readonly (readonly number[])[];
}

interface Chosen {
  readonly section: Section;
  readonly meter: Meter;
  readonly record: MeterRecord;
}

/** Chooses one meter per section and counts the uses, or counts nothing. */
export function take(index: LedgerIndex, demand: Demand, clockMs: number): Ticket | Refusal {
  const { pool, cost } = demand;
  const head = prepare(index, pool, clockMs);
  const chosen: Chosen[] = [];
  let refusal: Refusal | undefined;
  for (const [number, section] of pool.sections.entries()) {
    const choice = choose(index.shelf(section.kind), section, demand, demand.pin?.[number], head.nowMs);
    if ('meter' in choice) chosen.push(choice);
    else if (refusal === undefined || choice.retryAtMs > refusal.retryAtMs) refusal = choice;
  }
  if (refusal !== undefined) return refusal;

  const takes = head.takes + 1;
  index.setHead({ ...head, takes });
  const counted = chosen.map(({ section, meter, record }) => {
    const after = recordCounted(record, cost, head.nowMs, takes);
    store(index.shelf(section.kind), section, meter, after, head.nowMs);
    return { reading: readingOf(after, meter, section.kind, head.nowMs), windows: after.windows };
  });
  const openedBy = counted.map(({ windows }) => windows.map((state) => state.openedBy));
  const receipt: LedgerReceipt = { take: takes, openedBy };
  return { granted: true, pool, cost, taken: counted.map(({ reading }) => reading), receipt };
}

/** Takes the uses of a ticket back, each from the window it was counted in while that is still open. */
export function giveBack(index: LedgerIndex, ticket: Ticket, clockMs: number): void {
  const { pool, cost } = ticket;
  const head = prepare(index, pool, clockMs);
  index.setHead(head);
  for (const { section, id, by } of countedIn(ticket)) {
    change(index, section, id, head.nowMs, (record) => recordUncounted(record, cost, by, head.nowMs));
  }
}

/** Notes that the uses of a ticket have arrived: see `UsageStore.arrived`. */
export function arrived(index: LedgerIndex, ticket: Ticket, clockMs: number): void {
  const { pool, cost } = ticket;
  const head = prepare(index, pool, clockMs);
  index.setHead(head);
  for (const { section, id, by } of countedIn(ticket)) {
    change(index, section, id, head.nowMs, (record) => recordArrived(record, cost, by, head.nowMs));
  }
}

/** Lets a meter rest until `untilMs`; a longer rest stays. */
export function rest(index: LedgerIndex, pool: Pool, id: string, untilMs: number, clockMs: number): void {
  const head = prepare(index, pool, clockMs);
  index.setHead(head);
  for (const section of pool.sections) {
    change(index, section, id, head.nowMs, (record) => ({
      ...record,
      restUntilMs: Math.max(record.restUntilMs, untilMs),
    }));
  }
}

/** Every meter as it stands; changes nothing. */
export function read(index: LedgerIndex, pool: Pool, clockMs: number): readonly MeterReading[] {
  const lastMs = index.head()?.nowMs ?? 0;
  const nowMs = presentMs(lastMs, pool, clockMs);
  return pool.sections.flatMap((section) => {
    const shelf = index.shelf(section.kind);
    return section.meters.map((meter) => {
      let record = recordAt(shelf.get(meter.id)?.record, meter, nowMs);
      if (nowMs < lastMs) record = recordSetBack(record, lastMs, nowMs);
      return readingOf(record, meter, section.kind, nowMs);
    });
  });
}

const HOUR_MS = 3_600_000;

/**
 * The ledger's time: the latest it has seen, so that a small step back opens no window early; but the clock's own
 * where that would hold every window beyond its length, for then the clock was far ahead and has been set right.
 */
function presentMs(lastMs: number, { sections }: Pool, clockMs: number): number {
  const longestMs = Math.max(HOUR_MS, ...sections.map((section) => factsOf(section).longestMs));
  return lastMs - clockMs > longestMs ? clockMs : Math.max(clockMs, lastMs);
}

/** Brings the rests of all meters back to `toMs`; that leaves the indexes to be made anew. */
function setBack(index: LedgerIndex, fromMs: number, toMs: number): void {
  for (const kind of ['key', 'proxy'] as const) {
    const shelf = index.shelf(kind);
    const ids: string[] = [];
    shelf.eachWaking((id) => {
      ids.push(id);
      return false;
    });
    for (const id of ids) {
      const entry = shelf.get(id);
      if (entry === undefined) continue;
      shelf.put(id, { record: recordSetBack(entry.record, fromMs, toMs), place: entry.place }, entry.place);
    }
  }
}

/** Where a ticket counted, section by section. */
function countedIn(ticket: Ticket): { readonly section: Section; readonly id: string; readonly by: TakeNumbers }[] {
  const { take: number, openedBy } = ticket.receipt as LedgerReceipt;
  return ticket.pool.sections.flatMap((section, at) => {
    const id = ticket.taken[at]?.id;
    return id === undefined ? [] : [{ section, id, by: { take: number, openedBy: openedBy[at] ?? [] } }];
  });
}

/** Brings the indexes up to now, and to this pool's meters and limits where others were in force. */
function prepare(index: LedgerIndex, pool: Pool, clockMs: number): LedgerHead {
  const last = index.head() ?? { takes: 0, nowMs: 0, stamps: {} };
  const nowMs = presentMs(last.nowMs, pool, clockMs);
  let changed = nowMs < last.nowMs;
  if (changed) setBack(index, last.nowMs, nowMs);
  const stamps: Record<string, string | undefined> = changed ? {} : { ...last.stamps };
  for (const section of pool.sections) {
    const shelf = index.shelf(section.kind);
    const { stamp } = factsOf(section);
    if (stamps[section.kind] === stamp) {
      changed = wake(shelf, section, nowMs) || changed;
    } else {
      enrol(shelf, section, nowMs);
      stamps[section.kind] = stamp;
      changed = true;
    }
  }
  const head = { ...last, nowMs, stamps };
  if (changed) index.setHead(head);
  return head;
}

function enrol(shelf: Shelf, section: Section, nowMs: number): void {
  shelf.clearPlaces();
  for (const [position, meter] of section.meters.entries()) {
    const record = recordAt(shelf.get(meter.id)?.record, meter, nowMs);
    shelf.put(meter.id, { record, place: placeOf(record, meter, position, nowMs) }, undefined);
  }
}

/** Places anew whatever was to be looked at by now; true when there was any. */
function wake(shelf: Shelf, section: Section, nowMs: number): boolean {
  const due: string[] = [];
  shelf.eachWaking((id, wakeAtMs) => {
    if (wakeAtMs > nowMs) return true;
    due.push(id);
    return false;
  });
  for (const id of due) {
    const meter = meterOf(section, id);
    if (meter !== undefined) store(shelf, section, meter, recordAt(shelf.get(id)?.record, meter, nowMs), nowMs);
  }
  return due.length > 0;
}

function choose(
  shelf: Shelf,
  section: Section,
  demand: Demand,
  pin: string | undefined,
  nowMs: number,
): Chosen | Refusal {
  const { cost, avoid, resting } = demand;
  let chosen: Chosen | undefined;
  const consider = (id: string): Chosen | undefined => {
    const meter = meterOf(section, id);
    if (meter === undefined) return undefined;
    const record = recordAt(shelf.get(id)?.record, meter, nowMs);
    const readyMs = Math.max(readyAtMs(record, meter, cost), resting?.get(id) ?? 0);
    return readyMs <= nowMs ? { section, meter, record } : undefined;
  };
  if (pin !== undefined) {
    chosen = consider(pin);
  } else {
    let avoided: Chosen | undefined;
    shelf.eachReady((id) => {
      const candidate = consider(id);
      if (candidate === undefined) return false;
      if (avoid?.has(id) === true) {
        avoided ??= candidate;
        return false;
      }
      chosen = candidate;
      return true;
    });
    chosen ??= avoided;
  }
  return chosen ?? { granted: false, kind: section.kind, retryAtMs: earliestMs(shelf, section, demand, pin, nowMs) };
}

/** When the first meter (or the pinned one) can hold `cost`; Infinity when none ever can. */
function earliestMs(
  shelf: Shelf,
  section: Section,
  { cost, resting }: Demand,
  pin: string | undefined,
  nowMs: number,
): number {
  const readyAt = (id: string): number => {
    const meter = meterOf(section, id);
    if (meter === undefined) return Infinity;
    return Math.max(readyAtMs(recordAt(shelf.get(id)?.record, meter, nowMs), meter, cost), resting?.get(id) ?? 0);
  };
  if (pin !== undefined) return readyAt(pin);
  let earliest = Infinity;
  // They stand among the ready ones, if nothing else keeps them.
  for (const id of resting?.keys() ?? []) earliest = Math.min(earliest, readyAt(id));
  shelf.eachWaking((id, wakeAtMs) => {
    if (wakeAtMs >= earliest) return true;
    earliest = Math.min(earliest, readyAt(id));
    return false;
  });
  return earliest;
}

function change(
  index: LedgerIndex,
  section: Section,
  id: string,
  nowMs: number,
  edit: (record: MeterRecord) => MeterRecord,
): void {
  const meter = meterOf(section, id);
  if (meter === undefined) return;
  const shelf = index.shelf(section.kind);
  store(shelf, section, meter, edit(recordAt(shelf.get(id)?.record, meter, nowMs)), nowMs);
}

function store(shelf: Shelf, section: Section, meter: Meter, record: MeterRecord, nowMs: number): void {
  const position = factsOf(section).positions.get(meter.id) ?? 0;
  const place = placeOf(record, meter, position, nowMs);
  shelf.put(meter.id, { record, place }, shelf.get(meter.id)?.place);
}

function meterOf(section: Section, id: string): Meter | undefined {
  const position = factsOf(section).positions.get(id);
  return position === undefined ? undefined : section.meters[position];
}
