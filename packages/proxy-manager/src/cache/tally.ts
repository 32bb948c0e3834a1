import type { CacheStoreStats } from './cache-store.js';

/** Counts what a store does for this process. */
export class Tally {
  #hits = 0;
  #misses = 0;
  evicted = 0;
  damaged = 0;

  /** The same result, counted as a hit or a miss. */
  lookup<T>(found: T | undefined): T | undefined {
    if (found === undefined) this.miss();
    else this.#hits++;
    return found;
  }

  miss(): void {
    this.#misses++;
  }

  hit<T>(found: T): T {
    this.#hits++;
    return found;
  }

  with(holdings: Pick<CacheStoreStats, 'bytes' | 'entries'>): CacheStoreStats {
    return { ...holdings, hits: this.#hits, misses: this.#misses, evicted: this.evicted, damaged: this.damaged };
  }
}
