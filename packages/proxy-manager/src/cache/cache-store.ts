import type { HeaderList } from '../pipeline/headers.js';

/** One stored reply, free of credentials: how it was asked for, and what came back. */
export interface CacheEntry {
  readonly method: string;
  /** The url as the caller wrote it, with `{key}` where a key went; without fragment and userinfo. */
  readonly url: string;
  /** The url that answered after redirects; undefined when there were none. */
  readonly finalUrl: string | undefined;
  readonly httpVersion: string;
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case, without `set-cookie`. */
  readonly headers: HeaderList;
  /** Decoded bytes. */
  readonly body: Uint8Array;
  /** Epoch ms. */
  readonly storedAtMs: number;
  /** Epoch ms; from then on the entry is a miss. */
  readonly expiresAtMs: number;
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
