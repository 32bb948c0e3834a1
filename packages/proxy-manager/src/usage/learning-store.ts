import type { WindowSpec } from '../config/resolve.js';
import type { Pool } from './usage-store.js';

/** What the provider told of one window of a meter or of its account. */
export interface LearnedLimit {
  readonly spec: WindowSpec;
  /** So many uses are left in it; more of ours stay counted. */
  readonly remaining: number;
  /** Epoch ms at which it opens anew for the provider; ours then opens no earlier. Only of a fixed window. */
  readonly resetAtMs?: number;
}

/** Where counts are corrected by who counts at the other end. */
export interface LearningStore {
  /**
   * Counts in one step what the provider has counted and we have not, in the windows of `id` and its account that are
   * named; never less than is counted already. A window that it names for another reset ends with that, if that is later.
   */
  learn(pool: Pool, id: string, limits: readonly LearnedLimit[]): Promise<void>;
}
