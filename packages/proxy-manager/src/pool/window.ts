import type { CalendarRule, FixedRule, SlidingRule, WindowRule } from './window-rule.js';
import { slotEndMs } from './window-rule.js';

/** Uses of one window that stop counting together. */
export interface Batch {
  /** A number of its own within the ledger. */
  readonly id: number;
  /**
   * Of a fixed window the number of the take whose arrival it runs from. 0 while that is not known: its first use was
   * given back, or came so late that it may have opened the provider's next window or not. Then the next take is it.
   */
  readonly opener: number;
  /** The earliest at which the provider's window can have begun, in epoch ms. */
  readonly openedAtMs: number;
  readonly endsAtMs: number;
  readonly used: number;
}

/** What a ledger remembers of one window: the uses that still count, those first that stop counting first. */
export interface WindowState {
  readonly name: string;
  readonly batches: readonly Batch[];
}

/** A take, and where it was counted: the batch by the name of each window. */
export interface Counted {
  readonly take: number;
  readonly batches: Readonly<Record<string, number>>;
}

/**
 * The windows as they stand at `nowMs`: those of `rules` in their order, and after them those that `rules` does not name
 * and in which something still counts, for somebody else's file may.
 */
export function windowsAt(states: readonly WindowState[], rules: readonly WindowRule[], nowMs: number): WindowState[] {
  const named = rules.map((rule, index) => {
    const state = states[index]?.name === rule.name ? states[index] : states.find(({ name }) => name === rule.name);
    return { name: rule.name, batches: state === undefined ? [] : withinReach(liveAt(state, nowMs), rule, nowMs) };
  });
  if (states.length === named.length && states.every(({ name }, index) => name === rules[index]?.name)) return named;
  const others = states.filter(({ name }) => !rules.some((rule) => rule.name === name));
  return [
    ...named,
    ...others
      .map((state) => ({ name: state.name, batches: liveAt(state, nowMs) }))
      .filter(({ batches }) => batches.length > 0),
  ];
}

function liveAt({ batches }: WindowState, nowMs: number): readonly Batch[] {
  const [first] = batches;
  return first === undefined || first.endsAtMs > nowMs ? batches : batches.filter(({ endsAtMs }) => endsAtMs > nowMs);
}

/** Uses from a future that was none, before the clock was set right, count from now. */
function withinReach(batches: readonly Batch[], rule: WindowRule, nowMs: number): readonly Batch[] {
  const latestMs = (index: number): number =>
    rule.kind === 'every' ? nowMs + (index + 1) * (rule.lengthMs + rule.marginMs) : slotEndMs(rule, nowMs);
  const isWithin = ({ endsAtMs, openedAtMs }: Batch, index: number): boolean =>
    openedAtMs <= nowMs && endsAtMs <= latestMs(index);
  if (batches.every(isWithin)) return batches;
  return batches.map((batch, index) => ({
    ...batch,
    openedAtMs: Math.min(batch.openedAtMs, nowMs),
    endsAtMs: Math.min(batch.endsAtMs, latestMs(index)),
  }));
}

export function usedIn({ batches }: WindowState): number {
  let used = 0;
  for (const batch of batches) used += batch.used;
  return used;
}

/** Epoch ms at which the first of its uses stop counting; undefined while there are none. */
export function resetsAtMs({ batches }: WindowState): number | undefined {
  return batches[0]?.endsAtMs;
}

/** When `cost` more uses fit: -Infinity for now, +Infinity for never. */
export function fitsAtMs(state: WindowState, limit: number, cost: number): number {
  let over = usedIn(state) + cost - limit;
  if (over <= 0) return -Infinity;
  if (cost > limit) return Infinity;
  for (const { used, endsAtMs } of state.batches) {
    over -= used;
    if (over <= 0) return endsAtMs;
  }
  return Infinity;
}

/** Counts `cost` uses by the take number `take`; the batch is the one they are in. */
export function counted(
  state: WindowState,
  rule: WindowRule,
  cost: number,
  nowMs: number,
  take: number,
): { readonly state: WindowState; readonly batch: number } {
  if (rule.kind === 'every') return countedInFixed(state, rule, cost, nowMs, take);
  const last = state.batches.at(-1);
  const endsAtMs = slotEndMs(rule, nowMs);
  if (last !== undefined && last.endsAtMs >= endsAtMs) return joined(state, last, cost);
  return opened(state, { id: take, opener: take, openedAtMs: nowMs, endsAtMs, used: cost });
}

function countedInFixed(
  state: WindowState,
  rule: FixedRule,
  cost: number,
  nowMs: number,
  take: number,
): { readonly state: WindowState; readonly batch: number } {
  const { batches } = state;
  const last = batches.at(-1);
  const spanMs = rule.lengthMs + rule.marginMs;
  if (last === undefined) {
    return opened(state, { id: take, opener: take, openedAtMs: nowMs, endsAtMs: nowMs + spanMs, used: cost });
  }
  if (last.opener === 0) {
    const isAlone = batches.length === 1;
    return joined(state, isAlone ? { ...last, opener: take, endsAtMs: nowMs + spanMs } : last, cost);
  }
  // From here on the provider's window may be over, though ours is not: the use counts in the next one too.
  if (nowMs >= last.openedAtMs + rule.lengthMs - rule.marginMs) {
    return opened(state, { id: take, opener: 0, openedAtMs: nowMs, endsAtMs: last.endsAtMs + spanMs, used: cost });
  }
  return joined(state, last, cost);
}

/** `last` in place of the last batch, with `cost` more uses. */
function joined({ name, batches }: WindowState, last: Batch, cost: number): { state: WindowState; batch: number } {
  const others = batches.slice(0, -1);
  return { state: { name, batches: [...others, { ...last, used: last.used + cost }] }, batch: last.id };
}

function opened({ name, batches }: WindowState, batch: Batch): { state: WindowState; batch: number } {
  return { state: { name, batches: [...batches, batch] }, batch: batch.id };
}

/**
 * Epoch ms from which the arrival of uses counted in the batch `id` is worth a note: at once where they opened a fixed
 * window, else when a use taken then would stop counting later.
 */
export function arrivalMattersFromMs({ batches }: WindowState, rule: WindowRule, id: number, take: number): number {
  const batch = batches.find((one) => one.id === id);
  if (batch === undefined) return Infinity;
  if (rule.kind === 'every') return isOpener(batch, take) ? 0 : batch.endsAtMs;
  if (rule.kind === 'per') return batch.endsAtMs - 2 * rule.marginMs;
  return batch.endsAtMs - rule.lengthMs - rule.marginMs + 1;
}

/**
 * The window after uses are known to have arrived, as late as now. A fixed window that they opened runs from now, and
 * uses of the other kinds count as if they were taken now; where their own batch is over, they count in the present
 * window too. `fresh` numbers a batch that begins with them.
 */
export function arrived(
  state: WindowState,
  rule: WindowRule,
  cost: number,
  by: Counted,
  nowMs: number,
  fresh: number,
): WindowState {
  const own = state.batches.find(({ id }) => id === by.batches[state.name]);
  if (rule.kind !== 'every') return arrivedInSlot(state, rule, cost, own, nowMs, fresh);
  const endsAtMs = nowMs + rule.lengthMs + rule.marginMs;
  if (own === undefined) {
    const last = state.batches.at(-1);
    if (last !== undefined) return joined(state, last, cost).state;
    return opened(state, { id: fresh, opener: 0, openedAtMs: nowMs, endsAtMs, used: cost }).state;
  }
  return isOpener(own, by.take) ? ending(state, own, endsAtMs) : state;
}

function arrivedInSlot(
  state: WindowState,
  rule: CalendarRule | SlidingRule,
  cost: number,
  own: Batch | undefined,
  nowMs: number,
  fresh: number,
): WindowState {
  if (own !== undefined && own.endsAtMs >= slotEndMs(rule, nowMs)) return state;
  return counted(own === undefined ? state : without(state, own, cost), rule, cost, nowMs, fresh).state;
}

/**
 * The window after the provider has told that so many uses are left in it, until `resetAtMs` where that is known: what it
 * has counted and we have not counts too, from now. `take` numbers a batch that begins with them.
 */
export function learned(
  state: WindowState,
  rule: WindowRule,
  { remaining, resetAtMs }: { readonly remaining: number; readonly resetAtMs?: number },
  nowMs: number,
  take: number,
): WindowState {
  const missing = rule.limit - remaining - usedIn(state);
  const after = missing > 0 ? counted(state, rule, missing, nowMs, take).state : state;
  const [first] = after.batches;
  if (rule.kind !== 'every' || resetAtMs === undefined || first === undefined) return after;
  return ending(after, first, Math.min(resetAtMs, nowMs + rule.lengthMs) + rule.marginMs);
}

/** Takes back what was counted; a batch that is over, or the next one, is left alone. */
export function uncounted(state: WindowState, rule: WindowRule, cost: number, by: Counted, nowMs: number): WindowState {
  const own = state.batches.find(({ id }) => id === by.batches[state.name]);
  if (own === undefined) return state;
  const left = without(state, own, cost);
  if (rule.kind !== 'every') return left;
  // What followed a batch that is gone now is as if it were counted now.
  if (left.batches.length < state.batches.length) {
    return { name: left.name, batches: withinReach(left.batches, rule, nowMs) };
  }
  if (own.opener !== by.take) return left;
  // The provider never saw the use that opened it: one of the others did, or will.
  const open = {
    name: left.name,
    batches: left.batches.map((one) => (one.id === own.id ? { ...one, opener: 0 } : one)),
  };
  return ending(open, own, nowMs + rule.lengthMs + rule.marginMs);
}

/** Whether the provider's window may have begun with a use of this take. */
function isOpener({ opener }: Batch, take: number): boolean {
  return opener === take || opener === 0;
}

function without({ name, batches }: WindowState, own: Batch, cost: number): WindowState {
  return {
    name,
    batches: batches.flatMap((batch) => {
      if (batch.id !== own.id) return [batch];
      return batch.used > cost ? [{ ...batch, used: batch.used - cost }] : [];
    }),
  };
}

/** `own` ends so much later, and what follows it too. */
function ending({ name, batches }: WindowState, own: Batch, endsAtMs: number): WindowState {
  const laterMs = Math.max(0, endsAtMs - own.endsAtMs);
  return {
    name,
    batches: batches.map((batch) =>
      batch.endsAtMs < own.endsAtMs ? batch : { ...batch, endsAtMs: batch.endsAtMs + laterMs },
    ),
  };
}
