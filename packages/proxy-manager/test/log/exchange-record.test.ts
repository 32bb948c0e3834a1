import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { DeadlineError, PoolExhaustedError } from '../../src/errors.js';
import { eventId } from '../../src/log/event-id.js';
import { toRecord } from '../../src/log/exchange-record.js';
import { TransportFault } from '../../src/transport/fault.js';
import { aReply, anExchange, STARTED_MS } from './exchanges.js';

const ENDED_MS = STARTED_MS + 123;

test('an attempt with its reply: every field of it', () => {
  const record = toRecord(
    anExchange({ attempt: { redirects: 1, retry: { reason: 'status 503', delayMs: 70.4 }, number: 2 } }),
    { reply: aReply({ headers: [['Content-Type', 'Application/JSON; charset=utf-8']] }) },
    ENDED_MS,
  );
  expect(record).toStrictEqual({
    '@timestamp': '2026-01-01T10:00:00.000Z',
    ecs: { version: '8.11.0' },
    message: 'GET https://api.example.com/v1/items/42 200 123ms miss',
    log: { level: 'info' },
    data_stream: { type: 'logs', dataset: 'proxy_manager.exchange', namespace: 'default' },
    event: {
      id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
      kind: 'event',
      category: ['web'],
      type: ['access'],
      dataset: 'proxy_manager.exchange',
      module: 'proxy_manager',
      action: 'http-request',
      outcome: 'success',
      duration: 123_000_000,
      start: '2026-01-01T10:00:00.000Z',
      end: '2026-01-01T10:00:00.123Z',
    },
    http: {
      version: '1.1',
      request: { id: 'exchange-1', method: 'GET', bytes: 312, body: { bytes: 10 }, mime_type: 'application/json' },
      response: { status_code: 200, bytes: 2048, body: { bytes: 1800 }, mime_type: 'application/json' },
    },
    url: {
      full: 'https://api.example.com/v1/items/42?q=x&key={key}#top',
      scheme: 'https',
      domain: 'api.example.com',
      port: 443,
      path: '/v1/items/42',
      query: 'q=x&key={key}',
      fragment: 'top',
    },
    server: { address: 'api.example.com', domain: 'api.example.com', port: 443 },
    destination: { address: 'api.example.com', domain: 'api.example.com', port: 443 },
    network: { protocol: 'http', transport: 'tcp', direction: 'egress' },
    host: { name: hostname() },
    process: { pid: process.pid },
    user_agent: { original: 'Mozilla/5.0' },
    labels: { team: 'blue' },
    proxy_manager: {
      endpoint: 'test_api',
      cache: { status: 'miss', key: 'a'.repeat(64), ttl_s: 60 },
      attempt: { number: 2, max: 3 },
      retry: { reason: 'status 503', delay_ms: 70 },
      credential: { id: 'key-1' },
      proxy: { id: 'proxy.example.com:8080' },
      rate_limit: { limit: 100, used: 20, remaining: 80, reset: '2026-01-01T10:01:00.000Z', window_s: 60 },
      verdict: 'good',
      redirect: { count: 1 },
      timing: { pool_ms: 0.012, pace_ms: 12, connect_ms: 10.5, ttfb_ms: 50.25, download_ms: 1.125 },
    },
  });
});

test('a reply out of the cache tells of no attempt', () => {
  const exchange = anExchange({ trace: { cache: 'hit', cacheAgeMs: 1234.5, last: undefined } });
  const record = toRecord(exchange, { reply: aReply() }, STARTED_MS);
  expect(record.event).toMatchObject({ action: 'cache-hit', outcome: 'success', duration: 5_000_000 });
  expect(record['@timestamp']).toBe('2026-01-01T09:59:59.995Z');
  expect(record['proxy_manager']).toStrictEqual({
    endpoint: 'test_api',
    cache: { status: 'hit', key: 'a'.repeat(64), age_ms: 1235, ttl_s: 60 },
  });
  expect(record['user_agent']).toBeUndefined();
  expect(record['http']).not.toHaveProperty('request.bytes');
});

test.for([
  [new TransportFault('ECONNRESET', 'reset', { phase: 'response', sent: true }), 'ECONNRESET', 'http-request'],
  [new TransportFault('ETIMEDOUT', 'too slow', { phase: 'connect', sent: false }), 'timeout', 'http-request'],
  [new PoolExhaustedError('test_api', 'key', new Date(ENDED_MS)), 'pool exhausted', 'pool-exhausted'],
  [new DeadlineError(100), 'deadline', 'http-request'],
  [new DOMException('This operation was aborted', 'AbortError'), 'aborted', 'http-request'],
  [new TypeError('odd'), 'TypeError', 'http-request'],
] as const)('%s is a failure', ([error, reason, action]) => {
  const record = toRecord(anExchange(), { error }, ENDED_MS);
  expect(record.event).toMatchObject({ outcome: 'failure', type: ['access', 'error'], reason, action });
  expect(record['log']).toStrictEqual({ level: 'error' });
  expect(record['error']).toStrictEqual({
    type: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    message: error.message,
  });
  expect(record['http']).not.toHaveProperty('response');
});

test('a thrown thing that is no Error is logged too', () => {
  expect(toRecord(anExchange(), { error: 'plain words' }, ENDED_MS)['error']).toStrictEqual({
    type: 'string',
    message: 'plain words',
  });
});

test('a refusing status and a bad verdict are failures that carry a reply', () => {
  const refused = toRecord(anExchange(), { reply: aReply({ status: 429 }) }, ENDED_MS);
  expect(refused.event).toMatchObject({ outcome: 'failure', reason: 'status 429' });
  expect(refused['log']).toStrictEqual({ level: 'warn' });
  const throttled = anExchange({ attempt: { verdict: { kind: 'throttled', untilMs: 1 } } });
  expect(toRecord(throttled, { reply: aReply() }, ENDED_MS).event).toMatchObject({
    outcome: 'failure',
    reason: 'throttled',
  });
});

test('userinfo of a url is left out, and an address is an ip where it is one', () => {
  const record = toRecord(anExchange({ url: 'http://user:pass@[::1]:8080/' }), { reply: aReply() }, ENDED_MS);
  expect(record['url']).toStrictEqual({
    full: 'http://[::1]:8080/',
    scheme: 'http',
    domain: '::1',
    port: 8080,
    path: '/',
  });
  expect(record['server']).toStrictEqual({ address: '::1', ip: '::1', port: 8080 });
  expect(JSON.stringify(record)).not.toMatch(/user:|pass/);
});

test('labels stay flat', () => {
  const record = toRecord(anExchange({ policy: { labels: { 'a.b': '1', ' ': '2' } } }), { reply: aReply() }, ENDED_MS);
  expect(record['labels']).toStrictEqual({ a_b: '1', _: '2' });
  expect(toRecord(anExchange({ policy: { labels: {} } }), { reply: aReply() }, ENDED_MS)).not.toHaveProperty('labels');
});

test('event ids are unique and sort in the order of time, then of making', () => {
  const ids = Array.from({ length: 5000 }, (_, n) => eventId(STARTED_MS + Math.floor(n / 100)));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toStrictEqual(ids);
});
