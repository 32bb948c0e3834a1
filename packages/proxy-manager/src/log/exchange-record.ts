import { hostname } from 'node:os';
import { PoolExhaustedError } from '../errors.js';
import type { Attempt, CacheStatus, Exchange, Reply } from '../pipeline/exchange.js';
import { header } from '../pipeline/headers.js';
import { eventId } from './event-id.js';
import { isoTime } from './iso-time.js';
import { addressFields, publicUrl, relatedFields, urlFields } from './record-address.js';
import { bodyText, headerFields, hidingOwn } from './record-content.js';
import type { BodyPolicy, RecordPolicy } from './record-policy.js';
import { wantsBodies } from './record-policy.js';
import { accountOf, rateLimitFields } from './record-rate-limit.js';
import type { Loss } from './housekeeping.js';
import { routeOf } from './route.js';

/** One ECS document: see docs/log.md for its fields. */
export interface ExchangeRecord {
  readonly '@timestamp': string;
  readonly event: { readonly id: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

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

type Fields = Record<string, unknown>;

const DATASET = 'proxy_manager.exchange';
const ECS = { version: '8.11.0' };
const STREAM = { type: 'logs', dataset: DATASET, namespace: 'default' };
const NETWORK = { protocol: 'http', transport: 'tcp', direction: 'egress' };
const HOST = { name: hostname() };
const PROCESS = { pid: process.pid };
const LOGGER = 'proxy_manager';
const LEVELS = {
  info: { level: 'info', logger: LOGGER },
  warn: { level: 'warn', logger: LOGGER },
  error: { level: 'error', logger: LOGGER },
};

const NOTHING_MORE: RecordPolicy = {};

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
 * is known becomes a field.
 */
export function toRecord(exchange: Exchange, outcome: Outcome, endedAtMs: number, tookMs?: number): ExchangeRecord {
  const { request, trace, policy } = exchange;
  const { reply } = outcome;
  const attempt = isStored(trace) || trace.last === undefined ? undefined : exchange.attempt;
  const error = outcome.error === undefined ? undefined : errorFields(outcome.error);
  const failed = error !== undefined || reply === undefined || reply.status >= 400 || isBad(attempt);
  const startedAtMs = attempt?.startedAtMs ?? trace.startedAtMs;
  const start = isoTime(startedAtMs);
  const durationMs = Math.max(0, tookMs ?? endedAtMs - startedAtMs);
  const address = addressFields(request.url);
  const received = attempt === undefined ? 0 : attempt.bytesReceived;
  const callee = received > 0 ? { ...address, bytes: received } : address;

  const own = ownFields(exchange, reply, attempt);
  if (!failed && policy.record?.sample !== undefined) own['sample_rate'] = policy.record.sample;

  const event = {
    id: eventId(endedAtMs),
    kind: 'event',
    category: ['web'],
    type: failed ? ['access', 'error'] : ['access'],
    dataset: DATASET,
    module: 'proxy_manager',
    action: actionOf(exchange, outcome),
    outcome: failed ? 'failure' : 'success',
    duration: Math.round(durationMs * 1e6),
    start,
    end: isoTime(startedAtMs + durationMs),
    ...(failed && { reason: reasonOf(reply, error, attempt) }),
  };
  const record: Fields & ExchangeRecord = {
    '@timestamp': start,
    ecs: ECS,
    message: messageOf(exchange, reply, error, Math.round(durationMs)),
    log: error === undefined ? (failed ? LEVELS.warn : LEVELS.info) : LEVELS.error,
    data_stream: STREAM,
    event,
    http: httpFields(exchange, outcome, attempt),
    url: urlFields(request.url),
    server: callee,
    destination: callee,
    related: relatedFields(request.url, reply),
    network: NETWORK,
    host: HOST,
    process: PROCESS,
    proxy_manager: own,
  };
  if (attempt?.userAgent !== undefined) record['user_agent'] = { original: attempt.userAgent };
  if (attempt !== undefined && attempt.bytesSent > 0) record['source'] = { bytes: attempt.bytesSent };
  if (policy.record?.service !== undefined) record['service'] = policy.record.service;
  if (trace.context !== undefined) {
    record['trace'] = { id: trace.context.traceId };
    record['span'] = { id: trace.context.spanId };
  }
  if (error !== undefined) record['error'] = error;
  const labels = labelFields(policy.labels);
  if (labels !== undefined) record['labels'] = labels;
  return record;
}

/** True where the reply came out of the cache and not off the wire. */
function isStored({ cache }: Exchange['trace']): boolean {
  return cache === 'hit' || cache === 'stale';
}

/** A 304 tells only afterwards that the stored reply is still valid. */
function cacheStatus({ trace }: Exchange, reply: Reply | undefined): CacheStatus {
  return trace.revalidates && reply?.status === 304 ? 'revalidated' : trace.cache;
}

function isBad(attempt: Attempt | undefined): boolean {
  return attempt?.verdict !== undefined && attempt.verdict.kind !== 'good';
}

function actionOf({ trace }: Exchange, { error }: Outcome): string {
  if (error instanceof PoolExhaustedError) return 'pool-exhausted';
  return isStored(trace) ? 'cache-hit' : 'http-request';
}

function reasonOf(reply: Reply | undefined, error: ErrorFields | undefined, attempt: Attempt | undefined): string {
  if (error !== undefined) return REASONS[error.code ?? error.type] ?? error.code ?? error.type;
  if (reply !== undefined && reply.status >= 400) return `status ${reply.status}`;
  return attempt?.verdict?.kind ?? 'unknown';
}

function messageOf(exchange: Exchange, reply: Reply | undefined, error: ErrorFields | undefined, ms: number): string {
  const { method, url } = exchange.request;
  const ending = error === undefined ? reply?.status : (error.code ?? error.type);
  return `${method} ${url.origin}${url.pathname} ${ending} ${ms}ms ${cacheStatus(exchange, reply)}`;
}

interface ErrorFields {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
}

function errorFields(error: unknown): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { name: type, message } = error;
  return 'code' in error && typeof error.code === 'string' ? { type, code: error.code, message } : { type, message };
}

function httpFields({ id, request, policy }: Exchange, outcome: Outcome, attempt: Attempt | undefined): Fields {
  const { reply } = outcome;
  const { headers, bodies } = policy.record ?? NOTHING_MORE;
  const hide =
    headers === undefined && bodies === undefined ? asItIs : hidingOwn(request.headers, attempt?.hide ?? asItIs);
  // What the cache gives stands in the log already, with the reply that it was.
  const content =
    attempt !== undefined && bodies !== undefined && wantsBodies(bodies, reply?.status) ? bodies : undefined;
  const asked: Fields = { id, method: request.method };
  if (attempt !== undefined && attempt.bytesSent > 0) asked['bytes'] = attempt.bytesSent;
  const askedType = mimeType(header(request.headers, 'content-type'));
  // A key that the caller wrote there by hand need not be one that this attempt knows.
  const isOpen = request.asWritten?.bodyHoldsSecret !== true;
  const askedBody = bodyFields(request.body, askedType, isOpen ? content : undefined, hide);
  if (askedBody !== undefined) asked['body'] = askedBody;
  if (askedType !== undefined) asked['mime_type'] = askedType;
  const referrer = header(request.headers, 'referer');
  const shownReferrer = referrer && publicUrl(referrer);
  if (shownReferrer !== undefined) asked['referrer'] = shownReferrer;
  const askedHeaders = headers && headerFields(request.headers, headers, hide);
  if (askedHeaders !== undefined) asked['headers'] = askedHeaders;
  if (reply === undefined) return { request: asked };

  const answered: Fields = { status_code: reply.status };
  if (attempt !== undefined && attempt.bytesReceived > 0) answered['bytes'] = attempt.bytesReceived;
  const answeredType = mimeType(header(reply.headers, 'content-type'));
  if (answeredType !== undefined) answered['mime_type'] = answeredType;
  const start = outcome.reply === undefined ? undefined : outcome.bodyStart;
  const isDecoded = header(reply.headers, 'content-encoding') === undefined;
  const answeredText = isDecoded ? content : undefined;
  const answeredBody = bodyFields(
    reply.body instanceof Uint8Array ? reply.body : start,
    answeredType,
    answeredText,
    hide,
  );
  if (outcome.bodyBytes !== undefined) answered['body'] = { ...answeredBody, bytes: outcome.bodyBytes };
  else if (answeredBody !== undefined) answered['body'] = answeredBody;
  const answeredHeaders = headers && headerFields(reply.headers, headers, hide);
  if (answeredHeaders !== undefined) answered['headers'] = answeredHeaders;
  const fields: Fields = { request: asked, response: answered };
  if (attempt !== undefined && reply.httpVersion !== '') fields['version'] = reply.httpVersion;
  return fields;
}

function asItIs(text: string): string {
  return text;
}

function bodyFields(
  body: Exchange['request']['body'],
  type: string | undefined,
  wanted: BodyPolicy | undefined,
  hide: (text: string) => string,
): Fields | undefined {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return undefined;
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  const content = wanted && bodyText(body, type, wanted.maxBytes, hide);
  return content === undefined ? { bytes } : { bytes, content };
}

function mimeType(contentType: string | undefined): string | undefined {
  const end = contentType?.indexOf(';') ?? -1;
  return (end === -1 ? contentType : contentType?.slice(0, end))?.trim().toLowerCase() || undefined;
}

function ownFields(exchange: Exchange, reply: Reply | undefined, attempt: Attempt | undefined): Fields {
  const { endpoint, pool, policy, request, trace } = exchange;
  const cache: Fields = { status: cacheStatus(exchange, reply) };
  if (trace.cacheKey !== undefined) cache['key'] = trace.cacheKey;
  if (trace.cacheAgeMs !== undefined) cache['age_ms'] = Math.round(trace.cacheAgeMs);
  if (policy.cache?.ttlMs !== undefined) cache['ttl_s'] = Math.round(policy.cache.ttlMs / 1000);
  const fields: Fields = { endpoint: endpoint.name, route: routeOf(request.url.pathname), cache };
  if (attempt === undefined) return fields;

  fields['attempt'] = { number: attempt.number, max: policy.retry.attempts };
  if (attempt.retry !== undefined) {
    fields['retry'] = { reason: attempt.retry.reason, delay_ms: Math.round(attempt.retry.delayMs) };
  }
  for (const { kind, id } of attempt.taken) fields[kind === 'key' ? 'credential' : 'proxy'] = { id };
  const account = accountOf(pool, attempt.taken);
  if (account !== undefined) fields['account'] = { id: account };
  const rateLimit = rateLimitFields(pool, attempt.taken);
  if (rateLimit !== undefined) fields['rate_limit'] = rateLimit;
  if (attempt.isCountedLocally === true) fields['usage'] = { local: true };
  if (attempt.verdict !== undefined) fields['verdict'] = attempt.verdict.kind;
  const { hops, redirects: count } = attempt;
  if (count > 0) fields['redirect'] = hops === undefined ? { count } : { count, hops };
  const timing: Fields = { pool_ms: toMicros(attempt.poolMs) };
  if (endpoint.pace !== undefined) timing['pace_ms'] = toMicros(attempt.paceMs);
  if (attempt.dnsMs !== undefined) timing['dns_ms'] = toMicros(attempt.dnsMs);
  if (attempt.connectMs !== undefined) timing['connect_ms'] = toMicros(attempt.connectMs);
  if (attempt.tlsMs !== undefined) timing['tls_ms'] = toMicros(attempt.tlsMs);
  if (attempt.ttfbMs !== undefined) timing['ttfb_ms'] = toMicros(attempt.ttfbMs);
  if (attempt.downloadMs !== undefined) timing['download_ms'] = toMicros(attempt.downloadMs);
  fields['timing'] = timing;
  return fields;
}

/** Milliseconds rounded to whole microseconds. */
function toMicros(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/**
 * The document of a gap in the log: so many records were removed by a bound of the spool before they were everywhere
 * that they should be. It is a failure of the log, and of no exchange.
 */
export function lossRecord({ records, bytes, bound }: Loss, nowMs: number): ExchangeRecord {
  const now = new Date(nowMs).toISOString();
  return {
    '@timestamp': now,
    ecs: ECS,
    message: `${records} records of the log were removed, log.${bound} was reached`,
    log: LEVELS.error,
    data_stream: STREAM,
    event: {
      id: eventId(nowMs),
      kind: 'pipeline_error',
      category: ['web'],
      type: ['error'],
      dataset: DATASET,
      module: 'proxy_manager',
      action: 'log-loss',
      outcome: 'failure',
      reason: `log.${bound}`,
    },
    host: HOST,
    process: PROCESS,
    proxy_manager: { loss: { records, bytes } },
  };
}

/** Labels are flat: a dot in a name would make Elasticsearch look for an object, and an empty one is refused there. */
function labelFields(labels: Readonly<Record<string, string>>): Fields | undefined {
  let fields: Fields | undefined;
  for (const name in labels) {
    fields ??= {};
    fields[name.trim().replaceAll('.', '_') || '_'] = labels[name];
  }
  return fields;
}
