import type { Node } from './node.js';
import type { Counted, WindowState } from './window.js';
import {
  arrivalMattersFromMs,
  arrived,
  counted,
  fitsAtMs,
  learned,
  resetsAtMs,
  uncounted,
  usedIn,
  windowsAt,
} from './window.js';
import { ruleNamed, ruleOf } from './window-rule.js';
import type { WindowRule } from './window-rule.js';
import type { LearnedLimit } from '../usage/learning-store.js';
import type { WindowReading } from '../usage/usage-store.js';

/** Where a node stands in its orders. */
export interface Place {
  /** Its rank among the ready ones, the lowest being the next to serve; undefined: not ready. */
  readonly rank: Rank | undefined;
  /** Epoch ms at which it is looked at anew; undefined: only when it is used. */
  readonly wakeAtMs: number | undefined;
}

/** Fewest uses first, then least recently used, then the order of the section. */
export type Rank = readonly [uses: number, lastTake: number, position: number];

/** What a ledger remembers of one node. */
export interface NodeRecord {
  /** Uses since ever. */
  readonly total: number;
  /** The number of the last take that used it; 0: never used. */
  readonly lastTake: number;
  /** Epoch ms; 0: it never rested. */
  readonly restUntilMs: number;
  /** The node's own windows in their order, then open ones that it does not name at present. */
  readonly windows: readonly WindowState[];
}

const FRESH: NodeRecord = { total: 0, lastTake: 0, restUntilMs: 0, windows: [] };

/** The record by the node's present windows at `nowMs`, without what no longer counts. */
export function recordAt(record: NodeRecord | undefined, { rules }: Node, nowMs: number): NodeRecord {
  const known = record ?? FRESH;
  return { ...known, windows: windowsAt(known.windows, rules, nowMs) };
}

/** The record after a clock that said `fromMs` was set right, to `toMs`: a rest keeps what was left of it. */
export function recordSetBack(record: NodeRecord, fromMs: number, toMs: number): NodeRecord {
  if (record.restUntilMs <= toMs) return record;
  return { ...record, restUntilMs: toMs + Math.max(0, record.restUntilMs - fromMs) };
}

/** When `cost` uses fit and it does not rest: at most the time of the record for at once, Infinity for never. */
export function readyAtMs(record: NodeRecord, { rules }: Node, cost: number): number {
  let at = record.restUntilMs;
  for (const [index, { limit }] of rules.entries()) {
    const state = record.windows[index];
    if (state !== undefined) at = Math.max(at, fitsAtMs(state, limit, cost));
  }
  return at;
}

/** Epoch ms from which the node's rank is another one though nothing happens: Infinity for never. */
export function staleAtMs(record: NodeRecord, { rules }: Node): number {
  let at = Infinity;
  for (const [index] of rules.entries()) {
    const state = record.windows[index];
    at = Math.min(at, (state && resetsAtMs(state)) ?? Infinity);
  }
  return at;
}

export function rankOf(record: NodeRecord, { rules, position }: Node): Rank {
  let uses = rules.length === 0 ? record.total : 0;
  for (const [index] of rules.entries()) {
    const state = record.windows[index];
    if (state !== undefined) uses = Math.max(uses, usedIn(state));
  }
  return [uses, record.lastTake, position];
}

/** The record with `cost` uses counted by the take number `take`, and the batches that they are in by window. */
export function recordCounted(
  record: NodeRecord,
  node: Node,
  cost: number,
  nowMs: number,
  take: number,
): { readonly record: NodeRecord; readonly batches: Readonly<Record<string, number>> } {
  const batches: Record<string, number> = {};
  const windows = record.windows.map((state, index) => {
    const after = counted(state, ruleFor(node, state, index), cost, nowMs, take);
    batches[state.name] = after.batch;
    return after.state;
  });
  return { record: { ...record, total: record.total + cost, lastTake: take, windows }, batches };
}

/** The record after the uses of a take are known to have arrived; `fresh` numbers what begins with them. */
export function recordArrived(
  record: NodeRecord,
  node: Node,
  cost: number,
  by: Counted,
  nowMs: number,
  fresh: number,
): NodeRecord {
  const windows = record.windows.map((state, index) =>
    arrived(state, ruleFor(node, state, index), cost, by, nowMs, fresh),
  );
  return { ...record, windows };
}

/** The record after the provider has told of its windows; `fresh` numbers what begins with that. */
export function recordLearned(
  record: NodeRecord,
  { rules }: Node,
  limits: readonly LearnedLimit[],
  nowMs: number,
  fresh: number,
): NodeRecord {
  const windows = record.windows.map((state, index) => {
    const rule = rules[index];
    const told = limits.find(({ spec }) => spec.limit === rule?.limit && ruleOf(spec).name === state.name);
    return rule === undefined || told === undefined ? state : learned(state, rule, told, nowMs, fresh);
  });
  return { ...record, windows };
}

/** The record without the uses of a take. */
export function recordUncounted(record: NodeRecord, node: Node, cost: number, by: Counted, nowMs: number): NodeRecord {
  const windows = record.windows.map((state, index) => uncounted(state, ruleFor(node, state, index), cost, by, nowMs));
  return { ...record, total: Math.max(0, record.total - cost), windows };
}

/** Epoch ms from which the arrival of the uses of a take is worth a note: see `arrivalMattersFromMs` of a window. */
export function recordMattersFromMs(record: NodeRecord, { rules }: Node, by: Counted): number {
  let at = Infinity;
  for (const [index, rule] of rules.entries()) {
    const state = record.windows[index];
    if (state === undefined) continue;
    at = Math.min(at, arrivalMattersFromMs(state, rule, by.batches[state.name] ?? 0, by.take));
  }
  return at;
}

/** The windows of a record of `recordAt`, as the outside sees them. */
export function windowReadings(record: NodeRecord, { rules }: Node): WindowReading[] {
  return rules.map(({ limit }, index) => {
    const state = record.windows[index];
    return { limit, used: state === undefined ? 0 : usedIn(state), resetsAtMs: state && resetsAtMs(state) };
  });
}

function ruleFor({ rules }: Node, state: WindowState, index: number): WindowRule {
  return rules[index] ?? ruleNamed(state.name);
}
