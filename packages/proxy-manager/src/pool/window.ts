import type { WindowSpec } from '../config/resolve.js';

/** What a ledger remembers of one window. */
export interface WindowState {
  /** Its length in ms: tells it from the meter's other windows. */
  readonly everyMs: number;
  /** Epoch ms of its first use. */
  readonly openedAtMs: number;
  /** The number of the take that opened it: tells this window from the one after it. 0: not open; BY_ARRIVAL: by none. */
  readonly openedBy: number;
  readonly used: number;
}

/** A late use may have opened the provider's window or not: until a take opens ours, which then runs from that. */
const BY_ARRIVAL = -1;

function closed(everyMs: number): WindowState {
  return { everyMs, openedAtMs: 0, openedBy: 0, used: 0 };
}

/**
 * The windows as they stand at `nowMs`: those of `specs` in their order, closed where their time is over, and after
 * them the open ones that `specs` does not name, for somebody else's file may. One from a future that was none, before
 * the clock was set right, runs from now.
 */
export function windowsAt(states: readonly WindowState[], specs: readonly WindowSpec[], nowMs: number): WindowState[] {
  const open = states
    .filter(({ openedBy, openedAtMs, everyMs }) => openedBy !== 0 && nowMs < openedAtMs + everyMs)
    .map((state) => (state.openedAtMs > nowMs ? { ...state, openedAtMs: nowMs } : state));
  const named = specs.map(({ everyMs }) => open.find((state) => state.everyMs === everyMs) ?? closed(everyMs));
  return [...named, ...open.filter(({ everyMs }) => !specs.some((spec) => spec.everyMs === everyMs))];
}

/** Epoch ms at which it opens anew; undefined while it is not open. */
export function resetsAtMs(state: WindowState): number | undefined {
  return state.openedBy === 0 ? undefined : state.openedAtMs + state.everyMs;
}

/** When `cost` more uses fit: -Infinity for now, +Infinity for never. */
export function fitsAtMs(state: WindowState, spec: WindowSpec, cost: number): number {
  if (state.used + cost <= spec.limit) return -Infinity;
  return cost > spec.limit ? Infinity : state.openedAtMs + spec.everyMs;
}

/** Counts `cost` uses by the take number `by`, which opens it where it is not open. */
export function counted(state: WindowState, cost: number, nowMs: number, by: number): WindowState {
  const used = state.used + cost;
  return state.openedBy > 0 ? { ...state, used } : { ...state, openedAtMs: nowMs, openedBy: by, used };
}

/** The number of a take, and those of the takes that opened the windows it was counted in. */
export interface TakeNumbers {
  readonly take: number;
  readonly openedBy: readonly number[];
}

/**
 * The window after the use of the take `by` is known to have arrived: one that it opened runs from now; where its own
 * is over, it counts in the present one, and opens it where there is none.
 */
export function arrived(state: WindowState, cost: number, by: TakeNumbers, nowMs: number): WindowState {
  if (state.openedBy === by.take) return { ...state, openedAtMs: nowMs };
  if (state.openedBy !== 0 && by.openedBy.includes(state.openedBy)) return state;
  const used = state.used + cost;
  return state.openedBy === 0 ? { ...state, openedAtMs: nowMs, openedBy: BY_ARRIVAL, used } : { ...state, used };
}

/**
 * Takes back what was counted in a window; one that opened since is left alone, an empty one closes. Without the use
 * that opened it a window runs from now at the earliest: whoever counts at the other end never saw that use.
 */
export function uncounted(state: WindowState, cost: number, by: TakeNumbers, nowMs: number): WindowState {
  if (state.openedBy === 0 || !by.openedBy.includes(state.openedBy)) return state;
  if (state.used <= cost) return closed(state.everyMs);
  const openedAtMs = state.openedBy === by.take ? nowMs : state.openedAtMs;
  return { ...state, openedAtMs, used: state.used - cost };
}
