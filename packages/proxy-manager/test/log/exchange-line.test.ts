import { TimeoutReason } from '../../src/pipeline/abort.js';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { DeadlineError, PoolExhaustedError } from '../../src/errors.js';
import type { Exchange } from '../../src/pipeline/exchange.js';
import { eventId } from '../../src/log/event-id.js';
import { TransportFault } from '../../src/transport/fault.js';
import { aReply, anExchange, STARTED_MS } from './exchanges.js';
import { toRecord } from './log-support.js';

const ENDED_MS = STARTED_MS + 123;

test('an attempt with its reply: every field of it', () => {
  const record = toRecord(
    anExchange({
      attempt: { redirects: 1, retry: { reason: 'status 503', delayMs: 70.4 }, number: 2, dnsMs: 1.5, tlsMs: 4.25 },
      policy: {
        record: { service: { name: 'crawler', version: '1.2.3', environment: 'test', nodeName: 'crawler-1' } },
      },
      trace: { context: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1 } },
    }),
    { reply: aReply({ headers: [['Content-Type', 'Application/JSON; charset=utf-8']] }) },
    ENDED_MS,
  );
  expect(record).toStrictEqual({
    '@timestamp': '2026-01-01T10:00:00.000Z',
    ecs: { version: '8.11.0' },
    message: 'GET https://api.example.com/v1/items/42 200 123ms miss',
    log: { level: 'info', logger: 'proxy_manager' },
    data_stream: { type: 'logs', dataset: 'proxy_manager.exchange', namespace: 'default' },
    event: {
      id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
      sequence: expect.any(Number),
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
      original: 'https://api.example.com/v1/items/42?q=x&key={key}#top',
      scheme: 'https',
      domain: 'api.example.com',
      port: 443,
      path: '/v1/items/42',
      query: 'q=x&key={key}',
      fragment: 'top',
    },
    server: { address: 'api.example.com', domain: 'api.example.com', port: 443, bytes: 2048 },
    destination: { address: 'api.example.com', domain: 'api.example.com', port: 443, bytes: 2048 },
    source: { bytes: 312 },
    related: { hosts: ['api.example.com'] },
    service: { name: 'crawler', version: '1.2.3', environment: 'test', node: { name: 'crawler-1' } },
    trace: { id: '0af7651916cd43dd8448eb211c80319c' },
    span: { id: 'b7ad6b7169203331' },
    network: { protocol: 'http', transport: 'tcp', direction: 'egress' },
    host: { name: hostname() },
    process: { pid: process.pid },
    user_agent: { original: 'Mozilla/5.0' },
    labels: { team: 'blue' },
    proxy_manager: {
      endpoint: 'test_api',
      route: '/v1/items/{id}',
      cache: { status: 'miss', key: 'a'.repeat(64), ttl_s: 60 },
      attempt: { number: 2, max: 3 },
      retry: { reason: 'status 503', delay_ms: 70 },
      credential: { id: 'key-1' },
      account: { id: 'team-b' },
      proxy: { id: 'proxy.example.com:8080' },
      rate_limit: { limit: 100, used: 20, remaining: 80, reset: '2026-01-01T10:01:00.000Z', window_s: 60 },
      verdict: 'good',
      redirect: { count: 1 },
      timing: {
        pool_ms: 0.012,
        pace_ms: 12,
        dns_ms: 1.5,
        connect_ms: 10.5,
        tls_ms: 4.25,
        ttfb_ms: 50.25,
        download_ms: 1.125,
      },
    },
  });
});

test('a status that is no number, as of a transport of the user’s own, spoils no record', () => {
  for (const status of [Number.NaN, undefined as unknown as number]) {
    const { http } = toRecord(anExchange(), { reply: aReply({ status }) }, ENDED_MS);
    expect(http).toMatchObject({ response: { status_code: null } });
  }
});

test('a reply out of the cache tells of no attempt', () => {
  const exchange = anExchange({ trace: { cache: 'hit', cacheAgeMs: 1234.5, last: undefined } });
  const record = toRecord(exchange, { reply: aReply() }, STARTED_MS);
  expect(record.event).toMatchObject({ action: 'cache-hit', outcome: 'success', duration: 5_000_000 });
  expect(record['@timestamp']).toBe('2026-01-01T09:59:59.995Z');
  expect(record['proxy_manager']).toStrictEqual({
    endpoint: 'test_api',
    route: '/v1/items/{id}',
    cache: { status: 'hit', key: 'a'.repeat(64), age_ms: 1235, ttl_s: 60 },
  });
  expect(record['user_agent']).toBeUndefined();
  expect(record['http']).not.toHaveProperty('request.bytes');
});

test.for([
  [new TransportFault('ECONNRESET', 'reset', { phase: 'response', sent: true }), 'ECONNRESET', 'http-request'],
  [new TransportFault('ETIMEDOUT', 'too slow', { phase: 'connect', sent: false }), 'timeout', 'http-request'],
  [new PoolExhaustedError('test_api', 'key', new Date(ENDED_MS)), 'pool exhausted', 'pool-exhausted'],
  [new TimeoutReason(100), 'timeout', 'http-request'],
  [new DeadlineError(100), 'deadline', 'http-request'],
  [new DOMException('This operation was aborted', 'AbortError'), 'aborted', 'http-request'],
  [new TypeError('odd'), 'TypeError', 'http-request'],
] as const)('%s is a failure', ([error, reason, action]) => {
  const record = toRecord(anExchange(), { error }, ENDED_MS);
  expect(record.event).toMatchObject({ outcome: 'failure', type: ['access', 'error'], reason, action });
  expect(record['log']).toStrictEqual({ level: 'error', logger: 'proxy_manager' });
  expect(record['error']).toStrictEqual({
    type: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    message: error.message,
    stack_trace: expect.stringMatching(/^\w+: .+\n {4}at .+exchange-line\.test\.ts/s),
  });
  expect(record['http']).not.toHaveProperty('response');
});

test('a stack holds no secret of the attempt, and none at all where the message was masked after it was made', () => {
  const hide = (text: string): string => text.replaceAll('hush', '{key}');
  const stackOf = (error: Error): unknown => {
    const { error: told } = toRecord(anExchange({ attempt: { hide } }), { error }, ENDED_MS);
    return (told as { stack_trace?: string }).stack_trace;
  };
  const named = new Error('refused');
  named.stack = 'Error: refused\n    at hush (file:///hush.js:1:1)';
  expect(stackOf(named)).toBe('Error: refused\n    at {key} (file:///{key}.js:1:1)');
  const masked = new Error('no silence please');
  // It is written when it is first read.
  expect(masked.stack).toContain('silence');
  masked.message = 'no {key} please';
  expect(stackOf(masked)).toBeUndefined();
  const odd = new Error('odd');
  Object.assign(odd, { stack: ['no', 'text'] });
  expect(stackOf(odd)).toBeUndefined();
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
  expect(refused['log']).toStrictEqual({ level: 'warn', logger: 'proxy_manager' });
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
    original: 'http://[::1]:8080/',
    scheme: 'http',
    domain: '::1',
    port: 8080,
    path: '/',
  });
  expect(record['server']).toStrictEqual({ address: '::1', ip: '::1', port: 8080, bytes: 2048 });
  expect(record['related']).toStrictEqual({ ip: ['::1'], hosts: ['api.example.com'] });
  expect(JSON.stringify(record)).not.toMatch(/user:|pass/);
});

test('url.original is what the caller wrote, with the same hidden as in url.full', () => {
  const originalOf = (originalUrl: string | undefined, url: string): unknown => {
    const record = toRecord(anExchange({ url, request: { originalUrl } }), { reply: aReply() }, ENDED_MS);
    return (record['url'] as { original: string }).original;
  };
  const url = 'https://a.example/items?token=s3cret&q=1#pwd=zzz';
  expect(originalOf('/items', url)).toBe('/items');
  expect(originalOf('items?token=s3cret&q=ü#pwd=zzz', url)).toBe('items?token=***&q=ü#pwd=***');
  const full = 'https://a.example/items?token=***&q=1#pwd=***';
  // A parser of urls reads `token` here, too.
  for (const written of [undefined, '', '/items?to\nken=s3cret', ' /items?token=s3cret']) {
    expect(originalOf(written, url)).toBe(full);
  }
});

test.for([
  ['/a/logo.png', 'png'],
  ['/a.b/c', undefined],
  ['/v1.2', undefined],
  ['/song.mp3', 'mp3'],
  ['/', undefined],
] as const)('the extension of %s is %s', ([path, extension]) => {
  const record = toRecord(anExchange({ url: `https://api.example.com${path}` }), { reply: aReply() }, ENDED_MS);
  expect((record['url'] as { extension?: string }).extension).toBe(extension);
});

test('the session is told by its name', () => {
  const { session: _none, ...exchange } = anExchange();
  const session = { name: 'ann', session: {}, rules: {} } as unknown as NonNullable<Exchange['session']>;
  const record = toRecord({ ...exchange, session }, { reply: aReply() }, ENDED_MS);
  expect(record['proxy_manager']).toMatchObject({ session: 'ann' });
});

test('records are numbered in the order of their making', () => {
  const sequences = Array.from({ length: 3 }, () => {
    return Number(toRecord(anExchange(), { reply: aReply() }, ENDED_MS).event['sequence']);
  });
  const [first = Number.NaN] = sequences;
  expect(sequences).toStrictEqual([first, first + 1, first + 2]);
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

test.for([
  ['/v1/items/42', '/v1/items/{id}'],
  ['/users/2b1e8f3c-0d7a-4a55-9c7e-3d7b3f0a1c11/posts', '/users/{id}/posts'],
  ['/blobs/9f86d081884c7d659a2feaa0', '/blobs/{id}'],
  ['/v2/search', '/v2/search'],
  ['/top-10-things', '/top-10-things'],
  ['/', '/'],
] as const)('the route of %s is %s', ([path, route]) => {
  const record = toRecord(anExchange({ url: `https://api.example.com${path}` }), { reply: aReply() }, ENDED_MS);
  expect(record['proxy_manager']).toMatchObject({ route });
});

test('a parameter that is a credential by its name is hidden, one of ours says more, and others stay', () => {
  const url =
    'https://a.example/x?q=monkey&api_key=s3cret&X-Amz-Signature=abcd&token={key}&keyword=open#access_token=zzz';
  const referrer = 'https://me:hush@b.example/?sessionId=abc&page=2';
  const record = toRecord(
    anExchange({ url, request: { headers: [['Referer', referrer]] } }),
    { reply: aReply() },
    ENDED_MS,
  );
  const query = 'q=monkey&api_key=***&X-Amz-Signature=***&token={key}&keyword=open';
  expect(record['url']).toMatchObject({
    full: `https://a.example/x?${query}#access_token=***`,
    query,
    fragment: 'access_token=***',
  });
  expect(record['http']).toMatchObject({ request: { referrer: 'https://b.example/?sessionId=***&page=2' } });
});

test('headers are logged by an allow-list, and credentials among them without their value', () => {
  const exchange = anExchange({
    policy: { record: { headers: new Set(['x-request-id', 'authorization', 'set-cookie', 'x-api-key']) } },
    request: {
      headers: [
        ['X-Request-Id', '7'],
        ['Authorization', 'Basic abc'],
        ['Accept', '*/*'],
      ],
    },
  });
  const headers = [
    ['x-request-id', '8'],
    ['x-request-id', '9'],
    ['set-cookie', 'a=b'],
    ['set-cookie', 'c=d'],
  ] as const;
  expect(toRecord(exchange, { reply: aReply({ headers }) }, ENDED_MS)['http']).toMatchObject({
    request: { headers: { 'x-request-id': '7', authorization: '[redacted]' } },
    response: { headers: { 'x-request-id': ['8', '9'], 'set-cookie': ['[redacted]', '[redacted]'] } },
  });
  expect(JSON.stringify(toRecord(anExchange(), { reply: aReply() }, ENDED_MS))).not.toContain('"headers"');
});

test('bodies are logged for the statuses asked for, cut off at the bound, and with their secrets hidden', () => {
  const hide = (text: string): string => text.replaceAll('hush', '{key}');
  const wanting = (statuses?: ['4xx', 200]): Parameters<typeof toRecord>[0] =>
    anExchange({
      policy: { record: { bodies: { maxBytes: 16, ...(statuses && { statuses }) } } },
      attempt: { hide },
    });
  const reply = (status: number, text: string): { reply: ReturnType<typeof aReply> } => ({
    reply: aReply({ status, body: Buffer.from(text) }),
  });
  const bodies = (record: ReturnType<typeof toRecord>): unknown[] => {
    const { request, response } = record['http'] as Record<string, { body?: { content?: string } } | undefined>;
    return [request?.body?.content, response?.body?.content];
  };
  expect(bodies(toRecord(wanting(['4xx', 200]), reply(404, 'no hush here'), ENDED_MS))).toStrictEqual([
    '{"a":"é"}',
    'no {key} here',
  ]);
  expect(bodies(toRecord(wanting(['4xx', 200]), reply(201, 'made'), ENDED_MS))).toStrictEqual([undefined, undefined]);
  expect(bodies(toRecord(wanting(), { error: new Error('cut') }, ENDED_MS))).toStrictEqual(['{"a":"é"}', undefined]);
  // The bound falls into the middle of the secret, and of a character.
  expect(bodies(toRecord(wanting(), reply(200, 'x'.repeat(14) + 'hush'), ENDED_MS))[1]).toBe('x'.repeat(14) + '{k');
  expect(bodies(toRecord(wanting(), reply(200, 'x'.repeat(15) + 'é'), ENDED_MS))[1]).toBe('x'.repeat(15));
  const image = aReply({ headers: [['content-type', 'image/png']] });
  expect(bodies(toRecord(wanting(), { reply: image }, ENDED_MS))[1]).toBeUndefined();
});
