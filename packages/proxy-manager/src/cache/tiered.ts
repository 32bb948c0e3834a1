import type { Clock } from '../clock.js';
import type { CacheEntry, CacheStore } from './cache-store.js';
import type { MemoryCacheStore } from './memory.js';
import { Pending } from './pending.js';

export interface TieredCacheOptions {
  /** Asked first, and filled from `store`. */
  readonly memory: MemoryCacheStore;
  readonly store: CacheStore;
  readonly clock: Clock;
  /** How long a copy in memory serves while nobody tells when the store's entry changes, in ms. */
  readonly memoryMaxAgeMs: number;
}

export interface TieredCacheStore extends CacheStore {
  readonly tiers: { readonly memory: MemoryCacheStore; readonly store: CacheStore };
}

/**
 * A memory tier before a store. What was set is found by the next `get` of this process at once, also while the store
 * is still writing; what other processes set or delete is noticed as far as the store tells, else the copy in memory is
 * used for `memoryMaxAgeMs`. `close` waits for what is being written; the tiers stay open, they are their makers' to close.
 */
export function tieredCacheStore(options: TieredCacheOptions): TieredCacheStore {
  const { memory, store, clock, memoryMaxAgeMs } = options;
  const pending = new Pending();
  /** Entries on their way from the store to memory: what changes meanwhile must not get there. */
  const loading = new Set<{ readonly key: string; changed: boolean }>();
  /** Entries on their way from here to the store. */
  const writing = new Map<string, CacheEntry>();
  const outdate = (key: string | undefined): void => {
    for (const one of loading) if (key === undefined || one.key === key) one.changed = true;
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

  async function load(key: string, signal: AbortSignal | undefined): Promise<CacheEntry | undefined> {
    const here = { key, changed: false };
    loading.add(here);
    try {
      const far = await store.get(key, signal);
      if (far !== undefined && !here.changed) await memory.set(key, { ...far, body: new Uint8Array(far.body) });
      return far;
    } finally {
      loading.delete(here);
    }
  }

  return {
    tiers: { memory, store },
    async get(key, signal) {
      if (isCurrent(key)) {
        const near = await memory.get(key, signal);
        if (near !== undefined) {
          store.touch?.(key);
          return near;
        }
      }
      return load(key, signal);
    },
    async set(key, entry, fence) {
      outdate(key);
      writing.set(key, entry);
      void memory.set(key, entry);
      try {
        const isStored = await pending.track(store.set(key, entry, fence));
        // A later leader knows better.
        if (!isStored) await memory.delete(key);
        return isStored;
      } finally {
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
    stats: () => store.stats(),
    leases: store.leases,
    async close() {
      await watch?.close();
      await pending.settled();
    },
  };
}
