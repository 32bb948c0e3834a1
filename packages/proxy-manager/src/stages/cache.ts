import type { Ask } from '../cache/ask.js';
import { askOf } from '../cache/ask.js';
import { askOrigin } from '../cache/ask-origin.js';
import type { Assessment } from '../cache/assess.js';
import { assess } from '../cache/assess.js';
import { background } from '../cache/background.js';
import type { ForwardReason } from '../cache/cache-status.js';
import { forwardStatus, hitStatus } from '../cache/cache-status.js';
import type { CacheEntry, CacheStore } from '../cache/cache-store.js';
import { invalidate } from '../cache/invalidate.js';
import type { Found } from '../cache/lookup.js';
import { lookUp } from '../cache/lookup.js';
import { gatewayTimeout, serve } from '../cache/serve.js';
import type { Clock } from '../clock.js';
import { NotCachedError } from '../errors.js';
import type { ExchangeLog } from '../log/exchange-log.js';
import type { Outcome } from '../log/exchange-record.js';
import { toRecord } from '../log/exchange-record.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import type { Next, Stage } from '../pipeline/stage.js';
import type { Ending } from './outage.js';
import { isOutage } from './outage.js';

export interface CacheStageOptions {
  readonly store: CacheStore;
  readonly log: ExchangeLog;
  readonly clock: Clock;
}

/**
 * Answers from the store where it can, and stores what may be stored: a hit spends no quota, no wait and no network,
 * and is logged here, since it reaches no later stage. A store that fails is a miss; a write is not waited for.
 * `close` ends the refreshes that nobody waits for.
 */
export function cacheStage({ store, log, clock }: CacheStageOptions): {
  readonly stage: Stage;
  close(): Promise<void>;
} {
  const refreshes = background({ clock });

  async function cache(exchange: Exchange, next: Next): Promise<Reply> {
    const ask = askOf(exchange);
    if (ask === undefined) return goPast(exchange, next);
    exchange.trace.cacheKey = ask.key;
    const found = ask.reads ? await lookUp(store, ask, exchange) : { key: ask.key, first: undefined, entry: undefined };
    const { entry } = found;
    const worth = entry && assess(entry, ask, clock.now());
    if (worth !== undefined && worth.verdict !== 'confirm') {
      const reply = await stored(exchange, entry, worth);
      if (reply !== undefined) {
        if (worth.verdict === 'behind') refreshes.refresh(ask.key, exchange, (again) => cache(again, next));
        return reply;
      }
    }
    if (ask.onlyStored) return refuse(exchange, ask);
    const fallback = async (ending: Ending): Promise<Reply | undefined> =>
      worth?.onError === true && isOutage(ending, exchange) ? stored(exchange, entry, worth) : undefined;
    return askOrigin({ store, clock }, { exchange, ask, found, reason: reasonOf(ask, found, worth), fallback }, next);
  }

  /** Leaves the cache aside, but for what an unsafe method makes out of date. */
  async function goPast(exchange: Exchange, next: Next): Promise<Reply> {
    exchange.trace.cache = 'bypass';
    const reply = await next(exchange);
    if (exchange.policy.cache === undefined) return reply;
    await invalidate(store, exchange, reply);
    return { ...reply, headers: [...reply.headers, ['cache-status', forwardStatus('bypass', reply.status, false)]] };
  }

  /** The stored reply as the answer, logged; undefined where it cannot answer this request. */
  async function stored(
    exchange: Exchange,
    entry: CacheEntry | undefined,
    worth: Assessment,
  ): Promise<Reply | undefined> {
    const { request, trace } = exchange;
    const nowMs = clock.now();
    const { leftMs, ageMs } = worth;
    const reply = entry && serve(entry, request, { ageMs, nowMs, cacheStatus: hitStatus(leftMs) });
    if (reply === undefined) return undefined;
    trace.cache = leftMs > 0 ? 'hit' : 'stale';
    trace.cacheAgeMs = ageMs;
    await note(exchange, { reply });
    return reply;
  }

  /** Nothing that is stored suits, and nothing may be sent: an error for fetch's mode, a 504 for the directive. */
  async function refuse(exchange: Exchange, { policy }: Ask): Promise<Reply> {
    const { request, trace } = exchange;
    trace.cache = 'miss';
    if (policy.use === 'only-if-cached') {
      const error = new NotCachedError(request.method, request.url);
      await note(exchange, { error });
      throw error;
    }
    const reply = gatewayTimeout(request);
    await note(exchange, { reply });
    return reply;
  }

  function note(exchange: Exchange, outcome: Outcome): Promise<void> {
    return log.gather(toRecord(exchange, outcome, clock.now(), performance.now() - exchange.trace.startedMs));
  }

  return { stage: cache, close: () => refreshes.close() };
}

/** Why the store could not answer. */
function reasonOf({ reads }: Ask, found: Found, worth: Assessment | undefined): ForwardReason {
  if (!reads) return 'request';
  if (worth !== undefined) return worth.leftMs > 0 ? 'request' : 'stale';
  return found.first === undefined ? 'uri-miss' : 'vary-miss';
}
