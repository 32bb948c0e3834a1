import type { OutboundRequest, Reply } from '../pipeline/exchange.js';
import { header } from '../pipeline/headers.js';
import type { Ask } from './ask.js';
import type { CacheEntry } from './cache-store.js';
import { askingWhether } from './validators.js';

/** The request as it goes on to the origin. */
export interface OriginRequest {
  readonly request: OutboundRequest;
  /** It asks whether the stored reply is still valid. */
  readonly isConditional: boolean;
}

/** What the origin is asked: about the stored reply where there is one with a validator, else for a new one. */
export function originRequest(request: OutboundRequest, entry: CacheEntry | undefined, ask: Ask): OriginRequest {
  const asking =
    entry !== undefined && ask.writes && entry.status === 200
      ? askingWhether(request.headers, entry.headers)
      : undefined;
  const said = modeWords(ask, request);
  if (asking === undefined && said.length === 0) return { request, isConditional: false };
  return {
    request: { ...request, headers: [...(asking ?? request.headers), ...said] },
    isConditional: asking !== undefined,
  };
}

/** What fetch's modes say to the caches behind this one, in http mode, unless the caller says something there. */
function modeWords({ policy }: Ask, { headers }: OutboundRequest): [string, string][] {
  if (policy.mode === 'ttl' || header(headers, 'cache-control') !== undefined) return [];
  if (policy.use === 'no-cache') return [['cache-control', 'max-age=0']];
  if (policy.use !== 'reload') return [];
  const noCache: [string, string] = ['cache-control', 'no-cache'];
  return header(headers, 'pragma') === undefined ? [noCache, ['pragma', 'no-cache']] : [noCache];
}

/** A streamed reply that nobody will read must not keep its connection; one without content ends by itself. */
export function discard({ body, status }: Reply): void {
  if (body instanceof Uint8Array) return;
  if (status === 304) body.resume();
  else body.destroy();
}
