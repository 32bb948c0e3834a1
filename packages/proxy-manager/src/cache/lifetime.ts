import type { CacheEntry } from './cache-store.js';

/** How far the clocks of two machines may be apart before one cannot tell the age of what the other stored, in ms. */
const MOST_AHEAD_MS = 60_000;

/** True until the entry expires. One that was stored in the future is dead too: nobody can say how old it is. */
export function isAlive(
  { storedAtMs, expiresAtMs }: Pick<CacheEntry, 'expiresAtMs' | 'storedAtMs'>,
  nowMs: number,
): boolean {
  return nowMs < expiresAtMs && storedAtMs - nowMs <= MOST_AHEAD_MS;
}
