import { Readable } from 'node:stream';
import type { FetchOptions, RequestDefaults, SendOptions } from '../config/options.js';
import { checkExtras } from '../config/validate-options.js';
import { ConfigError } from '../errors.js';
import type { OutboundRequest } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import { header } from '../pipeline/headers.js';
import { Bare } from './bare.js';
import type { Call } from './door.js';
import { bodyOfRequest } from './early-body.js';
import { ACCEPT_ALL, toOutbound } from './outbound.js';

/** As fetch follows. */
const MAX_REDIRECTS = 20;

const USERINFO = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*@/i;

type Init = RequestInit & { readonly cache?: unknown; readonly duplex?: unknown };

interface Given {
  /** Without what axios's callers do to data and replies. */
  readonly defaults: RequestDefaults;
  readonly signal: AbortSignal | null | undefined;
  readonly redirect: Request['redirect'];
  /** The whole body is compared with it. */
  readonly integrity: string | undefined;
}

/** fetch's words as the call of a door, at once unless a body has to be read; a TypeError where fetch has one. */
export function fetchCall(input: string | URL | Request, init: Init, given: Given): Call | Promise<Call> {
  refuse(init);
  const isRequest = input instanceof globalThis.Request;
  if (!isRequest && USERINFO.test(String(input))) throw new TypeError('fetch takes no url that includes credentials');
  if (!isRequest || (init.body ?? undefined) !== undefined) return callOf(input, init, given, init.body ?? undefined);
  if (input.bodyUsed) throw new TypeError('Body is unusable: it was read before');
  if (input.body === null) return callOf(input, init, given, undefined);
  return bodyOfRequest(input).then((body) => callOf(input, init, given, body));
}

function callOf(
  input: string | URL | Request,
  init: Init,
  { defaults, integrity, redirect, signal }: Given,
  body: unknown,
): Call | Promise<Call> {
  const isRequest = input instanceof globalThis.Request;
  const method = normalized(init.method ?? (isRequest ? input.method : 'GET'));
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    throw new TypeError('Request with GET/HEAD method cannot have body.');
  }
  const extras = extrasOf(init);
  const config: SendOptions = Object.assign(new Bare(), defaults, {
    url: isRequest ? input.url : input,
    method,
    headers: headersOf(init.headers ?? (isRequest ? input.headers : undefined)),
    body: sendable(body, init.duplex),
    maxRedirects: redirect === 'follow' ? (defaults.maxRedirects ?? MAX_REDIRECTS) : 0,
  });
  const outbound = toOutbound(config, defaults.headers, 'fetch');
  const of = (said: OutboundRequest): Call => ({
    door: 'fetch',
    outbound: { ...said, wire: { ...said.wire, body: integrity ? 'buffer' : 'either' } },
    extras,
    timeoutMs: extras.timeout ?? defaults.timeout ?? 0,
    signal: signal ?? undefined,
  });
  return outbound instanceof Promise ? outbound.then(of) : of(outbound);
}

/** As fetch reads and checks them; it accepts everything where its caller does not say what. */
function headersOf(given: Init['headers']): HeaderList {
  if (given === undefined) return ACCEPT_ALL;
  const headers = [...new Headers(given)];
  return header(headers, 'accept') === undefined ? [...headers, ...ACCEPT_ALL] : headers;
}

/** The extras of a call that may stand among fetch's own words; `cache` is one of both. */
function extrasOf(init: Init): FetchOptions {
  const extras = Object.assign(new Bare(), init, { cache: cacheOf(init) });
  checkExtras('fetch', extras);
  return extras as FetchOptions;
}

/** fetch's `default` is what the Request says, and `no-store` needs no cache to be obeyed. */
function cacheOf({ cache }: Init): Call['extras']['cache'] {
  if (cache === 'default') return undefined;
  return cache === 'no-store' ? false : (cache as Call['extras']['cache']);
}

/** What would silently not be done is refused; the rest of fetch's words has no meaning outside of browsers. */
function refuse(init: Init): void {
  if ('dispatcher' in init && init.dispatcher !== undefined) {
    throw new ConfigError('fetch', ['dispatcher: not taken, the transport of the ProxyManager sends']);
  }
}

/** As fetch: the usual methods in any case, others as they are written. */
function normalized(method: string): string {
  const upper = method.toUpperCase();
  if (/^(?:CONNECT|TRACE|TRACK)$/.test(upper)) throw new TypeError(`'${method}' HTTP method is unsupported.`);
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(method)) {
    // What was written there may be a key.
    throw new TypeError('init.method is not a valid HTTP method: a sign in it is none that a method may have.');
  }
  return upper;
}

/** What `encodeBody` leaves to its callers: streams of other kinds, and everything that fetch writes as text. */
function sendable(body: unknown, duplex: unknown): unknown {
  if (body === undefined || body === null || typeof body === 'string') return body ?? undefined;
  if (typeof body !== 'object') return asText(body);
  const isStream = body instanceof ReadableStream || (Symbol.asyncIterator in body && !(body instanceof Blob));
  if (isStream && duplex !== 'half') {
    throw new TypeError('RequestInit: duplex option is required when sending a body.');
  }
  if (body instanceof ReadableStream) {
    if (body.locked) throw new TypeError('Response body object should not be disturbed or locked');
    return body;
  }
  if (isStream)
    return body instanceof Readable ? body : Readable.from(body as AsyncIterable<unknown>, { objectMode: false });
  const isKnown =
    ArrayBuffer.isView(body) ||
    body instanceof ArrayBuffer ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob;
  return isKnown ? body : asText(body);
}

/** As fetch writes what it does not know: `[object Object]`, unless it has words of its own. */
function asText(value: unknown): string {
  return String(value);
}
