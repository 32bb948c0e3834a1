import type { Meter } from '../config/resolve.js';
import type { MeterReading } from '../usage/usage-store.js';
import type { TakeNumbers, WindowState } from './window.js';
import { arrived, counted, fitsAtMs, resetsAtMs, uncounted, windowsAt } from './window.js';

/** Where a meter stands in the indexes of its section. */
export interface Place {
  /** Its rank among the ready ones, the lowest being the next to serve; undefined: not ready. */
  readonly rank: Rank | undefined;
  /** Epoch ms at which it is looked at anew; undefined: only when it is used. */
  readonly wakeAtMs: number | undefined;
}

/** Fewest uses first, then least recently used, then the order of the section. */
export type Rank = readonly [uses: number, lastTake: number, position: number];

/** What a ledger remembers of one meter. */
export interface MeterRecord {
  /** Uses since ever. */
  readonly total: number;
  /** The number of the last take that used it; 0: never used. */
  readonly lastTake: number;
  /** Epoch ms; 0: it never rested. */
  readonly restUntilMs: number;
  /** The meter's own windows in their order, then open ones that it does not name at present. */
  readonly windows: readonly WindowState[];
}

const FRESH: MeterRecord = { total: 0, lastTake: 0, restUntilMs: 0, windows: [] };

/** The record by the meter's present windows at `nowMs`: those that are over are closed. */
export function recordAt(record: MeterRecord | undefined, meter: Meter, nowMs: number): MeterRecord {
  const known = record ?? FRESH;
  return { ...known, windows: windowsAt(known.windows, meter.windows, nowMs) };
}

/** The record after a clock that said `fromMs` was set right, to `toMs`: a rest keeps what was left of it. */
export function recordSetBack(record: MeterRecord, fromMs: number, toMs: number): MeterRecord {
  if (record.restUntilMs <= toMs) return record;
  return { ...record, restUntilMs: toMs + Math.max(0, record.restUntilMs - fromMs) };
}

/** When `cost` uses fit and it does not rest: at most `nowMs` for at once, Infinity for never. */
export function readyAtMs(record: MeterRecord, meter: Meter, cost: number): number {
  let at = record.restUntilMs;
  for (const [index, spec] of meter.windows.entries()) {
    const state = record.windows[index];
    if (state !== undefined) at = Math.max(at, fitsAtMs(state, spec, cost));
  }
  return at;
}

/** Where a meter belongs: among the ready ones until its next window ends, or aside until it is ready. */
export function placeOf(record: MeterRecord, meter: Meter, position: number, nowMs: number): Place {
  const at = readyAtMs(record, meter, 1);
  if (at > nowMs) return { rank: undefined, wakeAtMs: Number.isFinite(at) ? at : undefined };
  let uses = meter.windows.length === 0 ? record.total : 0;
  let wakeAtMs: number | undefined;
  for (const [index, spec] of meter.windows.entries()) {
    const state = record.windows[index];
    if (state === undefined || state.openedBy === 0) continue;
    uses = Math.max(uses, state.used);
    wakeAtMs = Math.min(wakeAtMs ?? Infinity, state.openedAtMs + spec.everyMs);
  }
  return { rank: [uses, record.lastTake, position], wakeAtMs };
}

/** The record with `cost` uses counted by the take number `by`. */
export function recordCounted(record: MeterRecord, cost: number, nowMs: number, by: number): MeterRecord {
  return {
    ...record,
    total: record.total + cost,
    lastTake: by,
    windows: record.windows.map((state) => counted(state, cost, nowMs, by)),
  };
}

/** The record after the `cost` uses of the take `by` are known to have arrived. */
export function recordArrived(record: MeterRecord, cost: number, by: TakeNumbers, nowMs: number): MeterRecord {
  return { ...record, windows: record.windows.map((state) => arrived(state, cost, by, nowMs)) };
}

/** The record without the `cost` uses of the take `by`. */
export function recordUncounted(record: MeterRecord, cost: number, by: TakeNumbers, nowMs: number): MeterRecord {
  return {
    ...record,
    total: Math.max(0, record.total - cost),
    windows: record.windows.map((state) => uncounted(state, cost, by, nowMs)),
  };
}

/** A record of `recordAt`, as the outside sees it. */
export function readingOf(record: MeterRecord, meter: Meter, kind: 'key' | 'proxy', nowMs: number): MeterReading {
  return {
    id: meter.id,
    kind,
    restingUntilMs: record.restUntilMs > nowMs ? record.restUntilMs : undefined,
    total: record.total,
    windows: meter.windows.map((spec, index) => {
      const state = record.windows[index];
      return { limit: spec.limit, used: state?.used ?? 0, resetsAtMs: state && resetsAtMs(state) };
    }),
  };
}
