import type { CachePolicy } from '../../src/config/cache-options.js';
import { overCachePolicy } from '../../src/config/cache-policy.js';
import { Waits } from '../../src/pipeline/waits.js';
import type { Exchange, OutboundRequest, Reply } from '../../src/pipeline/exchange.js';
import { openAttempt, openTrace } from '../../src/pipeline/exchange.js';
import { clock } from './entry.js';
import { request } from './request.js';

const endpoint = {
  name: 'api',
  keys: undefined,
  proxies: undefined,
  hosts: undefined,
  apply: undefined,
  pace: undefined,
};

interface Different {
  readonly url?: string;
  readonly ttlMs?: number | undefined;
  readonly cache?: CachePolicy;
  readonly signal?: AbortSignal;
  readonly request?: Partial<Omit<OutboundRequest, 'url'>>;
}

/** An exchange as the doors make it, with a ttl of one minute; `ttlMs: undefined` is one without a cache. */
export function exchange(different: Different = {}): Exchange {
  return {
    id: 'exchange-1',
    endpoint,
    pool: { endpoint: 'api', sections: [] },
    request: request(different.url ?? 'https://api.example.com/items', different.request),
    policy: {
      cache:
        'ttlMs' in different && different.ttlMs === undefined
          ? undefined
          : overCachePolicy(undefined, { ttlMs: different.ttlMs ?? 60_000, ...different.cache }),
      retry: { attempts: 1, unsafe: false, deadlineMs: undefined },
      cost: 1,
      waitMs: 0,
      labels: {},
      userAgent: 'off',
    },
    signal: different.signal ?? new AbortController().signal,
    pin: undefined,
    avoid: new Set(),
    waits: new Waits(),
    lease: undefined,
    trace: openTrace(clock.now()),
    attempt: openAttempt(1, clock.now()),
  };
}

export function reply(text: string, different: Partial<Reply> = {}): Reply {
  return {
    status: 200,
    statusText: 'OK',
    headers: [['content-type', 'text/plain']],
    body: Buffer.from(text),
    url: new URL('https://api.example.com/items'),
    httpVersion: '1.1',
    verdict: { kind: 'good' },
    echoesSecret: false,
    ...different,
  };
}
