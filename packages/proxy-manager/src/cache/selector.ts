import type { CacheListing, CacheSelector } from './cache-store.js';

/** True where the entry is one of those that the selector names; without one it always is. */
export function selects(which: CacheSelector | undefined, { url, tags }: Pick<CacheListing, 'tags' | 'url'>): boolean {
  if (which === undefined) return true;
  if ('url' in which) return url === which.url;
  return 'prefix' in which ? url.startsWith(which.prefix) : tags.includes(which.tag);
}
