import { overCachePolicy } from '../../src/config/cache-policy.js';
import { Waits } from '../../src/pipeline/waits.js';
import type { Endpoint, KeyCredential, ProxyCredential } from '../../src/config/resolve.js';
import type { Attempt, Exchange, Reply, Trace } from '../../src/pipeline/exchange.js';
import { openAttempt } from '../../src/pipeline/exchange.js';
import { Secret } from '../../src/secret.js';

export const STARTED_MS: number = Date.parse('2026-01-01T10:00:00.000Z');

const windows = [
  { limit: 100, everyMs: 60_000 },
  { limit: 1000, everyMs: 86_400_000 },
];
const account = { id: 'team-b', windows: [] };
const key: KeyCredential = { id: 'key-1', windows, account, secret: new Secret('hush', 'key-1') };
const proxy: ProxyCredential = {
  id: 'proxy.example.com:8080',
  windows: [],
  protocol: 'http',
  hostname: 'proxy.example.com',
  port: 8080,
  userinfo: undefined,
};

const endpoint: Endpoint = {
  name: 'test_api',
  keys: [key],
  proxies: [proxy],
  hosts: undefined,
  apply: undefined,
  pace: { concurrency: 1, minTimeMs: 0, reservoir: undefined },
};

/** An exchange in the middle of its first attempt, everything about it known; override what a test is about. */
export function anExchange(
  parts: {
    readonly url?: string;
    readonly request?: Partial<Exchange['request']>;
    readonly policy?: Partial<Exchange['policy']>;
    readonly trace?: Partial<Trace>;
    readonly attempt?: Partial<Attempt>;
  } = {},
): Exchange {
  const attempt: Attempt = {
    ...openAttempt(1, STARTED_MS),
    taken: [
      {
        id: 'key-1',
        kind: 'key',
        restingUntilMs: undefined,
        total: 20,
        lastTake: 1,
        windows: [
          { limit: 100, used: 20, resetsAtMs: STARTED_MS + 60_000 },
          { limit: 1000, used: 20, resetsAtMs: STARTED_MS + 86_400_000 },
        ],
      },
      { id: 'proxy.example.com:8080', kind: 'proxy', restingUntilMs: undefined, total: 20, lastTake: 1, windows: [] },
    ],
    userAgent: 'Mozilla/5.0',
    verdict: { kind: 'good' },
    poolMs: 0.0123456,
    paceMs: 12,
    sent: true,
    bytesSent: 312,
    bytesReceived: 2048,
    connectMs: 10.5,
    ttfbMs: 50.25,
    downloadMs: 1.125,
    ...parts.attempt,
  };
  return {
    id: 'exchange-1',
    endpoint,
    pool: {
      endpoint: endpoint.name,
      sections: [
        { kind: 'key', meters: [key] },
        { kind: 'proxy', meters: [proxy] },
      ],
    },
    request: {
      method: 'GET',
      url: new URL(parts.url ?? 'https://api.example.com/v1/items/42?q=x&key={key}#top'),
      headers: [['Content-Type', 'application/json; charset=utf-8']],
      body: '{"a":"é"}',
      auth: undefined,
      wire: {
        body: 'buffer',
        decompress: true,
        maxRedirects: 5,
        maxResponseBytes: Infinity,
        maxRequestBytes: Infinity,
      },
      ...parts.request,
    },
    policy: {
      cache: overCachePolicy(undefined, { ttlMs: 60_000 }),
      retry: { attempts: 3, unsafe: false, deadlineMs: undefined },
      cost: 1,
      waitMs: 0,
      labels: { team: 'blue' },
      userAgent: 'auto',
      ...parts.policy,
    },
    signal: new AbortController().signal,
    pin: undefined,
    avoid: new Set(),
    waits: new Waits(),
    lease: undefined,
    trace: {
      startedAtMs: STARTED_MS - 5,
      startedMs: 0,
      attempts: 1,
      waitedMs: 12,
      cache: 'miss',
      cacheKey: 'a'.repeat(64),
      cacheAgeMs: undefined,
      revalidates: false,
      last: attempt,
      ...parts.trace,
    },
    attempt,
  };
}

export function aReply(parts: Partial<Reply> = {}): Reply {
  return {
    status: 200,
    statusText: 'OK',
    headers: [['content-type', 'application/json']],
    body: new Uint8Array(1800),
    url: new URL('https://api.example.com/v1/items/42?q=x'),
    httpVersion: '1.1',
    verdict: { kind: 'good' },
    echoesSecret: false,
    ...parts,
  };
}
