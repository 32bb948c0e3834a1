import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import type { CacheEntry, CacheStore } from './cache-store.js';

export interface MemoryCacheOptions {
  /** Bound of all entries together in bytes; the least recently used go first, a larger entry is not kept. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** About what an entry takes beside its text and bytes: objects, key, and its place in the list. */
const ENTRY_OVERHEAD_BYTES = 1024;

/** Keeps replies in this process, at most `maxBytes` of them. */
export function memoryCacheStore({ maxBytes, clock }: MemoryCacheOptions): CacheStore {
  const entries = new LRUCache<string, CacheEntry>({ maxSize: maxBytes, sizeCalculation: sizeOf });
  return {
    async get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (clock.now() >= entry.expiresAtMs) {
        entries.delete(key);
        return undefined;
      }
      return { ...entry, body: new Uint8Array(entry.body) };
    },
    async set(key, entry) {
      entries.set(key, entry);
    },
    async delete(key) {
      return entries.delete(key);
    },
    async close() {
      entries.clear();
    },
  };
}

function sizeOf({ url, finalUrl, statusText, headers, body, variant, tags }: CacheEntry): number {
  const texts = [url, finalUrl ?? '', statusText, ...tags, ...(variant?.names ?? []), variant?.digest ?? ''];
  const text = [...texts, ...headers.flat()].reduce((length, each) => length + each.length, 0);
  return ENTRY_OVERHEAD_BYTES + text + body.byteLength;
}
