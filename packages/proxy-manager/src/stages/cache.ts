import type { Ask } from '../cache/ask.js';
import { askOf } from '../cache/ask.js';
import { askOrigin } from '../cache/ask-origin.js';
import type { Assessment } from '../cache/assess.js';
import { assess } from '../cache/assess.js';
import { background } from '../cache/background.js';
import type { ForwardReason } from '../cache/cache-status.js';
import { forwardStatus, hitStatus } from '../cache/cache-status.js';
import type { CacheEntry, CacheShelf, CacheStore } from '../cache/cache-store.js';
import { invalidate } from '../cache/invalidate.js';
import type { LandedEntry } from '../cache/landing.js';
import { landing, withLanded } from '../cache/landing.js';
import type { Found } from '../cache/lookup.js';
import { lookUp } from '../cache/lookup.js';
import { gatewayTimeout, serve } from '../cache/serve.js';
import type { Flight, SingleFlight } from '../cache/single-flight.js';
import { singleFlight } from '../cache/single-flight.js';
import type { Clock } from '../clock.js';
import { NotCachedError } from '../errors.js';
import type { ExchangeLog } from '../log/exchange-log.js';
import type { Outcome } from '../log/exchange-line.js';
import { toLine } from '../log/exchange-line.js';
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
 * and is logged here, since it reaches no later stage. A store that fails is a miss; a write is not waited for. Of
 * several who miss the same at once one goes to the origin, here and among all who share the store's leases.
 * `close` ends the refreshes that nobody waits for, and waits until leases are free.
 */
export function cacheStage({ store, log, clock }: CacheStageOptions): {
  readonly stage: Stage;
  close(): Promise<void>;
} {
  const refreshes = background({ clock });
  const flights = singleFlight<LandedEntry>({ leases: store.leases });
  /** Of this process alone. */
  const own = singleFlight<LandedEntry>();

  function cache(exchange: Exchange, next: Next): Promise<Reply> {
    if (exchange.policy.cache !== undefined) return cached(exchange, next);
    exchange.trace.cache = 'bypass';
    return next(exchange);
  }

  async function cached(exchange: Exchange, next: Next): Promise<Reply> {
    const ask = askOf(exchange);
    if (ask === undefined) return goPast(exchange, next);
    exchange.trace.cacheKey = ask.key;
    const { landings } = flights;
    const looking = fromStore(store, exchange, ask, next);
    const near = looking instanceof Promise ? await looking : looking;
    if ('reply' in near) return near.reply;
    if (ask.onlyStored) return refuse(exchange, ask);
    // Who wants the origin's own word is not served by what others were told.
    if (!ask.reads || ask.mustConfirm) return await toOrigin(store, exchange, ask, near, next);
    exchange.signal.throwIfAborted();
    const flight = flights.leadAtOnce(near.found.wanted, landings);
    if (flight !== undefined) return await lead(flight, exchange, ask, near, next);
    return await fly(flights, landings, exchange, ask, near, next);
  }

  /** Fetches for all who ask the same, or waits for whoever does. */
  async function fly(
    by: SingleFlight<LandedEntry>,
    landings: number,
    exchange: Exchange,
    ask: Ask,
    near: Miss,
    next: Next,
  ): Promise<Reply> {
    const boarding = await by.board(near.found.wanted, landings, exchange.signal);
    if (boarding.role === 'alone') return toOrigin(store, exchange, ask, near, next);
    if (boarding.role === 'leader') return await lead(boarding, exchange, ask, near, next);
    const landed = await fromStore(withLanded(store, boarding.reply), exchange, ask, next);
    if ('reply' in landed) return landed.reply;
    // Stored elsewhere, as it was told, and not to be found: too long for the store, or it fails.
    const isLost = boarding.reply === undefined && by !== own;
    return isLost ? fly(own, own.landings, exchange, ask, landed, next) : toOrigin(store, exchange, ask, landed, next);
  }

  /** What the store answers, or else what is known from it; at once where it need not be waited for. */
  function fromStore(
    from: CacheShelf,
    exchange: Exchange,
    ask: Ask,
    next: Next,
  ): Answer | Miss | Promise<Answer | Miss> {
    if (!ask.reads) return { found: nothingAt(ask.key), worth: undefined };
    const looking = lookUp(from, ask, exchange);
    if (!(looking instanceof Promise)) return judged(looking, exchange, ask, next);
    return looking.then((found) => judged(found, exchange, ask, next));
  }

  function judged(found: Found, exchange: Exchange, ask: Ask, next: Next): Miss | Promise<Answer | Miss> {
    const worth = found.entry && assess(found.entry, ask, clock.now());
    if (worth === undefined || worth.verdict === 'confirm') return { found, worth };
    return answered(found, worth, exchange, ask, next);
  }

  async function answered(
    found: Found,
    worth: Assessment,
    exchange: Exchange,
    ask: Ask,
    next: Next,
  ): Promise<Answer | Miss> {
    const reply = await stored(exchange, found.entry, worth);
    if (reply === undefined) return { found, worth };
    if (worth.verdict === 'behind') refreshes.refresh(ask.key, exchange, (again) => cache(again, next));
    return { reply, found };
  }

  /** Fetches for all who ask the same, unless somebody else has just done so. */
  async function lead(
    flight: Flight<LandedEntry>,
    exchange: Exchange,
    ask: Ask,
    before: Miss,
    next: Next,
  ): Promise<Reply> {
    try {
      const near = flight.lookAgain ? await fromStore(store, exchange, ask, next) : before;
      if (!('reply' in near)) return await toOrigin(landing(store, flight), exchange, ask, near, next);
      const { wanted: key, entry } = near.found;
      if (entry !== undefined) flight.landStored({ key, entry });
      return near.reply;
    } catch (error) {
      if (exchange.signal.aborted) flight.leave();
      throw error;
    } finally {
      // Nothing that could be shared, if it has not landed by now: also a stream, which only its reader can bring to its end.
      flight.landFruitless();
    }
  }

  function toOrigin(to: CacheShelf, exchange: Exchange, ask: Ask, { found, worth }: Miss, next: Next): Promise<Reply> {
    const fallback =
      worth?.onError === true
        ? async (ending: Ending): Promise<Reply | undefined> =>
            isOutage(ending, exchange) ? stored(exchange, found.entry, worth) : undefined
        : undefined;
    return askOrigin(
      { store: to, clock },
      { exchange, ask, found, reason: reasonOf(ask, found, worth), fallback },
      next,
    );
  }

  /** Leaves the cache aside, but for what an unsafe method makes out of date. */
  async function goPast(exchange: Exchange, next: Next): Promise<Reply> {
    exchange.trace.cache = 'bypass';
    const reply = await next(exchange);
    const deleting = invalidate(store, exchange, reply);
    if (deleting !== undefined) await deleting;
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
    return log.gather(toLine(exchange, outcome, clock.now(), performance.now() - exchange.trace.startedMs), 'tick');
  }

  return {
    stage: cache,
    async close() {
      await refreshes.close();
      await flights.close();
    },
  };
}

function nothingAt(key: string): Found {
  return { key, wanted: key, first: undefined, entry: undefined };
}

interface Answer {
  readonly reply: Reply;
  readonly found: Found;
}

/** The store could not answer by itself. */
interface Miss {
  readonly found: Found;
  /** Of the entry that was found, if there was one. */
  readonly worth: Assessment | undefined;
}

/** Why the store could not answer. */
function reasonOf({ reads }: Ask, found: Found, worth: Assessment | undefined): ForwardReason {
  if (!reads) return 'request';
  if (worth !== undefined) return worth.leftMs > 0 ? 'request' : 'stale';
  return found.first === undefined ? 'uri-miss' : 'vary-miss';
}
