import type { CacheEntry, CacheStore } from '../cache/cache-store.js';
import { cacheKey } from '../cache/key.js';
import { toEntry, toReply } from '../cache/stored-reply.js';
import type { Clock } from '../clock.js';
import { unlessAborted } from '../pipeline/abort.js';
import type { ExchangeLog } from '../log/exchange-log.js';
import { toRecord } from '../log/exchange-record.js';
import type { OutboundRequest } from '../pipeline/exchange.js';
import { header } from '../pipeline/headers.js';
import type { Stage } from '../pipeline/stage.js';

export interface CacheStageOptions {
  readonly store: CacheStore;
  readonly log: ExchangeLog;
  readonly clock: Clock;
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

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
      await log.gather(toRecord(exchange, { reply }, nowMs, performance.now() - trace.startedMs));
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

/** How long the entry still serves a caller whose own ttl may be shorter than the one it was stored with, in ms. */
function freshMs(entry: CacheEntry, ttlMs: number, nowMs: number): number {
  return Math.min(entry.expiresAtMs, entry.storedAtMs + ttlMs) - nowMs;
}

/** False where the same url would have ended otherwise on the wire under this caller's limits. */
function suits({ body, finalUrl }: CacheEntry, { wire }: OutboundRequest): boolean {
  return body.byteLength <= wire.maxResponseBytes && (finalUrl === undefined || wire.maxRedirects > 0);
}

async function keep(store: CacheStore, key: string, entry: CacheEntry): Promise<void> {
  try {
    await store.set(key, entry);
  } catch {
    // Not stored: the next one is a miss.
  }
}
