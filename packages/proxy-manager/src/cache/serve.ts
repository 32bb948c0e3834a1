import { Readable } from 'node:stream';
import type { OutboundRequest, Reply } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import { header } from '../pipeline/headers.js';
import type { CacheEntry } from './cache-store.js';
import { partOf } from './range.js';
import { hasAlready, notModifiedHeaders } from './validators.js';

const EMPTY = new Uint8Array(0);

/**
 * A stored reply as the answer to `request`: whole, the part that it asks for, or the 304 of its conditions; undefined
 * where it cannot answer. `cacheStatus` is this cache's word on it (RFC 9211).
 */
export function serve(
  entry: CacheEntry,
  request: OutboundRequest,
  { ageMs, nowMs, cacheStatus }: { readonly ageMs: number; readonly nowMs: number; readonly cacheStatus: string },
): Reply | undefined {
  const { httpVersion, statusText } = entry;
  // The same url would have ended otherwise on the wire under this caller's limits.
  if (entry.body.byteLength > request.wire.maxResponseBytes) return undefined;
  if (entry.finalUrl !== undefined && request.wire.maxRedirects === 0) return undefined;
  const answer = answerOf(entry, request, nowMs);
  if (answer === undefined) return undefined;
  const body = request.method === 'HEAD' ? EMPTY : answer.body;
  const answeringUrl = entry.finalUrl ?? entry.url;
  return {
    status: answer.status,
    statusText: answer.status === entry.status ? statusText : (STATUS_TEXT.get(answer.status) ?? ''),
    headers: answeredHeaders(answer.headers, String(Math.floor(ageMs / 1000)), cacheStatus),
    body: request.wire.body === 'stream' ? streamOf(body) : body,
    url: answeringUrl === request.url.href ? request.url : new URL(answeringUrl),
    httpVersion,
    verdict: { kind: 'good' },
    echoesSecret: false,
  };
}

/** With the age in the place of the one that came from the wire, where there is one. */
function answeredHeaders(stored: HeaderList, age: string, cacheStatus: string): HeaderList {
  const headers: HeaderList[number][] = [];
  let isAged = false;
  for (const field of stored) {
    const isAge = field[0] === 'age' && !isAged;
    if (isAge) isAged = true;
    headers.push(isAge ? ['age', age] : field);
  }
  if (!isAged) headers.push(['age', age]);
  headers.push(['cache-status', cacheStatus]);
  return headers;
}

const STATUS_TEXT: ReadonlyMap<number, string> = new Map([
  [206, 'Partial Content'],
  [304, 'Not Modified'],
]);

interface Answer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

function answerOf({ status, headers, body }: CacheEntry, request: OutboundRequest, nowMs: number): Answer | undefined {
  const whole = { status, headers, body };
  if (status !== 200) return header(request.headers, 'range') === undefined ? whole : undefined;
  if (hasAlready(request.headers, headers, nowMs)) {
    return { status: 304, headers: notModifiedHeaders(headers), body: EMPTY };
  }
  if (header(request.headers, 'range') === undefined) return whole;
  const part = partOf(request.headers, { headers, body });
  return part && { status: 206, ...part };
}

/** The reply to `only-if-cached` where nothing that is stored suits (RFC 9111 §5.2.1.7). */
export function gatewayTimeout({ url, wire }: OutboundRequest): Reply {
  return {
    status: 504,
    statusText: 'Gateway Timeout',
    headers: [],
    body: wire.body === 'stream' ? streamOf(EMPTY) : EMPTY,
    url,
    httpVersion: '1.1',
    verdict: { kind: 'good' },
    echoesSecret: false,
  };
}

function streamOf(body: Uint8Array): Readable {
  return Readable.from(body.byteLength === 0 ? [] : [body], { objectMode: false });
}
