import type { HeaderList } from '../pipeline/headers.js';

/** What describes the stored bytes, of which the update has none (RFC 9111 §3.2). */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-range',
  'content-md5',
]);

/** The stored head with all that the `update`, a 304 or the reply to a HEAD, says anew (RFC 9111 §3.2). */
export function freshenedHeaders(stored: HeaderList, update: HeaderList): HeaderList {
  const anew = update.filter(([name]) => !OF_THE_BYTES.has(name));
  const names = new Set(anew.map(([name]) => name));
  // What said how old the former reply was says nothing of this one.
  return [...stored.filter(([name]) => !names.has(name) && name !== 'age'), ...anew];
}
