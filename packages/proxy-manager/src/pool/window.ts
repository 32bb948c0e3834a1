import type { WindowSpec } from '../config/resolve.js';

/** What a ledger remembers of one window. */
export interface WindowState {
  /** Epoch ms of its first use. */
  readonly openedAtMs: number;
  /** The number of the take that opened it: tells this window from the one after it. 0: not open. */
  readonly openedBy: number;
  readonly used: number;
}

const CLOSED: WindowState = { openedAtMs: 0, openedBy: 0, used: 0 };

/** The window as it stands at `nowMs`: closed once its time is over. */
export function windowAt(state: WindowState | undefined, spec: WindowSpec, nowMs: number): WindowState {
  if (state === undefined || state.openedBy === 0) return CLOSED;
  return nowMs < state.openedAtMs + spec.everyMs ? state : CLOSED;
}

/** Epoch ms at which it opens anew; undefined while it is not open. */
export function resetsAtMs(state: WindowState, spec: WindowSpec): number | undefined {
  return state.openedBy === 0 ? undefined : state.openedAtMs + spec.everyMs;
}

/** When `cost` more uses fit: -Infinity for now, +Infinity for never. */
export function fitsAtMs(state: WindowState, spec: WindowSpec, cost: number): number {
  if (state.used + cost <= spec.limit) return -Infinity;
  return cost > spec.limit ? Infinity : state.openedAtMs + spec.everyMs;
}

/** Counts `cost` uses by the take number `by`, which opens it where it is not open. */
export function counted(state: WindowState, cost: number, nowMs: number, by: number): WindowState {
  return state.openedBy === 0 ? { openedAtMs: nowMs, openedBy: by, used: cost } : { ...state, used: state.used + cost };
}

/** The number of a take, and those of the takes that opened the windows it was counted in. */
export interface TakeNumbers {
  readonly take: number;
  readonly openedBy: readonly number[];
}

/**
 * The window after the use of the take `by` is known to have arrived: one that it opened runs from now; where its own
 * is over, it counts in the present one, which the take number `anew` opens where there is none.
 */
export function arrived(state: WindowState, cost: number, by: TakeNumbers, nowMs: number, anew: number): WindowState {
  if (state.openedBy === by.take) return { ...state, openedAtMs: nowMs };
  if (state.openedBy !== 0 && by.openedBy.includes(state.openedBy)) return state;
  return counted(state, cost, nowMs, anew);
}

/**
 * Takes back what was counted in a window; one that opened since is left alone, an empty one closes. Without the use
 * that opened it a window runs from now at the earliest: whoever counts at the other end never saw that use.
 */
export function uncounted(state: WindowState, cost: number, by: TakeNumbers, nowMs: number): WindowState {
  if (state.openedBy === 0 || !by.openedBy.includes(state.openedBy)) return state;
  if (state.used <= cost) return CLOSED;
  const openedAtMs = state.openedBy === by.take ? nowMs : state.openedAtMs;
  return { ...state, openedAtMs, used: state.used - cost };
}
