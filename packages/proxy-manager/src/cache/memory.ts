import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import type { CacheEntry, CacheStore } from './cache-store.js';
import { isAlive } from './lifetime.js';
import { selects } from './selector.js';
import { Tally } from './tally.js';

export interface MemoryCacheOptions {
  /** Bound of all entries together in bytes; the least recently used go first, a larger entry is not kept. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

export interface MemoryCacheStore extends CacheStore {
  near(key: string): CacheEntry | null;
  /** When the entry was set, by the clock in epoch ms; undefined where there is none. */
  setAtMs(key: string): number | undefined;
}

/** About what an entry takes beside its text and bytes: objects, key, and its place in the list. */
const ENTRY_OVERHEAD_BYTES = 1024;

interface Kept {
  readonly entry: CacheEntry;
  readonly bytes: number;
  readonly setAtMs: number;
}

/** Keeps replies in this process, at most `maxBytes` of them. */
export function memoryCacheStore({ maxBytes, clock }: MemoryCacheOptions): MemoryCacheStore {
  const tally = new Tally();
  const entries = new LRUCache<string, Kept>({
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => bytes,
    dispose: (_kept, _key, reason) => {
      if (reason === 'evict') tally.evicted++;
    },
  });

  /** A copy of the entry; counted, whether it was there. */
  function near(key: string): CacheEntry | null {
    const entry = entries.get(key)?.entry;
    if (entry !== undefined && isAlive(entry, clock.now())) return copyOf(tally.hit(entry));
    if (entry !== undefined) entries.delete(key);
    tally.miss();
    return null;
  }

  return {
    setAtMs: (key) => entries.peek(key)?.setAtMs,
    near,
    get: async (key) => near(key) ?? undefined,
    async set(key, given) {
      const entry = given.coded === undefined ? given : { ...given, coded: undefined };
      entries.set(key, { entry, bytes: sizeOf(entry), setAtMs: clock.now() });
      return true;
    },
    async delete(key) {
      return entries.delete(key);
    },
    async clear(which) {
      let count = 0;
      for (const [key, { entry }] of Array.from(entries.entries())) {
        if (selects(which, entry) && entries.delete(key)) count++;
      }
      return count;
    },
    async *list(which) {
      for (const [key, { entry, bytes }] of Array.from(entries.entries())) {
        const { method, url, tags, expiresAtMs } = entry;
        if (selects(which, entry)) yield { key, method, url, tags, bytes, expiresAtMs };
      }
    },
    stats: async () => tally.with({ entries: entries.size, bytes: entries.calculatedSize }),
    async close() {
      entries.clear();
    },
  };
}

/** The same entry with bytes of its own, which may be altered. */
export function copyOf(entry: CacheEntry): CacheEntry {
  return { ...entry, body: new Uint8Array(entry.body) };
}

function sizeOf({ url, finalUrl = '', statusText, headers, body, variant, tags }: CacheEntry): number {
  let bytes = ENTRY_OVERHEAD_BYTES + body.byteLength + url.length + finalUrl.length + statusText.length;
  for (const [name, value] of headers) bytes += name.length + value.length;
  for (const tag of tags) bytes += tag.length;
  if (variant === undefined) return bytes;
  for (const name of variant.names) bytes += name.length;
  return bytes + variant.digest.length;
}
