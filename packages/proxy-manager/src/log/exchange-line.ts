import { PoolExhaustedError } from '../errors.js';
import type { Attempt, CacheStatus, Exchange, Reply } from '../pipeline/exchange.js';
import { eventMembers } from './event-id.js';
import type { RecordLine } from './exchange-record.js';
import { isoTime } from './iso-time.js';
import { andJson, andNumber, andObject, andText, unquoted } from './json-text.js';
import { addressOf, andAddresses } from './line-address.js';
import { errorFields } from './line-error.js';
import type { ErrorFields } from './line-error.js';
import { andHttp } from './line-http.js';
import { andOwn } from './line-own.js';
import { FAILURE, SAME, SUCCESS } from './line-same.js';
import { andUrl, keptUrlText, urlText } from './line-url.js';
import type { ServiceIdentity } from './record-policy.js';

/** How the exchange or attempt ended; a streamed reply can have both, a reply and the error that cut its body off. */
export type Outcome =
  | {
      readonly reply: Reply;
      readonly error?: unknown;
      /** Of a streamed body: how many bytes passed, and the first of them where they are wanted. */
      readonly bodyBytes?: number;
      readonly bodyStart?: Uint8Array;
    }
  | { readonly reply?: undefined; readonly error: unknown };

/** What a person groups failures by, where the code says it less well. */
const REASONS: Readonly<Record<string, string>> = {
  AbortError: 'aborted',
  ECONNABORTED: 'timeout',
  ERR_CANCELED: 'aborted',
  ERR_DEADLINE: 'deadline',
  ERR_POOL_EXHAUSTED: 'pool exhausted',
  ETIMEDOUT: 'timeout',
  TimeoutError: 'timeout',
};

/**
 * The document of one attempt, or of one reply that needed none. `endedAtMs` is epoch ms; `tookMs` is measured apart
 * from it, since a clock can be set while the exchange is under way. Without it the two times are compared.
 *
 * The url is the caller's own, which holds `{key}` where a key goes, so no pool secret can come with it. Only what
 * is known becomes a field. It is laid as text from the start: every exchange pays for it, and an object that is made
 * into text afterwards costs three times as much.
 */
export function toLine(exchange: Exchange, outcome: Outcome, endedAtMs: number, tookMs?: number): RecordLine {
  const { id, request, policy, trace } = exchange;
  const { reply } = outcome;
  const attempt = isStored(trace) || trace.last === undefined ? undefined : exchange.attempt;
  const error = outcome.error === undefined ? undefined : errorFields(outcome.error, exchange.attempt.hide);
  const isFailure = error !== undefined || reply === undefined || reply.status >= 400 || isBad(attempt);
  const startedAtMs = attempt?.startedAtMs ?? trace.startedAtMs;
  const durationMs = Math.max(0, tookMs ?? endedAtMs - startedAtMs);
  const start = isoTime(startedAtMs);
  const cache = cacheStatus(trace, reply);
  const asked = isStored(trace) ? keptUrlText(request.url) : urlText(request.url);
  const level = error === undefined ? (isFailure ? 'warn' : 'info') : 'error';

  let text = `{"@timestamp":"${start}",${SAME[level]}`;
  const ending = error === undefined ? reply?.status : unquoted(error.code ?? error.type);
  const method = unquoted(request.method);
  text += `,"message":"${method} ${asked.place} ${ending} ${Math.round(durationMs)}ms ${cache}"`;
  text += `,"event":{${eventMembers(endedAtMs)},${isFailure ? FAILURE : SUCCESS},"action":"${actionOf(trace, outcome)}"`;
  if (isFailure) text += andText('reason', reasonOf(reply, error, attempt));
  text += andNumber('duration', Math.round(durationMs * 1e6));
  text += `,"start":"${start}","end":"${isoTime(startedAtMs + durationMs)}"}`;
  text += andHttp(exchange, outcome, attempt);
  text += andUrl(asked, request.originalUrl);
  const answered = reply === undefined || reply.url === request.url ? asked.address : addressOf(reply.url);
  text += andAddresses(asked.address, answered, attempt?.bytesReceived ?? 0);
  text += andOwn(exchange, asked.route, attempt, cache, isFailure ? undefined : policy.record?.sample);
  if (attempt?.userAgent !== undefined) text += andObject('user_agent', andText('original', attempt.userAgent));
  if (attempt !== undefined && attempt.bytesSent > 0) text += `,"source":{"bytes":${attempt.bytesSent}}`;
  text += andService(policy.record?.service);
  if (trace.context !== undefined) {
    text += andObject('trace', andText('id', trace.context.traceId));
    text += andObject('span', andText('id', trace.context.spanId));
  }
  text += andJson('error', error);
  text += `${andLabels(policy.labels)}}`;
  return { text, exchangeId: id, isFailure };
}

/** True where the reply came out of the cache and not off the wire. */
function isStored({ cache }: Exchange['trace']): boolean {
  return cache === 'hit' || cache === 'stale';
}

/** A 304 tells only afterwards that the stored reply is still valid. */
function cacheStatus(trace: Exchange['trace'], reply: Reply | undefined): CacheStatus {
  return trace.revalidates && reply?.status === 304 ? 'revalidated' : trace.cache;
}

function isBad(attempt: Attempt | undefined): boolean {
  return attempt?.verdict !== undefined && attempt.verdict.kind !== 'good';
}

function actionOf(trace: Exchange['trace'], { error }: Outcome): string {
  if (error instanceof PoolExhaustedError) return 'pool-exhausted';
  return isStored(trace) ? 'cache-hit' : 'http-request';
}

function reasonOf(reply: Reply | undefined, error: ErrorFields | undefined, attempt: Attempt | undefined): string {
  if (error !== undefined) return REASONS[error.code ?? error.type] ?? error.code ?? error.type;
  if (reply !== undefined && reply.status >= 400) return `status ${reply.status}`;
  return attempt?.verdict?.kind ?? 'unknown';
}

const andService = ofTheSame((service: ServiceIdentity | undefined): string => {
  if (service === undefined) return '';
  const { nodeName, ...rest } = service;
  return andJson('service', nodeName === undefined ? rest : { ...rest, node: { name: nodeName } });
});

/** Labels are flat: a dot in a name would make Elasticsearch look for an object, and an empty one is refused there. */
const andLabels = ofTheSame((labels: Readonly<Record<string, string>>): string => {
  let fields: Record<string, string | undefined> | undefined;
  for (const name in labels) {
    fields ??= {};
    fields[name.trim().replaceAll('.', '_') || '_'] = labels[name];
  }
  return andJson('labels', fields);
});

/** `write`, which is asked for what it has just written most of the time. Its argument must not change. */
function ofTheSame<T extends object | undefined>(write: (value: T) => string): (value: T) => string {
  let last: T | undefined;
  let text = '';
  return (value) => {
    if (value !== last) {
      text = write(value);
      last = value;
    }
    return text;
  };
}
