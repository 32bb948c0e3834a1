import type { Reply } from '../pipeline/exchange.js';
import { header } from '../pipeline/headers.js';
import type { CacheEntry } from './cache-store.js';
import { freshenedHeaders } from './freshen.js';
import type { Storable } from './stored-reply.js';
import { timesOf } from './stored-reply.js';
import { entityTag } from './validators.js';

/**
 * The stored reply with what the origin said anew of it, in a 304 or in the reply to a HEAD (RFC 9111 §4.3.4, §4.3.5);
 * `isStorable` is false where that forbids to store it any longer.
 */
export function confirmedEntry(
  entry: CacheEntry,
  { policy, reply, requestedAtMs, receivedAtMs }: Storable,
): { readonly entry: CacheEntry; readonly isStorable: boolean } {
  const { method, url, status } = entry;
  const headers = freshenedHeaders(entry.headers, reply.headers);
  const times = timesOf({ method, url, policy, status, headers, requestedAtMs, receivedAtMs });
  const passing = { storedAtMs: receivedAtMs, initialAgeMs: 0, staleAtMs: receivedAtMs, expiresAtMs: receivedAtMs };
  return { entry: { ...entry, headers, ...(times ?? passing) }, isStorable: times !== undefined };
}

/** True where the reply to a HEAD describes the very bytes that are stored, as far as both say (RFC 9111 §4.3.5). */
export function describes({ headers, status }: Reply, entry: CacheEntry): boolean {
  const same = (of: (list: Reply['headers']) => string | undefined): boolean => {
    const [told, known] = [of(headers), of(entry.headers)];
    return told === undefined || known === undefined || told === known;
  };
  return (
    status === entry.status &&
    same(entityTag) &&
    same((list) => header(list, 'last-modified')) &&
    same((list) => header(list, 'content-length'))
  );
}
