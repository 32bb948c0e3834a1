import type { CacheStore } from './cache-store.js';

export interface TieredCacheOptions {
  /** Asked first, and filled from `store`. */
  readonly memory: CacheStore;
  readonly store: CacheStore;
}

/**
 * A memory tier before a store. What was set is found by the next `get` of this process at once, also while the store
 * is still writing. `close` waits for what is being written; the tiers stay open, they are their makers' to close.
 */
export function tieredCacheStore({ memory, store }: TieredCacheOptions): CacheStore {
  const writing = new Set<Promise<void>>();
  return {
    async get(key, signal) {
      const near = await memory.get(key, signal);
      if (near !== undefined) return near;
      const far = await store.get(key, signal);
      if (far !== undefined) await memory.set(key, { ...far, body: new Uint8Array(far.body) });
      return far;
    },
    async set(key, entry) {
      const write = Promise.all([memory.set(key, entry), store.set(key, entry)]).then(() => undefined);
      writing.add(write);
      try {
        await write;
      } finally {
        writing.delete(write);
      }
    },
    async delete(key) {
      const [near, far] = await Promise.all([memory.delete(key), store.delete(key)]);
      return near || far;
    },
    async close() {
      await Promise.allSettled(writing);
    },
  };
}
