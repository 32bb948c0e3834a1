import { PassThrough, pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import type { Reply } from '../pipeline/exchange.js';
import type { NotStored } from './cache-status.js';
import type { CacheEntry, CacheShelf } from './cache-store.js';
import type { Found } from './lookup.js';
import type { EntryHead, Storable } from './stored-reply.js';
import { toEntryHead } from './stored-reply.js';
import { variantNames, variantOf } from './vary.js';

/** Where a reply goes. */
export interface Place {
  readonly store: CacheShelf;
  /** What lies there already. */
  readonly found: Found;
}

/** A reply on its way to the caller. */
export interface Kept {
  readonly reply: Reply;
  /** The reply's very bytes are kept. */
  readonly isShared?: boolean;
  /** False also for a streamed one, of which that is known only at its end; else why not, where that is known. */
  readonly stored: NotStored | boolean;
}

/**
 * Stores the reply where it may be, without being waited for: a body that is there at once, a streamed one when it has
 * passed whole, unless it is longer than `maxEntryBytes` or breaks off. The reply it gives is the one to pass on.
 */
export function keep(storable: Storable, place: Place): Kept {
  const { reply, policy } = storable;
  const { body, findsSecretIn } = reply;
  const head = toEntryHead(storable);
  if (head === undefined) return { reply, stored: whyNot(reply) };
  if (body instanceof Uint8Array) {
    if (body.byteLength > policy.maxEntryBytes) return { reply, stored: 'too-long' };
    const isShared = policy.shouldStore === undefined && isMostOfItsBuffer(body);
    // A copy where somebody else may alter the bytes, or would have the rest of a large buffer kept with them.
    const entry = unplaced(head, isShared ? body : new Uint8Array(body), reply.coded);
    if (!asked(policy.shouldStore, entry, storable)) return { reply, stored: 'shouldStore' };
    put(entry, storable, place);
    return { reply, isShared, stored: true };
  }
  const passing = collected(body, policy.maxEntryBytes, (whole) => {
    const entry = unplaced(head, whole);
    if (findsSecretIn?.(whole) !== true && asked(policy.shouldStore, entry, storable)) put(entry, storable, place);
  });
  return { reply: { ...reply, body: passing }, stored: false };
}

function isMostOfItsBuffer({ buffer, byteLength }: Uint8Array): boolean {
  return byteLength * 2 >= buffer.byteLength;
}

/** An entry as if no others lay beside it. Field by field: a spread of so many takes several times as long and as much. */
function unplaced(head: EntryHead, body: Uint8Array, coded?: CacheEntry['coded']): CacheEntry {
  return {
    method: head.method,
    url: head.url,
    finalUrl: head.finalUrl,
    httpVersion: head.httpVersion,
    status: head.status,
    statusText: head.statusText,
    headers: head.headers,
    body,
    coded,
    storedAtMs: head.storedAtMs,
    initialAgeMs: head.initialAgeMs,
    staleAtMs: head.staleAtMs,
    expiresAtMs: head.expiresAtMs,
    variant: undefined,
    tags: head.tags,
  };
}

function whyNot({ echoesSecret, verdict }: Reply): NotStored | false {
  if (verdict.kind !== 'good') return 'not-good';
  return echoesSecret && 'echoes-a-secret';
}

/** Stores the entry under the request's key, or beside what lies there where that is another answer to the same request. */
export function put(entry: CacheEntry, { exchange, policy }: Storable, { store, found }: Place): void {
  const { key, first } = found;
  const names = variantNames(entry.headers, policy);
  const variant = names.length === 0 ? undefined : variantOf(key, names, exchange, first?.variant?.family);
  const isBeside =
    variant !== undefined &&
    first?.variant !== undefined &&
    first.variant.digest !== variant.digest &&
    first.variant.names.join() === names.join();
  const placed = variant === entry.variant ? entry : { ...entry, variant };
  quietly(() => store.set(isBeside ? variant.digest : key, placed));
}

/** Deletes what is stored for the request. */
export function remove({ store, found }: Place): void {
  quietly(() => store.delete(found.entry?.variant?.digest ?? found.key));
  quietly(() => store.delete(found.key));
}

/** A store that fails leaves a miss for the next one, or what is stale a little longer. */
function quietly(work: () => Promise<unknown>): void {
  try {
    // No function that waits: it would hold on to the whole exchange meanwhile.
    work().catch(ignore);
  } catch {
    // As above.
  }
}

function ignore(): void {}

/** True where the policy's own function lets the entry in. */
function asked(
  shouldStore: Storable['policy']['shouldStore'],
  { method, url, body, headers, status, finalUrl }: CacheEntry,
  { exchange, reply }: Storable,
): boolean {
  if (shouldStore === undefined) return true;
  const { endpoint, request, policy } = exchange;
  const text = (): string => Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  try {
    return (
      shouldStore(
        { endpoint: endpoint.name, method, url, headers: new Headers(plain(request.headers)), labels: policy.labels },
        { status, headers: new Headers(plain(headers)), url: finalUrl ?? reply.url.href, body, text },
      ) === true
    );
  } catch (error) {
    const detail = error instanceof Error ? error.stack : undefined;
    const words = `cache.shouldStore failed, so that the reply is not stored: ${String(error)}`;
    process.emitWarning(words, detail === undefined ? {} : { detail });
    return false;
  }
}

function plain(headers: Reply['headers']): [string, string][] {
  return headers.map(([name, value]) => [name, value]);
}

/** The same bytes, with `onWhole` called at their end with all of them, if they are no more than `maxBytes`. */
function collected(body: Readable, maxBytes: number, onWhole: (whole: Uint8Array) => void): Readable {
  let chunks: Buffer[] | undefined = [];
  let length = 0;
  const passing = new PassThrough({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length;
      if (length > maxBytes) chunks = undefined;
      // A copy: the reader gets these bytes and may alter them.
      else chunks?.push(Buffer.from(chunk));
      done(null, chunk);
    },
    flush(done) {
      if (chunks !== undefined) onWhole(Buffer.concat(chunks, length));
      done();
    },
  });
  // It can break before whoever asked has it in hand; then reading it tells, and not the end of the process.
  return pipeline(body, passing, () => {}).on('error', () => {});
}
