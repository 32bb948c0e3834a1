import type { HeaderList } from '../pipeline/headers.js';

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

/**
 * Where replies are kept. Every verb promises. `get` gives undefined for what is absent, expired, damaged or of
 * another format version. Held by `cacheStoreContract`.
 *
 * Bodies change hands: an entry given to `set` is the store's from then on, one that `get` gave is the caller's, and
 * altering its bytes alters no later `get`.
 */
export interface CacheStore {
  /** `key` is 64 hex digits. */
  get(key: string, signal?: AbortSignal): Promise<CacheEntry | undefined>;
  /** Stores or replaces. */
  set(key: string, entry: CacheEntry): Promise<void>;
  /** True when there was an entry. */
  delete(key: string): Promise<boolean>;
  /** Releases what this store opened, after what was set is safe. */
  close(): Promise<void>;
}
