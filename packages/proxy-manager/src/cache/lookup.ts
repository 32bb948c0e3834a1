import { unlessAborted } from '../pipeline/abort.js';
import type { Exchange } from '../pipeline/exchange.js';
import type { Ask } from './ask.js';
import type { CacheEntry, CacheShelf } from './cache-store.js';
import { cacheKey } from './key.js';
import { variantOf } from './vary.js';

/** What the store has for a request. */
export interface Found {
  /** The key that the request and its variants lie under. */
  readonly key: string;
  /** The key that its own answer lies under, as far as that is known. */
  readonly wanted: string;
  /** The entry there, whichever variant it is. */
  readonly first: CacheEntry | undefined;
  /** The one that answers the request, there or beside. */
  readonly entry: CacheEntry | undefined;
}

/** Finds what is stored for `exchange`; in http mode the reply to a GET also answers a HEAD (RFC 9111 §4). */
export function lookUp(store: CacheShelf, { key, policy, scope }: Ask, exchange: Exchange): Found | Promise<Found> {
  const { request } = exchange;
  const isAnsweredByGet = request.method === 'HEAD' && policy.mode === 'http';
  const ofGet = isAnsweredByGet ? cacheKey({ ...request, method: 'GET' }, scope) : undefined;
  if (ofGet !== undefined) return findEither(store, [ofGet, key], exchange);
  // What is known at once is told without a promise: it is most of what a hit waits for.
  const near = atHand(store, key);
  if (near === null) return { key, wanted: key, first: undefined, entry: undefined };
  if (near !== undefined && near.variant === undefined) return { key, wanted: key, first: near, entry: near };
  return find(store, key, exchange, near);
}

/** What is known at once; a store that fails will say so to `get`. */
function atHand(store: CacheShelf, key: string): CacheEntry | null | undefined {
  try {
    return store.near?.(key);
  } catch {
    return undefined;
  }
}

async function findEither(
  store: CacheShelf,
  [first, second]: readonly [string, string],
  exchange: Exchange,
): Promise<Found> {
  const found = await find(store, first, exchange);
  return found.entry === undefined ? find(store, second, exchange) : found;
}

/** `near`: what is known to lie there. */
async function find(store: CacheShelf, key: string, exchange: Exchange, near?: CacheEntry): Promise<Found> {
  const first = near ?? (await get(store, key, exchange.signal));
  if (first?.variant === undefined) return { key, wanted: key, first, entry: first };
  const { names, family, digest } = first.variant;
  const wanted = variantOf(key, names, exchange, family);
  if (wanted.digest === digest) return { key, wanted: digest, first, entry: first };
  const beside = await get(store, wanted.digest, exchange.signal);
  return { key, wanted: wanted.digest, first, entry: beside?.variant?.digest === wanted.digest ? beside : undefined };
}

/** The entry, or undefined also where the store fails; rejects only with the reason of the signal. */
async function get(store: CacheShelf, key: string, signal: AbortSignal): Promise<CacheEntry | undefined> {
  if (signal.aborted) throw signal.reason;
  try {
    return await unlessAborted(store.get(key, signal), signal);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
