import { LRUCache } from 'lru-cache';

/**
 * The `max` entries last used. By size and not by `max`, for which LRUCache lays out all places at once: several hundred
 * kB for 10,000 names of hosts of which most programs see one.
 */
export function lastUsed<V extends {}>(max: number, ttlMs = 0): LRUCache<string, V> {
  return new LRUCache({ maxSize: max, sizeCalculation: () => 1, ttl: ttlMs });
}
