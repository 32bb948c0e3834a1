import type { Meter } from '../config/resolve.js';
import type { LearningStore } from './learning-store.js';
import type { StandingStore } from './standing-store.js';

/** The candidates of one kind: one of `meters` is taken at a time. */
export interface Section {
  readonly kind: 'key' | 'proxy';
  readonly meters: readonly Meter[];
}

/**
 * What a take chooses from: one meter of every section, counted per endpoint.
 * One frozen object per endpoint and kind, so that a store may keep what it derives from it in a WeakMap.
 */
export interface Pool {
  readonly endpoint: string;
  /** One or two, a kind at most once. */
  readonly sections: readonly Section[];
}

export interface Demand {
  readonly pool: Pool;
  /** Uses to count, a positive integer. */
  readonly cost: number;
  /** Take exactly these ids (one per section) or refuse. */
  readonly pin?: readonly string[];
  /** Take one of these only where no other is ready (a retry wants another identity). */
  readonly avoid?: ReadonlySet<string>;
  /** These rest for this take alone, each until its epoch ms: a proxy that is blocked where the request goes. */
  readonly resting?: ReadonlyMap<string, number>;
}

/** One window as it stands now. */
export interface WindowReading {
  readonly limit: number;
  readonly used: number;
  /** Epoch ms at which the first of these uses stop counting: all, or of a sliding window the oldest. Undefined: no uses. */
  readonly resetsAtMs: number | undefined;
}

export interface MeterReading {
  readonly id: string;
  readonly kind: 'key' | 'proxy';
  /** Epoch ms until which it rests; undefined when it does not. */
  readonly restingUntilMs: number | undefined;
  /** Uses counted since ever, given-back ones taken off. */
  readonly total: number;
  /** The number of the take that used it last, counting upwards; 0: never used. */
  readonly lastTake: number;
  /** Its own in their order, then those of its account. */
  readonly windows: readonly WindowReading[];
}

/** One counted use of one meter per section, as it stood after the count. */
export interface Ticket {
  readonly granted: true;
  readonly pool: Pool;
  readonly cost: number;
  /** In the order of `pool.sections`. */
  readonly taken: readonly MeterReading[];
  /** Epoch ms from which the arrival of this use is worth a note: see `UsageStore.arrived`. Infinity for never. */
  readonly arrivalMattersFromMs: number;
  /** Set where another store failed and this one stood in for it. */
  readonly isLocal?: true;
  /** The store's own note of which windows were counted in, handed back to `giveBack`. */
  readonly receipt: unknown;
}

/** Nothing was counted: one section has no meter (or not the pinned one) that is ready for the cost. */
export interface Refusal {
  readonly granted: false;
  /** Where both sections have none: the one that takes longer. */
  readonly kind: 'key' | 'proxy';
  /** Epoch ms at which its first one is ready; Infinity where none can ever hold the cost. */
  readonly retryAtMs: number;
}

/**
 * Where uses are counted. Every verb is atomic and promises; a failed store rejects with its own fault.
 *
 * The rule of choice, the same in every store and held by `usageStoreContract`: among the meters under all
 * their limits and not resting, the one with the fewest uses (in the fullest of its windows, or since ever when it is
 * unlimited); ties go to the least recently used, then to the order of the section. Meters with one account count as
 * one there, and the rule once more chooses among them. Where windows of very many meters end at the same time, or other
 * processes use very many, a store may take note of it little by little: then the one with the fewest is found a few
 * takes later.
 */
export interface UsageStore extends LearningStore, StandingStore {
  /** Chooses one meter per section and counts the use, in one step. */
  take(demand: Demand): Promise<Ticket | Refusal>;
  /**
   * Takes a use back that surely was not sent. A window that has opened anew since then is left alone; a fixed one whose
   * first use it was, and that holds others, runs from now.
   */
  giveBack(ticket: Ticket): Promise<void>;
  /**
   * Notes that the ticket's use has been seen by whoever counts at the other end, as late as now. A fixed window that
   * this use opened runs from now; in a sliding one it counts as if it were taken now; where what it was counted in is
   * over, it counts in the present window too. Once per ticket, and only worth the write from `arrivalMattersFromMs` on.
   *
   * What remains: uses under way are told apart only once they are answered. Without a `marginMs` that covers the time
   * they take, uses under way when a window rolls over can exceed the other end's quota, by as many as are under way at
   * that moment.
   */
  arrived(ticket: Ticket): Promise<void>;
  /** Lets `id` of `pool` rest until `untilMs` (epoch); never shortens a rest. */
  rest(pool: Pool, id: string, untilMs: number): Promise<void>;
  /** Every meter of `pool` as it stands now, in the order of its sections. */
  read(pool: Pool): Promise<readonly MeterReading[]>;
  /** Releases what this store opened. */
  close(): Promise<void>;
}
