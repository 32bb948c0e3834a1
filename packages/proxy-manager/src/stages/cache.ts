import type { CacheEntry, CacheStore } from '../cache/cache-store.js';
import { cacheKey, cacheUrl } from '../cache/key.js';
import type { Clock } from '../clock.js';
import type { ExchangeLog } from '../log/exchange-log.js';
import { toRecord } from '../log/exchange-record.js';
import type { Exchange, OutboundRequest, Reply } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import { header, withHeader, withoutHeaders } from '../pipeline/headers.js';
import type { Stage } from '../pipeline/stage.js';

export interface CacheStageOptions {
  readonly store: CacheStore;
  readonly log: ExchangeLog;
  readonly clock: Clock;
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * The successes that RFC 9110 §15.1 calls cacheable by default, without 206, which is only a part. 201, 202 and the
 * like tell of a moment: whoever polls a job must not read "accepted" for a day.
 */
const STATUSES: ReadonlySet<number> = new Set([200, 203, 204]);

/** What belongs to one connection or one caller (RFC 9111 §3.1), and so not into a stored copy. */
const NOT_STORED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The end of the year 9999: the last moment that every store can write down. */
const LATEST_MS = 253_402_300_799_999;

/**
 * Answers from the store where it can, and stores what may be stored: a hit spends no quota, no wait and no network,
 * and is logged here, since it reaches no later stage. What is stored serves for `policy.cache.ttlMs`, whatever the
 * origin's own headers say.
 *
 * Left alone ("bypass"): methods other than GET and HEAD, bodies that are streams on either side, `Range`, a request
 * with `Cache-Control: no-store`, and `socketPath`, which makes the url say nothing about the server. A store that fails
 * is a miss; a write is not waited for.
 */
export function cacheStage({ store, log, clock }: CacheStageOptions): Stage {
  return async function cache(exchange, next) {
    const { policy, request, signal, trace } = exchange;
    const key = policy.cache !== undefined && isCacheable(request) ? cacheKey(request) : undefined;
    if (policy.cache === undefined || key === undefined) {
      trace.cache = 'bypass';
      return next(exchange);
    }
    trace.cacheKey = key;
    const found = await lookUp(store, key, signal);
    const nowMs = clock.now();
    const leftMs = found === undefined ? 0 : freshMs(found, policy.cache.ttlMs, nowMs);
    if (found !== undefined && leftMs > 0 && suits(found, request)) {
      trace.cache = 'hit';
      trace.cacheAgeMs = Math.max(0, nowMs - found.storedAtMs);
      const reply = toReply(found, trace.cacheAgeMs, leftMs);
      log.write(toRecord(exchange, { reply }, nowMs));
      return reply;
    }
    trace.cache = 'miss';
    const reply = await next(exchange);
    const entry = toEntry(exchange, reply, { storedAtMs: clock.now(), ttlMs: policy.cache.ttlMs });
    if (entry !== undefined) void keep(store, key, entry);
    return reply;
  };
}

function isCacheable({ method, headers, wire }: OutboundRequest): boolean {
  return (
    METHODS.has(method) &&
    wire.body === 'buffer' &&
    wire.axios?.socketPath === undefined &&
    header(headers, 'range') === undefined &&
    !/\bno-store\b/i.test(header(headers, 'cache-control') ?? '')
  );
}

/** The entry, or undefined also where the store fails; rejects only with the reason of the signal. */
async function lookUp(store: CacheStore, key: string, signal: AbortSignal): Promise<CacheEntry | undefined> {
  signal.throwIfAborted();
  try {
    return await unlessAborted(store.get(key, signal), signal);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    work.then(resolve, reject).finally(done);
  });
}

/** How long the entry still serves a caller whose own ttl may be shorter than the one it was stored with, in ms. */
function freshMs(entry: CacheEntry, ttlMs: number, nowMs: number): number {
  return Math.min(entry.expiresAtMs, entry.storedAtMs + ttlMs) - nowMs;
}

/** False where the same url would have ended otherwise on the wire under this caller's limits. */
function suits({ body, finalUrl }: CacheEntry, { wire }: OutboundRequest): boolean {
  return body.byteLength <= wire.maxResponseBytes && (finalUrl === undefined || wire.maxRedirects > 0);
}

function toReply(entry: CacheEntry, ageMs: number, leftMs: number): Reply {
  const { status, statusText, headers, body, httpVersion } = entry;
  return {
    status,
    statusText,
    headers: hitHeaders(headers, ageMs, leftMs),
    body,
    url: new URL(entry.finalUrl ?? entry.url),
    httpVersion,
    verdict: { kind: 'good' },
    echoesSecret: false,
  };
}

/** `age` goes on from what an upstream cache had said; `cache-status` (RFC 9211) is a list to which each cache adds. */
function hitHeaders(headers: HeaderList, ageMs: number, leftMs: number): HeaderList {
  const upstream = Number(header(headers, 'age') ?? 0);
  const age = Math.floor(ageMs / 1000) + (upstream > 0 ? Math.floor(upstream) : 0);
  const status = `proxy-manager; hit; ttl=${Math.floor(leftMs / 1000)}`;
  return [...withHeader(headers, 'age', String(age)), ['cache-status', status]];
}

/** What is stored of `reply`, or undefined where it must not be. */
function toEntry(
  { request, trace }: Exchange,
  reply: Reply,
  { storedAtMs, ttlMs }: { storedAtMs: number; ttlMs: number },
): CacheEntry | undefined {
  const { body, echoesSecret, headers, httpVersion, status, statusText, verdict } = reply;
  if (verdict.kind !== 'good' || echoesSecret || !STATUSES.has(status) || !(body instanceof Uint8Array))
    return undefined;
  // Bytes left encoded on this caller's wish would reach others that expect them decoded.
  if (!request.wire.decompress && header(headers, 'content-encoding') !== undefined) return undefined;
  return {
    method: request.method,
    url: cacheUrl(request.url),
    finalUrl: (trace.last?.redirects ?? 0) > 0 ? cacheUrl(reply.url) : undefined,
    httpVersion,
    status,
    statusText,
    headers: withoutHeaders(headers, NOT_STORED),
    // A copy: the caller gets the reply's own bytes and may alter them.
    body: new Uint8Array(body),
    storedAtMs,
    expiresAtMs: Math.min(storedAtMs + ttlMs, LATEST_MS),
  };
}

async function keep(store: CacheStore, key: string, entry: CacheEntry): Promise<void> {
  try {
    await store.set(key, entry);
  } catch {
    // Not stored: the next one is a miss.
  }
}
