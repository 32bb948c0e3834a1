import { Readable } from 'node:stream';
import type { Fetch, RequestDefaults } from '../config/options.js';
import { ProxyManagerError } from '../errors.js';
import { TimeoutReason } from '../pipeline/abort.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import { TransportFault } from '../transport/fault.js';
import { Bare } from './bare.js';
import type { Perform } from './door.js';
import { fetchCall } from './fetch-call.js';
import { FetchResponse } from './fetch-response.js';
import { isIntact } from './integrity.js';
import { bytesOf } from './web-body.js';
import { withCause } from './with-cause.js';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** A WHATWG fetch on the pipeline; relative urls and headers come from `defaults`. */
export function fetchDoor(perform: Perform, given: RequestDefaults): Fetch {
  // What axios's callers do to data and replies is not for fetch's.
  const { data: _data, transformRequest: _transform, responseType: _type, ...others } = given;
  const defaults: RequestDefaults = Object.assign(new Bare(), others);
  return async function fetch(input, init = {}) {
    const signal = init.signal ?? (input instanceof globalThis.Request ? input.signal : undefined);
    const integrity = init.integrity ?? (input instanceof globalThis.Request ? input.integrity : undefined);
    const redirect = init.redirect ?? (input instanceof globalThis.Request ? input.redirect : 'follow');
    try {
      return await perform(() => fetchCall(input, init, { defaults, signal, redirect, integrity }), {
        reply: (exchange, reply) => toResponse(exchange, reply, { redirect, signal, integrity }),
        error: (_exchange, error) => rejection(error, signal),
      });
    } catch (error) {
      throw rejection(error, signal);
    }
  };
}

interface Asked {
  readonly redirect: Request['redirect'];
  readonly signal: AbortSignal | undefined;
  /** Digests of the body, in the words of Subresource Integrity. */
  readonly integrity: string | undefined;
}

function toResponse(exchange: Exchange, reply: Reply, asked: Asked): Promise<Response> | Response {
  const { status, body } = reply;
  if (asked.redirect === 'error' && REDIRECTS.has(status)) {
    throw new TypeError('fetch failed', { cause: new Error('unexpected redirect') });
  }
  const hasNone = NULL_BODY.has(status) || exchange.request.method === 'HEAD';
  if (hasNone) discard(body);
  const of = (content: typeof body | null): Response => responseOf(exchange, reply, content, asked.signal);
  if (!asked.integrity) return of(hasNone ? null : body);
  return intact(hasNone ? null : body, asked.integrity, asked.signal).then(of);
}

function responseOf(
  { request, trace }: Exchange,
  { status, statusText, headers, url }: Reply,
  content: Reply['body'] | null,
  signal: AbortSignal | undefined,
): Response {
  const redirected = (trace.last?.redirects ?? 0) > 0 || url.href !== request.url.href;
  return new FetchResponse(content, { status, statusText, headers, url, redirected }, signal);
}

/** All of the body, where it is what the digests say; as fetch, none is never that. */
async function intact(
  body: Reply['body'] | null,
  integrity: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = body instanceof Readable ? await bytesOf(body, signal) : body;
  if (bytes !== null && isIntact(bytes, integrity)) return bytes;
  throw new TypeError('fetch failed', { cause: new Error('integrity mismatch') });
}

function discard(body: Reply['body']): void {
  if (body instanceof Readable) body.resume();
}

/** As fetch rejects: an abort with the signal's own reason, everything else with a TypeError that has it as its cause. */
function rejection(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof TypeError) return error;
  // What is ours to say is said, since many print no cause; of the network fetch has one word for all.
  if (error instanceof ProxyManagerError) return new TypeError(error.message, { cause: error });
  return new TypeError('fetch failed', { cause: told(error) });
}

function told(error: unknown): unknown {
  const code = error instanceof TransportFault ? error.code : error instanceof TimeoutReason ? 'ETIMEDOUT' : undefined;
  if (code === undefined) return error;
  const { message, cause } = error as Error;
  return withCause(Object.assign(new Error(message), { code }), cause);
}
