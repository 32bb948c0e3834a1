import type { Exchange, Reply } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import { header, withHeader, withoutHeaders } from '../pipeline/headers.js';
import type { CacheEntry } from './cache-store.js';
import { cacheUrl } from './key.js';

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

/** A stored reply as the pipeline hands it out: `ageMs` after it was stored, `leftMs` before it expires. */
export function toReply(entry: CacheEntry, ageMs: number, leftMs: number): Reply {
  const { status, statusText, headers, body, httpVersion } = entry;
  return {
    status,
    statusText,
    headers: hitHeaders(headers, entry.initialAgeMs + ageMs, leftMs),
    body,
    url: new URL(entry.finalUrl ?? entry.url),
    httpVersion,
    verdict: { kind: 'good' },
    echoesSecret: false,
  };
}

/** `cache-status` (RFC 9211) is a list to which each cache adds. */
function hitHeaders(headers: HeaderList, ageMs: number, leftMs: number): HeaderList {
  const status = `proxy-manager; hit; ttl=${Math.floor(leftMs / 1000)}`;
  return [...withHeader(headers, 'age', String(Math.floor(ageMs / 1000))), ['cache-status', status]];
}

/** What caches before this one say of a reply's age. */
function upstreamAgeMs(headers: HeaderList): number {
  const age = header(headers, 'age') ?? '';
  return /^\d{1,10}$/.test(age) ? Number(age) * 1000 : 0;
}

/** What is stored of `reply`, or undefined where it must not be. */
export function toEntry(
  { request, trace }: Exchange,
  reply: Reply,
  { storedAtMs, ttlMs }: { storedAtMs: number; ttlMs: number },
): CacheEntry | undefined {
  const { body, echoesSecret, headers, httpVersion, status, statusText, verdict } = reply;
  if (verdict.kind !== 'good' || echoesSecret || !STATUSES.has(status) || !(body instanceof Uint8Array)) {
    return undefined;
  }
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
    initialAgeMs: upstreamAgeMs(headers),
    staleAtMs: Math.min(storedAtMs + ttlMs, LATEST_MS),
    expiresAtMs: Math.min(storedAtMs + ttlMs, LATEST_MS),
    variant: undefined,
    tags: [],
  };
}
