import { createHash } from 'node:crypto';
import type { CacheEntry } from '../../src/cache/cache-store.js';

export const NOW_MS: number = Date.UTC(2026, 0, 1);

export const clock = { now: (): number => NOW_MS };

export function entry(different: Partial<CacheEntry> = {}): CacheEntry {
  return {
    method: 'GET',
    url: 'https://api.example.com/items',
    finalUrl: undefined,
    httpVersion: '1.1',
    status: 200,
    statusText: 'OK',
    headers: [['content-type', 'text/plain']],
    body: Buffer.from('hello'),
    storedAtMs: NOW_MS,
    initialAgeMs: 0,
    staleAtMs: NOW_MS + 60_000,
    expiresAtMs: NOW_MS + 60_000,
    variant: undefined,
    tags: [],
    ...different,
  };
}

export function keyFor(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
