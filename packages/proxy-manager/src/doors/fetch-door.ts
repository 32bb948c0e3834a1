import { Readable } from 'node:stream';
import type { RequestDefaults } from '../config/options.js';
import { ProxyManagerError } from '../errors.js';
import { TimeoutReason } from '../pipeline/abort.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import { TransportFault } from '../transport/fault.js';
import type { Perform } from './door.js';
import { fetchCall } from './fetch-call.js';
import { FetchResponse } from './fetch-response.js';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** A WHATWG fetch on the pipeline; relative urls and headers come from `defaults`. */
export function fetchDoor(perform: Perform, given: RequestDefaults): typeof globalThis.fetch {
  // What axios's callers do to data and replies is not for fetch's.
  const { data: _data, transformRequest: _transform, responseType: _type, ...defaults } = given;
  return async function fetch(input, init = {}) {
    const signal = init.signal ?? (input instanceof globalThis.Request ? input.signal : undefined);
    const redirect = init.redirect ?? (input instanceof globalThis.Request ? input.redirect : 'follow');
    try {
      return await perform(() => fetchCall(input, init, { defaults, signal, redirect }), {
        reply: (exchange, reply) => toResponse(exchange, reply, { redirect, signal }),
        error: (_exchange, error) => rejection(error, signal),
      });
    } catch (error) {
      throw rejection(error, signal);
    }
  };
}

function toResponse(
  { request, trace }: Exchange,
  reply: Reply,
  { redirect, signal }: { readonly redirect: Request['redirect']; readonly signal: AbortSignal | undefined },
): Response {
  const { status, statusText, headers, url, body } = reply;
  if (redirect === 'error' && REDIRECTS.has(status)) {
    discard(body);
    throw new TypeError('fetch failed', { cause: new Error('unexpected redirect') });
  }
  const hasNone = NULL_BODY.has(status) || request.method === 'HEAD';
  if (hasNone) discard(body);
  const redirected = (trace.last?.redirects ?? 0) > 0 || url.href !== request.url.href;
  return new FetchResponse(hasNone ? null : body, { status, statusText, headers, url, redirected }, signal);
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
  return code === undefined ? error : Object.assign(new Error((error as Error).message), { code });
}
