import type { ResolvedCachePolicy } from '../config/cache-policy.js';
import { ttlMsFor } from '../config/cache-policy.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import { header, withoutHeaders } from '../pipeline/headers.js';
import type { Directives } from './cache-control.js';
import { cacheControl, directiveMs } from './cache-control.js';
import type { CacheEntry } from './cache-store.js';
import { freshnessLifetimeMs, HEURISTIC_STATUSES, initialAgeMs, upstreamAgeMs } from './freshness.js';
import { cacheUrl } from './key.js';
import { entityTag } from './validators.js';
import { variesByAnything } from './vary.js';

/** What belongs to one connection or to the proxy on it (RFC 9111 §3.1), and so not into a stored copy. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** In ttl mode cookies, too, which belong to whoever asked; in http mode the cache is one caller's own. */
const NOT_STORED: Readonly<Record<'http' | 'ttl', ReadonlySet<string>>> = {
  http: OF_THE_CONNECTION,
  ttl: new Set([...OF_THE_CONNECTION, 'set-cookie']),
};

/** The end of the year 9999: the last moment that every store can write down. */
const LATEST_MS = 253_402_300_799_999;

/** How long http mode keeps what is stale: the origin may confirm it, or a caller may want it all the same. */
const STALE_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** Replies that are parts of others. */
const PARTIAL: ReadonlySet<number> = new Set([206, 304]);

/** A reply that may be stored, and all that its place in time is made of. */
export interface Storable {
  readonly exchange: Exchange;
  readonly policy: ResolvedCachePolicy;
  /** Its body may still be on the way. */
  readonly reply: Reply;
  readonly requestedAtMs: number;
  readonly receivedAtMs: number;
}

/** An entry before its body, and before it is known beside which others it lies. */
export type EntryHead = Omit<CacheEntry, 'body' | 'coded' | 'variant'>;

/** The times of an entry that begins at `receivedAtMs`; undefined where it would serve nobody. */
type Times = Pick<CacheEntry, 'expiresAtMs' | 'initialAgeMs' | 'staleAtMs' | 'storedAtMs'>;

/**
 * What is stored of a reply, all but its body; undefined where it must not be stored. In ttl mode the policy alone
 * decides, in http mode RFC 9111 §3 as a private cache has it.
 */
export function toEntryHead({ exchange, policy, reply, requestedAtMs, receivedAtMs }: Storable): EntryHead | undefined {
  const { request, trace } = exchange;
  const { echoesSecret, headers, httpVersion, status, statusText, verdict } = reply;
  if (verdict.kind !== 'good' || echoesSecret || PARTIAL.has(status)) return undefined;
  if (policy.statuses?.has(status) === false) return undefined;
  // Bytes left encoded on this caller's wish would reach others that expect them decoded.
  if (!request.wire.decompress && header(headers, 'content-encoding') !== undefined) return undefined;
  const isRedirected = (trace.last?.redirects ?? 0) > 0;
  // What a redirect itself says of its time is not known here.
  if (policy.mode === 'http' && isRedirected) return undefined;
  const url = cacheUrl(request.url, policy.sortQuery);
  const times = timesOf({ method: request.method, url, policy, status, headers, requestedAtMs, receivedAtMs });
  if (times === undefined) return undefined;
  return {
    method: request.method,
    url,
    finalUrl: isRedirected ? cacheUrl(reply.url) : undefined,
    httpVersion,
    status,
    statusText,
    headers: storedHeaders(headers, policy.mode),
    storedAtMs: times.storedAtMs,
    initialAgeMs: times.initialAgeMs,
    staleAtMs: times.staleAtMs,
    expiresAtMs: times.expiresAtMs,
    tags: policy.tags,
  };
}

interface Timed {
  readonly method: string;
  readonly url: string;
  readonly policy: ResolvedCachePolicy;
  readonly status: number;
  readonly headers: HeaderList;
  readonly requestedAtMs: number;
  readonly receivedAtMs: number;
}

/** When the entry is stale and when it ends; undefined: it is of no use to anybody. */
export function timesOf(reply: Timed): Times | undefined {
  const { headers, policy, receivedAtMs } = reply;
  const directives = policy.mode === 'http' ? cacheControl(headers) : undefined;
  const ageMs = directives === undefined ? upstreamAgeMs(headers) : initialAgeMs(reply);
  const ttlMs = ttlMsFor(policy, reply.url, reply.status);
  const freshMs = directives === undefined ? ttlMs : httpFreshMs(reply, directives, ageMs, ttlMs);
  if (freshMs === undefined || (directives === undefined && freshMs <= 0)) return undefined;
  const staleAtMs = Math.min(receivedAtMs + Math.max(0, freshMs), LATEST_MS);
  const keptMs = Math.max(
    policy.staleWhileRevalidateMs,
    policy.staleIfErrorMs,
    ...(directives === undefined ? [] : [STALE_KEPT_MS, ...staleWindows(directives)]),
  );
  return {
    storedAtMs: receivedAtMs,
    initialAgeMs: ageMs,
    staleAtMs,
    expiresAtMs: Math.min(staleAtMs + keptMs, LATEST_MS),
  };
}

/** How much longer the reply is fresh; undefined where RFC 9111 §3 does not let it be stored, or it could never serve. */
function httpFreshMs(
  reply: Timed,
  directives: Directives,
  ageMs: number,
  ttlMs: number | undefined,
): number | undefined {
  const { method, status, headers, policy } = reply;
  const mustUnderstand = directives.has('must-understand');
  if (mustUnderstand ? !HEURISTIC_STATUSES.has(status) : directives.has('no-store')) return undefined;
  if (variesByAnything(headers)) return undefined;
  // A time of the user's own is for replies whose origin names none; with 0 they are not wanted at all.
  if (ttlMs === 0) return undefined;
  // Those that HTTP lets be guessed of, and those that the user names.
  const isGuessed = (of: number): boolean =>
    HEURISTIC_STATUSES.has(of) || policy.statuses?.has(of) === true || policy.ttlMsByStatus.has(of);
  const lifetimeMs = freshnessLifetimeMs({ ...reply, directives }, ttlMs, isGuessed);
  const isExplicit = directives.has('max-age') || header(headers, 'expires') !== undefined;
  // The reply to a POST says nothing about a later one unless the origin says so (RFC 9110 §9.3.3).
  if (method === 'POST' && !isExplicit) return undefined;
  if (!isExplicit && !directives.has('public') && !directives.has('private') && !isGuessed(status)) return undefined;
  const freshMs = (lifetimeMs ?? 0) - ageMs;
  // What says nothing of its time and cannot be confirmed serves only whom any age will do.
  const isUseful =
    freshMs > 0 ||
    isExplicit ||
    entityTag(headers) !== undefined ||
    header(headers, 'last-modified') !== undefined ||
    policy.use === 'force-cache' ||
    [policy.staleWhileRevalidateMs, policy.staleIfErrorMs, ...staleWindows(directives)].some(
      (windowMs) => windowMs > 0,
    );
  return isUseful ? freshMs : undefined;
}

function staleWindows(directives: Directives): number[] {
  return ['stale-while-revalidate', 'stale-if-error'].map((name) => directiveMs(directives, name) ?? 0);
}

/** Without what belongs to the connection, by its name or since `Connection` says so. */
function storedHeaders(headers: HeaderList, mode: 'http' | 'ttl'): HeaderList {
  const named = header(headers, 'connection')?.toLowerCase().split(',') ?? [];
  const further = named.map((name) => name.trim()).filter((name) => !NOT_STORED[mode].has(name));
  return withoutHeaders(headers, further.length === 0 ? NOT_STORED[mode] : new Set([...NOT_STORED[mode], ...further]));
}
