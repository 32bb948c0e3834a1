import type { LearnedLimit } from '../usage/learning-store.js';
import type { Demand, MeterReading, Pool, Refusal, Section, Ticket } from '../usage/usage-store.js';
import type { LedgerHead, LedgerIndex, SectionHead } from './ledger-index.js';
import { factsOf, pathTo } from './node.js';
import type { NodeRecord, Place } from './node-record.js';
import {
  recordArrived,
  recordAt,
  recordCounted,
  recordLearned,
  recordMattersFromMs,
  recordSetBack,
  recordUncounted,
  windowReadings,
} from './node-record.js';
import type { Candidate } from './orders.js';
import { Orders } from './orders.js';
import type { Counted } from './window.js';

/** In a ticket: its own number, and for each section, node by node, the batches it was counted in. */
export interface LedgerReceipt {
  readonly take: number;
  readonly sections: readonly (readonly Counted['batches'][])[];
}

/** Chooses one meter per section and counts the uses, or counts nothing. */
export function take(index: LedgerIndex, demand: Demand, clockMs: number): Ticket | Refusal {
  const { pool, cost } = demand;
  const { head, orders } = prepare(index, pool, clockMs);
  const chosen: (readonly Candidate[])[] = [];
  let refusal: Refusal | undefined;
  for (const [number, one] of orders.entries()) {
    const choice = one.choose(demand, demand.pin?.[number]);
    if (!('granted' in choice)) chosen.push(choice);
    else if (refusal === undefined || choice.retryAtMs > refusal.retryAtMs) refusal = choice;
  }
  if (refusal !== undefined) {
    index.setHead(headAfter(head, orders));
    return refusal;
  }

  const takes = head.takes + 1;
  const taken: MeterReading[] = [];
  const sections: Counted['batches'][][] = [];
  let arrivalMattersFromMs = Infinity;
  for (const [number, one] of orders.entries()) {
    const counted = (chosen[number] ?? []).map(({ node, record, place }) => {
      const after = recordCounted(record, node, cost, head.nowMs, takes);
      return { node, record: after.record, place, batches: after.batches };
    });
    one.store(counted);
    taken.push(readingOf(counted, one.section, head.nowMs));
    sections.push(counted.map(({ batches }) => batches));
    for (const { node, record, batches } of counted) {
      const matters = recordMattersFromMs(record, node, { take: takes, batches });
      arrivalMattersFromMs = Math.min(arrivalMattersFromMs, matters);
    }
  }
  index.setHead(headAfter({ ...head, takes }, orders));
  const receipt: LedgerReceipt = { take: takes, sections };
  return { granted: true, pool, cost, taken, arrivalMattersFromMs, receipt };
}

/** Takes the uses of a ticket back, each from where it was counted while that still counts. */
export function giveBack(index: LedgerIndex, ticket: Ticket, clockMs: number): void {
  changeCounted(index, ticket, clockMs, ({ node, record }, by, { nowMs }) =>
    recordUncounted(record, node, ticket.cost, by, nowMs),
  );
}

/** Notes that the uses of a ticket have arrived: see `UsageStore.arrived`. */
export function arrived(index: LedgerIndex, ticket: Ticket, clockMs: number): void {
  changeCounted(index, ticket, clockMs, ({ node, record }, by, { nowMs, takes }) =>
    recordArrived(record, node, ticket.cost, by, nowMs, takes),
  );
}

/** Lets a meter rest until `untilMs`; a longer rest stays. */
export function rest(index: LedgerIndex, pool: Pool, id: string, untilMs: number, clockMs: number): void {
  const { head, orders } = prepare(index, pool, clockMs);
  for (const one of orders) {
    one.store(
      one.path(id).map(({ node, record, place }) => ({
        node,
        place,
        record: node.meter === undefined ? record : { ...record, restUntilMs: Math.max(record.restUntilMs, untilMs) },
      })),
    );
  }
  index.setHead(headAfter(head, orders));
}

/** Counts what the provider has counted and we have not: see `LearningStore.learn`. */
export function learn(
  index: LedgerIndex,
  pool: Pool,
  id: string,
  limits: readonly LearnedLimit[],
  clockMs: number,
): void {
  const { head: before, orders } = prepare(index, pool, clockMs);
  const head = { ...before, takes: before.takes + 1 };
  for (const one of orders) {
    one.store(
      one.path(id).map(({ node, record, place }) => ({
        node,
        place,
        record: recordLearned(record, node, limits, head.nowMs, head.takes),
      })),
    );
  }
  index.setHead(headAfter(head, orders));
}

/** Every meter as it stands; changes nothing. */
export function read(index: LedgerIndex, pool: Pool, clockMs: number): readonly MeterReading[] {
  const lastMs = index.head()?.nowMs ?? 0;
  const nowMs = presentMs(lastMs, pool, clockMs);
  return pool.sections.flatMap((section) => {
    const shelf = index.shelf(section.kind);
    return section.meters.map((meter) => {
      const path = pathTo(factsOf(section), meter.id).map((node) => {
        const record = recordAt(shelf.get(node.id)?.record, node, nowMs);
        return { node, record: nowMs < lastMs ? recordSetBack(record, lastMs, nowMs) : record };
      });
      return readingOf(path, section, nowMs);
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

const NO_SECTION: SectionHead = { stamp: '', quietUntilMs: Infinity };
const NO_HEAD: LedgerHead = { takes: 0, nowMs: 0, key: NO_SECTION, proxy: NO_SECTION };

/** The orders of every section, brought to this pool's meters and limits where others were in force. */
function prepare(
  index: LedgerIndex,
  pool: Pool,
  clockMs: number,
): { readonly head: LedgerHead; readonly orders: readonly Orders[] } {
  let head = index.head() ?? NO_HEAD;
  const nowMs = presentMs(head.nowMs, pool, clockMs);
  if (nowMs < head.nowMs) {
    setBack(index, head.nowMs, nowMs);
    head = { ...NO_HEAD, takes: head.takes };
  }
  head = { ...head, nowMs };
  const orders = pool.sections.map((section) => {
    const { stamp } = factsOf(section);
    const one = new Orders(index.shelf(section.kind), section, nowMs, head[section.kind].quietUntilMs);
    if (head[section.kind].stamp !== stamp) one.enrol();
    return one;
  });
  return { head, orders };
}

function headAfter(head: LedgerHead, orders: readonly Orders[]): LedgerHead {
  const after = { key: head.key, proxy: head.proxy };
  for (const { section, quietUntilMs } of orders) {
    after[section.kind] = { stamp: factsOf(section).stamp, quietUntilMs };
  }
  return { ...head, ...after };
}

const NOWHERE: Place = { rank: undefined, wakeAtMs: undefined };

/** Brings the rests of all meters back to `toMs`; that leaves the orders to be made anew. */
function setBack(index: LedgerIndex, fromMs: number, toMs: number): void {
  for (const kind of ['key', 'proxy'] as const) {
    const shelf = index.shelf(kind);
    shelf.clearPlaces();
    for (const id of shelf.ids()) {
      const record = shelf.get(id)?.record;
      if (record === undefined) continue;
      shelf.put(id, '', { record: recordSetBack(record, fromMs, toMs), place: NOWHERE }, undefined);
    }
  }
}

/** Changes every record that a ticket was counted in. */
function changeCounted(
  index: LedgerIndex,
  ticket: Ticket,
  clockMs: number,
  edit: (one: Candidate, by: Counted, head: LedgerHead) => NodeRecord,
): void {
  const { take: number, sections } = ticket.receipt as LedgerReceipt;
  const { head: before, orders } = prepare(index, ticket.pool, clockMs);
  const head = { ...before, takes: before.takes + 1 };
  for (const [at, one] of orders.entries()) {
    const path = one.path(ticket.taken[at]?.id ?? '').map((candidate, step) => ({
      node: candidate.node,
      place: candidate.place,
      record: edit(candidate, { take: number, batches: sections[at]?.[step] ?? {} }, head),
    }));
    one.store(path);
  }
  index.setHead(headAfter(head, orders));
}

/** A meter as the outside sees it: its own windows, then those of its account. */
function readingOf(path: readonly Omit<Candidate, 'place'>[], { kind }: Section, nowMs: number): MeterReading {
  const [own] = path;
  if (own?.node.meter === undefined) throw new Error('the path to a meter begins with the meter');
  const { lastTake, restUntilMs, total } = own.record;
  return {
    id: own.node.meter.id,
    kind,
    restingUntilMs: restUntilMs > nowMs ? restUntilMs : undefined,
    total,
    lastTake,
    windows: path.flatMap(({ node, record }) => windowReadings(record, node)),
  };
}
