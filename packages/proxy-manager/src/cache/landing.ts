import type { CacheEntry, CacheShelf } from './cache-store.js';
import { copyOf } from './memory.js';
import type { Flight } from './single-flight.js';

/** What a flight has brought, and under which key. */
export interface LandedEntry {
  readonly key: string;
  readonly entry: CacheEntry;
}

/** The store in which whatever is stored first lands the flight, for all who wait for it. */
export function landing(store: CacheShelf, flight: Flight<LandedEntry>): CacheShelf {
  return new Landing(store, flight);
}

class Landing implements CacheShelf {
  readonly #store: CacheShelf;
  readonly #flight: Flight<LandedEntry>;

  constructor(store: CacheShelf, flight: Flight<LandedEntry>) {
    this.#store = store;
    this.#flight = flight;
  }

  get(key: string, signal?: AbortSignal): Promise<CacheEntry | undefined> {
    return this.#store.get(key, signal);
  }

  delete(key: string): Promise<boolean> {
    return this.#store.delete(key);
  }

  set(key: string, entry: CacheEntry): Promise<boolean> {
    const written = this.#store.set(key, entry, this.#flight.fence);
    this.#flight.landStored({ key, entry }, written);
    return written;
  }
}

/** The store with what has just landed, which it may not hold yet, or not in this process. */
export function withLanded(store: CacheShelf, landed: LandedEntry | undefined): CacheShelf {
  if (landed === undefined) return store;
  const { key: wanted, entry } = landed;
  return {
    set: (key, stored) => store.set(key, stored),
    delete: (key) => store.delete(key),
    get: async (key, signal) => (key === wanted ? copyOf(entry) : store.get(key, signal)),
  };
}
