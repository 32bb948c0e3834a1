import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../clock.js';
import { ClosedError, ConfigError, PoolExhaustedError } from '../errors.js';
import type { Attempt, Exchange, Reply } from '../pipeline/exchange.js';
import { openAttempt } from '../pipeline/exchange.js';
import { header } from '../pipeline/headers.js';
import type { Next, Stage } from '../pipeline/stage.js';
import { TransportFault } from '../transport/fault.js';

/** RFC 9110 §9.2.2, and QUERY of its own RFC. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT', 'QUERY', 'TRACE']);

/** The longest `Retry-After` that a retry waits for when no other credential is ready; a later one is the caller's to decide. */
const MAX_RETRY_AFTER_MS = 30_000;

/** Faults that may be gone in a moment, or on another way. What the reply itself causes would only cost more uses. */
const PASSING: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ERR_NETWORK',
  'ERR_PROXY_TUNNEL',
  'ETIMEDOUT',
]);

/** Statuses by which a server says that it has not done what was asked, where it also says when to come back. */
const NOT_EXECUTED: ReadonlySet<number> = new Set([429, 503]);

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;

const NOBODY: ReadonlySet<string> = new Set();

type Ending = { readonly reply: Reply } | { readonly error: unknown };

/** What the attempts before this one have shown. */
interface Before {
  readonly number: number;
  readonly used: ReadonlySet<string>;
  readonly shun: ReadonlySet<string>;
  /** Of the network, in words. */
  readonly faults: readonly string[];
  readonly again: Attempt['retry'];
  readonly previous: { readonly attempt: Attempt; readonly ending: Ending } | undefined;
}

const NOTHING_BEFORE: Before = {
  number: 0,
  used: NOBODY,
  shun: NOBODY,
  faults: [],
  again: undefined,
  previous: undefined,
};

/**
 * Repeats an attempt that failed on the way, at the origin (5xx) or by its credential (429), with another key or
 * proxy where there is one. Each attempt starts from the pristine exchange. The deadline is the exchange's signal.
 */
export function retryStage({ clock }: { clock: Clock }): Stage {
  async function attempted(exchange: Exchange, next: Next, before: Before): Promise<Reply> {
    const { trace } = exchange;
    const { previous, used, shun } = before;
    const attempt = openAttempt(before.number + 1, clock.now(), before.again);
    trace.attempts = attempt.number;
    trace.last = attempt;
    let ending: Ending;
    try {
      ending = { reply: await next({ ...patient(exchange, previous?.attempt), attempt, avoid: used, shun }) };
    } catch (error) {
      ending = { error };
    }
    trace.waitedMs += attempt.poolMs + attempt.paceMs;
    if (previous !== undefined) {
      if ('error' in ending && isRefusal(ending.error)) {
        // No credential is left for another try: what the caller wants to know is why the last one failed.
        trace.attempts = previous.attempt.number;
        trace.last = previous.attempt;
        return conclude(withHistory(previous.ending, before.faults.slice(0, -1)));
      }
      discard(previous.ending);
    }
    const reason = repeatReason(exchange, attempt, ending);
    if (reason === undefined) return conclude(withHistory(ending, before.faults, trace.notRepeated));
    const delayMs = attempt.verdict?.kind === 'down' ? backoffMs(attempt.number) : 0;
    if (delayMs > 0) await pause(delayMs, exchange.signal);
    trace.waitedMs += delayMs;
    return attempted(exchange, next, after(before, attempt, ending, { reason, delayMs }));
  }

  return function retry(exchange, next) {
    return attempted(exchange, next, NOTHING_BEFORE);
  };
}

function after(before: Before, attempt: Attempt, ending: Ending, again: Attempt['retry']): Before {
  const fault = 'error' in ending && ending.error instanceof TransportFault ? [ending.error.message] : [];
  return {
    number: attempt.number,
    used: new Set([...before.used, ...attempt.taken.map(({ id }) => id)]),
    shun: new Set([...before.shun, ...unwanted(attempt)]),
    faults: [...before.faults, ...fault],
    again,
    previous: { attempt, ending },
  };
}

/** Whom another attempt would meet with the same answer: the key that was refused, or blocked where there is no proxy. */
function unwanted({ taken, verdict }: Attempt): readonly string[] {
  const isKey = verdict?.kind === 'refused' || (verdict?.kind === 'blocked' && taken.length === 1);
  return isKey ? taken.filter(({ kind }) => kind === 'key').map(({ id }) => id) : [];
}

function conclude(ending: Ending): Reply {
  if ('error' in ending) throw ending.error;
  return ending.reply;
}

/** Nothing was tried: the pool is empty or has gone, the host is left alone, or the manager is closing. */
function isRefusal(error: unknown): boolean {
  return [PoolExhaustedError, ClosedError, ConfigError].some((kind) => error instanceof kind) || isLeftAlone(error);
}

function isLeftAlone(error: unknown): boolean {
  return error instanceof TransportFault && error.code === 'ERR_HOST_DOWN';
}

/** A fault that ends the exchange also tells how the attempts before it ended: with proxies each is somebody else's. */
function withHistory(ending: Ending, earlier: readonly string[], notRepeated?: string): Ending {
  if (!('error' in ending) || !(ending.error instanceof TransportFault)) return ending;
  const { code, message } = ending.error;
  const others = [...new Set(earlier)].filter((other) => other !== message);
  const before = others.length === 0 ? '' : `; before that: ${others.join('; ')}`;
  const once = notRepeated === undefined ? '' : `; not repeated: ${notRepeated}`;
  if (before === '' && once === '') return ending;
  return { error: new TransportFault(code, `${message}${before}${once}`, ending.error, ending.error) };
}

/** After a throttled or spent attempt the pool may be waited for: with one key only, that is what `Retry-After` asks. */
function patient(exchange: Exchange, failed: Attempt | undefined): Exchange {
  if (failed?.verdict?.kind !== 'throttled' && failed?.verdict?.kind !== 'spent') return exchange;
  const waitMs = Math.max(exchange.policy.waitMs, MAX_RETRY_AFTER_MS);
  return { ...exchange, policy: { ...exchange.policy, waitMs } };
}

/** Why this attempt is to be repeated, or undefined: it stands. Where only the request stands against it, `trace` is told. */
function repeatReason(exchange: Exchange, attempt: Attempt, ending: Ending): string | undefined {
  const { policy, signal, trace } = exchange;
  const { verdict } = attempt;
  if (verdict === undefined || verdict.kind === 'good' || signal.aborted) return undefined;
  const reason = passingReason(ending);
  if (reason === undefined || attempt.number >= policy.retry.attempts) return undefined;
  trace.notRepeated = obstacle(exchange, attempt, ending);
  return trace.notRepeated === undefined ? reason : undefined;
}

/** What may be gone with the next attempt; undefined: that would end in the same way. */
function passingReason(ending: Ending): string | undefined {
  if ('reply' in ending) return `status ${ending.reply.status}`;
  const { error } = ending;
  if (!(error instanceof TransportFault))
    return error instanceof Error && 'code' in error ? String(error.code) : 'fault';
  return error.phase === 'proxy' || error.phase === 'tunnel' || PASSING.has(error.code) ? error.code : undefined;
}

/** Why the request must not be sent once more, in words. */
function obstacle({ request, policy }: Exchange, attempt: Attempt, ending: Ending): string | undefined {
  if (typeof request.body === 'object' && !(request.body instanceof Uint8Array)) {
    return 'its body is a stream, which can be sent only once';
  }
  if (!attempt.sent || IDEMPOTENT.has(request.method) || policy.retry.unsafe) return undefined;
  // The same key goes with every attempt, so that the server knows them for one.
  if (header(request.headers, 'idempotency-key') !== undefined) return undefined;
  const isExecuted =
    'error' in ending ||
    attempt.redirects > 0 ||
    !NOT_EXECUTED.has(ending.reply.status) ||
    header(ending.reply.headers, 'retry-after') === undefined;
  if (!isExecuted) return undefined;
  return `it may have been carried out, and ${request.method} is not idempotent; an Idempotency-Key or retry: { unsafe: true } allows it`;
}

/** Doubling from 100 ms, between half and the whole of it, so that many clients do not come back together. */
function backoffMs(attempt: number): number {
  return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(delayMs, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}

/** A streamed reply that nobody will read must not keep its connection. */
function discard(ending: Ending): void {
  if ('reply' in ending && !(ending.reply.body instanceof Uint8Array)) ending.reply.body.destroy();
}
