import type { HeaderList } from '../pipeline/headers.js';
import type { CodedBody } from '../transport/transport.js';
import type { LeaseStore } from './lease-store.js';

/** One stored reply, free of credentials: how it was asked for, what came back, and how long it serves. */
export interface CacheEntry {
  readonly method: string;
  /** The url as the caller wrote it, with `{key}` where a key went; without fragment and userinfo. */
  readonly url: string;
  /** The url that answered after redirects; undefined when there were none. */
  readonly finalUrl: string | undefined;
  readonly httpVersion: string;
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case; `set-cookie` only from http mode. */
  readonly headers: HeaderList;
  /** The bytes as the caller gets them; stores may keep them compressed. */
  readonly body: Uint8Array;
  /** Of a reply that has just come: what the body was decoded from, which a store may keep in its place. Never of one that was got. */
  readonly coded?: CodedBody | undefined;
  /** Epoch ms; when the reply came, or was last found to be still valid. */
  readonly storedAtMs: number;
  /** The age it had at that moment, in ms: the time on the way and in caches before this one (RFC 9111 §4.2.3). */
  readonly initialAgeMs: number;
  /**
   * Epoch ms; from then on the entry is stale: it serves only after the origin confirms it, or where a policy says so.
   * Stores keep it all the same, until it expires.
   */
  readonly staleAtMs: number;
  /** Epoch ms; from then on the entry is a miss, and stores drop it. */
  readonly expiresAtMs: number;
  /** Set where further replies to the same method, url and body are kept beside this one. */
  readonly variant: CacheVariant | undefined;
  /** Names that it can be deleted by. */
  readonly tags: readonly string[];
}

/**
 * Which of several replies to one request an entry is. The entry under the request's own key tells by which headers they
 * differ; a request that says something else there finds its reply under the key `digest`.
 */
export interface CacheVariant {
  /** The request headers that `Vary` or the policy names: lower case, sorted. */
  readonly names: readonly string[];
  /** A random mark shared by the replies of one request, new after a deletion: what was put beside an entry goes with it. */
  readonly family: string;
  /** A store's key of 64 hex digits, made of request, family, and what the named headers said; they may be secrets. */
  readonly digest: string;
}

/** Which entries: those of one url, whatever the method and body; of all urls that begin so; or with the tag. */
export type CacheSelector = { readonly url: string } | { readonly prefix: string } | { readonly tag: string };

/** What a store tells of an entry without reading it. */
export interface CacheListing {
  readonly key: string;
  readonly method: string;
  readonly url: string;
  readonly tags: readonly string[];
  /** What the entry counts against the bound. */
  readonly bytes: number;
  /** Epoch ms. */
  readonly expiresAtMs: number;
}

/** What a store holds, for all who share it, and what it did for this process since it was opened here. */
export interface CacheStoreStats {
  readonly entries: number;
  /** As counted against the bound. */
  readonly bytes: number;
  /** Lookups that found an entry. */
  readonly hits: number;
  readonly misses: number;
  /** Entries that had to make room. */
  readonly evicted: number;
  /** Entries found damaged or of another format: they were misses, and are deleted. */
  readonly damaged: number;
}

/** How a copy of an entry learns that the store holds another one by now. */
export interface CacheWatch {
  /** True when the listener has been told of every change up to a moment ago; false while changes may go unnoticed. */
  upToDate(): boolean;
  close(): Promise<void>;
}

/**
 * Where replies are kept. Every verb promises. `get` gives undefined for what is absent, expired, damaged or of
 * another format version. Held by `cacheStoreContract`.
 *
 * An entry given to `set` is the store's to keep and not to alter: its bytes may be those of the reply under way. One that
 * `get` gave is the caller's, and altering its bytes alters no later `get`.
 */
export interface CacheStore {
  /** `key` is 64 hex digits. */
  get(key: string, signal?: AbortSignal): Promise<CacheEntry | undefined>;
  /** As `get`, for what is known without waiting: null where there is nothing; undefined says nothing of what `get` would find. */
  near?(key: string): CacheEntry | null | undefined;
  /** Stores or replaces. With the token of a lease (`fence`): false, and nothing is stored, where a later one was taken on the key. */
  set(key: string, entry: CacheEntry, fence?: number): Promise<boolean>;
  /** True when there was an entry. */
  delete(key: string): Promise<boolean>;
  /** Deletes what the selector names, without one all there is; tells how many entries it were. */
  clear(which?: CacheSelector): Promise<number>;
  /** What is there, in no order; entries that come and go meanwhile may be missed, expired ones may be among them. */
  list(which?: CacheSelector): AsyncIterable<CacheListing>;
  stats(): Promise<CacheStoreStats>;
  /** Leases for all who share the store, if it can give them: so that a reply is fetched once among them. */
  readonly leases?: LeaseStore | undefined;
  /**
   * Tells `listener` every key that somebody else has set or deleted, and undefined where it could be any. Without it
   * copies of entries are served for a limited time only.
   */
  watch?(listener: (key: string | undefined) => void): CacheWatch;
  /** A copy of the entry was used elsewhere: it is not the least recently used one. */
  touch?(key: string): void;
  /** Releases what this store opened, after what was set is safe. */
  close(): Promise<void>;
}

/** The part of a store that one exchange needs. */
export type CacheShelf = Pick<CacheStore, 'delete' | 'get' | 'near' | 'set'>;
