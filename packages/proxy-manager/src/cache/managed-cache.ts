import { ConfigError } from '../errors.js';
import type { CacheEntry, CacheListing, CacheSelector, CacheStore, CacheStoreStats } from './cache-store.js';
import { cacheUrl } from './key.js';

/** What the cache holds and how it was used. Without a store behind it, the memory is the store too. */
export interface CacheStats {
  /** Copies in this process. */
  readonly memory: CacheStoreStats;
  /** What is shared; asked only for what the memory does not have. */
  readonly store: CacheStoreStats;
}

/** `manager.cache`: what is stored, for whoever looks after it. */
export interface ManagedCache {
  /**
   * The stored reply to `url`, stale ones too; of several (other methods, bodies, variants) the one stored last.
   *
   * @throws {StoreError} the store could not be asked.
   */
  get(url: string | URL, options?: { readonly method?: string }): Promise<CacheEntry | undefined>;
  /**
   * Deletes the replies to an url (whatever the method and body), to all urls with a `prefix`, or with a `tag`; tells how
   * many it were.
   *
   * @throws {StoreError} the store could not do it.
   * @example
   * ```ts
   * await manager.cache.delete('https://api.example.com/items?page=1')
   * await manager.cache.delete({ prefix: 'https://api.example.com/items' })
   * await manager.cache.delete({ tag: 'products' })
   * ```
   */
  delete(which: string | URL | { readonly prefix: string } | { readonly tag: string }): Promise<number>;
  /** Deletes everything; tells how many replies it were. */
  clear(): Promise<number>;
  /** What is stored, in no order: all, or as `delete` names it. */
  keys(which?: Parameters<ManagedCache['delete']>[0]): AsyncIterable<CacheListing>;
  stats(): Promise<CacheStats>;
}

/** The cache that a manager's pipeline goes through, and the tiers it is made of. */
export interface CacheTiers {
  readonly cache: CacheStore;
  readonly memory: CacheStore;
  readonly store: CacheStore;
}

/** `assertOpen` is called before each use. */
export function managedCache({ cache: store, ...tiers }: CacheTiers, assertOpen: () => void): ManagedCache {
  return {
    async get(url, { method = 'GET' } = {}) {
      assertOpen();
      let last: CacheEntry | undefined;
      for await (const listing of store.list(selectorOf(url))) {
        if (listing.method !== method.toUpperCase()) continue;
        const entry = await store.get(listing.key);
        if (entry !== undefined && entry.storedAtMs >= (last?.storedAtMs ?? 0)) last = entry;
      }
      return last;
    },
    async delete(which) {
      assertOpen();
      return store.clear(selectorOf(which));
    },
    async clear() {
      assertOpen();
      return store.clear();
    },
    async *keys(which) {
      assertOpen();
      yield* store.list(which === undefined ? undefined : selectorOf(which));
    },
    async stats() {
      assertOpen();
      const [memory, shared] = await Promise.all([tiers.memory.stats(), tiers.store.stats()]);
      return { memory, store: shared };
    },
  };
}

function selectorOf(which: Parameters<ManagedCache['delete']>[0]): CacheSelector {
  if (typeof which === 'string' || which instanceof URL) {
    if (URL.canParse(String(which))) return { url: cacheUrl(new URL(which)) };
    throw new ConfigError('manager.cache', ['url: expected a whole url; several are named by { prefix }']);
  }
  const { prefix, tag } = which as { readonly prefix?: unknown; readonly tag?: unknown };
  // Neither would name everything, which only `clear` does.
  if ((typeof prefix === 'string' && prefix !== '') !== (typeof tag === 'string' && tag !== '')) return which;
  throw new ConfigError('manager.cache', ['expected an url, { prefix } or { tag }, each a string that is not empty']);
}
