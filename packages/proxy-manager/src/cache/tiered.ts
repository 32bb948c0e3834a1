import type { Clock } from '../clock.js';
import type { CacheEntry, CacheStore } from './cache-store.js';
import type { MemoryCacheStore } from './memory.js';
import { copyOf } from './memory.js';
import { Pending } from './pending.js';

export interface TieredCacheOptions {
  /** Asked first, and filled from `store`. */
  readonly memory: MemoryCacheStore;
  readonly store: CacheStore;
  readonly clock: Clock;
  /** How long a copy in memory serves while nobody tells when the store's entry changes, in ms. */
  readonly memoryMaxAgeMs: number;
}

interface Load {
  readonly far: Promise<CacheEntry | undefined>;
  /** Others wait for it, too, each of whom is given a copy. */
  isShared: boolean;
}

/**
 * A memory tier before a store. What was set is found by the next `get` of this process at once, also while the store
 * is still writing; what other processes set or delete is noticed as far as the store tells, else the copy in memory is
 * used for `memoryMaxAgeMs`. `close` waits for what is being written; the tiers stay open, they are their makers' to close.
 */
export function tieredCacheStore(options: TieredCacheOptions): CacheStore {
  const { memory, store, clock, memoryMaxAgeMs } = options;
  const pending = new Pending();
  /** Entries on their way from the store to memory: what changes meanwhile must not get there. */
  const loading = new Map<string, Load>();
  /** Entries on their way from here to the store. */
  const writing = new Map<string, CacheEntry>();
  const outdate = (key: string | undefined): void => {
    if (key === undefined) loading.clear();
    else loading.delete(key);
  };
  const watch = store.watch?.((key) => {
    outdate(key);
    void (key === undefined ? forgetAll() : memory.delete(key));
  });

  /** All but what the store does not have yet. */
  async function forgetAll(): Promise<void> {
    void memory.clear();
    for (const [key, entry] of writing) void memory.set(key, entry);
  }

  function isCurrent(key: string): boolean {
    if (watch?.upToDate() === true) return true;
    const setAtMs = memory.setAtMs(key);
    return setAtMs !== undefined && Math.abs(clock.now() - setAtMs) < memoryMaxAgeMs;
  }

  function fromMemory(key: string): CacheEntry | undefined {
    const copy = memory.setAtMs(key) !== undefined && isCurrent(key) ? memory.near(key) : null;
    if (copy === null) return undefined;
    store.touch?.(key);
    return copy;
  }

  /** Those who want the same at once ask the store once: a crowd of lookups would be late for all. */
  function load(key: string): Promise<CacheEntry | undefined> {
    const known = loading.get(key);
    if (known !== undefined) {
      known.isShared = true;
      return known.far.then((far) => far && copyOf(far));
    }
    const here: Load = { far: store.get(key), isShared: false };
    loading.set(key, here);
    return fill(key, here);
  }

  async function fill(key: string, here: Load): Promise<CacheEntry | undefined> {
    try {
      const far = await here.far;
      if (far !== undefined && loading.get(key) === here) await memory.set(key, far);
      return far !== undefined && (here.isShared || memory.setAtMs(key) !== undefined) ? copyOf(far) : far;
    } finally {
      if (loading.get(key) === here) loading.delete(key);
    }
  }

  return {
    near(key) {
      const copy = fromMemory(key);
      if (copy !== undefined) return copy;
      return !loading.has(key) && store.near?.(key) === null ? null : undefined;
    },
    get: async (key) => fromMemory(key) ?? load(key),
    async set(key, entry, fence) {
      outdate(key);
      writing.set(key, entry);
      void memory.set(key, entry);
      let storing: Promise<boolean> | undefined;
      try {
        storing = pending.begin(store.set(key, entry, fence));
        const isStored = await storing;
        // A later leader knows better.
        if (!isStored) await memory.delete(key);
        return isStored;
      } finally {
        if (storing !== undefined) pending.end(storing);
        if (writing.get(key) === entry) writing.delete(key);
      }
    },
    async delete(key) {
      outdate(key);
      const [near, far] = await Promise.all([memory.delete(key), pending.track(store.delete(key))]);
      return near || far;
    },
    async clear(which) {
      await memory.clear(which);
      const count = await pending.track(store.clear(which));
      // Again: what was loaded while the store still had it.
      outdate(undefined);
      await memory.clear(which);
      return count;
    },
    list: (which) => store.list(which),
    async stats() {
      const [near, far] = await Promise.all([memory.stats(), store.stats()]);
      return { ...far, hits: near.hits + far.hits };
    },
    leases: store.leases,
    async close() {
      await watch?.close();
      await pending.settled();
    },
  };
}
