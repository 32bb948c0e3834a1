import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { CacheStore } from '../../src/cache/cache-store.js';
import { lmdbCacheStore } from '../../src/cache/lmdb.js';
import { memoryCacheStore } from '../../src/cache/memory.js';
import type { ExchangeRecord, RecordLine } from '../../src/log/exchange-record.js';
import type { Exchange, OutboundRequest, Reply } from '../../src/pipeline/exchange.js';
import { header } from '../../src/pipeline/headers.js';
import { cacheStage } from '../../src/stages/cache.js';
import { recordOf } from '../log/log-support.js';
import { NOW_MS } from './entry.js';
import { exchange, reply } from './exchange.js';
import { scratchEnvironment } from './scratch.js';

type Answer = (exchange: Exchange) => Reply | Promise<Reply>;

/** The stage over a memory store and an origin that counts what reaches it. */
function setUp({ answer = () => reply('fresh'), store }: { answer?: Answer; store?: Partial<CacheStore> } = {}) {
  const clock = { nowMs: NOW_MS, now: (): number => clock.nowMs };
  const records: ExchangeRecord[] = [];
  const log = {
    write: (line: RecordLine) => records.push(recordOf(line)),
    gather: async (line: RecordLine) => void records.push(recordOf(line)),
    flush: async () => true,
    close: async () => {},
  };
  const { stage } = cacheStage({ store: { ...memoryCacheStore({ maxBytes: 1 << 24, clock }), ...store }, log, clock });
  const origin = { asked: 0 };
  const send = (sent: Exchange): Promise<Reply> =>
    stage(sent, async (passed) => {
      origin.asked++;
      return answer(passed);
    });
  return { clock, records, origin, send };
}

const textOf = ({ body }: Reply): string => Buffer.from(body as Uint8Array).toString();

test('a miss is sent and stored, the next one is served from the store', async () => {
  const { send, origin, clock } = setUp({ answer: () => reply('fresh', { httpVersion: '2', statusText: 'Fine' }) });
  const first = exchange();
  expect(textOf(await send(first))).toBe('fresh');
  const cacheKey = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(first.trace).toMatchObject({ cache: 'miss', cacheAgeMs: undefined, cacheKey });
  clock.nowMs += 12_345;
  const second = exchange();
  const hit = await send(second);
  expect(second.trace).toMatchObject({ cache: 'hit', cacheAgeMs: 12_345, cacheKey: first.trace.cacheKey, attempts: 0 });
  expect(origin.asked).toBe(1);
  expect(textOf(hit)).toBe('fresh');
  expect(hit).toMatchObject({
    status: 200,
    statusText: 'Fine',
    httpVersion: '2',
    verdict: { kind: 'good' },
    echoesSecret: false,
  });
  expect(hit.url.href).toBe('https://api.example.com/items');
  expect(hit.headers).toEqual([
    ['content-type', 'text/plain'],
    ['age', '12'],
    ['cache-status', 'proxy-manager; hit; ttl=47'],
  ]);
});

test('only a hit is logged here: what goes on is logged by a later stage', async () => {
  const { send, records } = setUp();
  await send(exchange());
  expect(records).toHaveLength(0);
  await send(exchange());
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({
    proxy_manager: { cache: { status: 'hit' } },
    http: { response: { status_code: 200 } },
  });
});

test('age goes on from an upstream cache, and cache-status keeps its word', async () => {
  const headers = [
    ['age', '100'],
    ['cache-status', 'cdn; hit'],
  ] as const;
  const { send, clock } = setUp({ answer: () => reply('x', { headers }) });
  await send(exchange());
  clock.nowMs += 5000;
  const hit = await send(exchange());
  expect(hit.headers).toEqual([
    ['age', '105'],
    ['cache-status', 'cdn; hit'],
    ['cache-status', 'proxy-manager; hit; ttl=55'],
  ]);
});

test('a reply serves for its ttl, and no longer than the ttl of who asks', async () => {
  const { send, origin, clock } = setUp();
  await send(exchange({ ttlMs: 10_000 }));
  clock.nowMs += 5000;
  await send(exchange({ ttlMs: 60_000 }));
  expect(origin.asked).toBe(1);
  await send(exchange({ ttlMs: 5000 }));
  expect(origin.asked).toBe(2);
  clock.nowMs += 5000;
  await send(exchange({ ttlMs: 60_000 }));
  expect(origin.asked).toBe(3);
});

test('a ttl without end can be stored', async () => {
  const { send, origin } = setUp();
  await send(exchange({ ttlMs: Number.POSITIVE_INFINITY }));
  const hit = await send(exchange({ ttlMs: Number.POSITIVE_INFINITY }));
  expect(origin.asked).toBe(1);
  expect(header(hit.headers, 'cache-status')).toMatch(/ttl=\d+$/);
});

test('altering a reply alters no later hit', async () => {
  const { send } = setUp();
  for (let round = 0; round < 4; round++) {
    const { body } = await send(exchange());
    expect(Buffer.from(body as Uint8Array).toString()).toBe('fresh');
    (body as Uint8Array).fill(0);
  }
});

test('without a policy nothing is looked up or stored', async () => {
  const { send, origin } = setUp();
  for (let round = 0; round < 2; round++) {
    const sent = exchange({ ttlMs: undefined });
    await send(sent);
    expect(sent.trace).toMatchObject({ cache: 'bypass', cacheKey: undefined });
  }
  expect(origin.asked).toBe(2);
});

const wire = exchange().request.wire;
const bypassing: [string, Partial<Omit<OutboundRequest, 'url'>>][] = [
  ['POST', { method: 'POST', body: 'a' }],
  ['DELETE', { method: 'DELETE' }],
  ['a body that is a stream', { body: Readable.from(['a']) }],
  ['Cache-Control: no-store', { headers: [['Cache-Control', 'max-age=0, No-Store']] }],
  ['Range', { headers: [['range', 'bytes=0-1']] }],
  ['a socketPath', { wire: { ...wire, axios: { socketPath: '/run/docker.sock' } } }],
];
test.each(bypassing)('%s goes past the cache', async (_, different) => {
  const { send, origin } = setUp();
  await send(exchange({ request: { method: different.method ?? 'GET' } }));
  const asked = origin.asked;
  const sent = exchange({ request: different });
  await send(sent);
  expect(sent.trace.cache).toBe('bypass');
  expect(origin.asked).toBe(asked + 1);
});

test('HEAD is stored apart from GET', async () => {
  const { send, origin } = setUp({ answer: ({ request }) => reply(request.method === 'HEAD' ? '' : 'body') });
  for (const method of ['GET', 'HEAD', 'GET', 'HEAD']) {
    expect(textOf(await send(exchange({ request: { method } })))).toBe(method === 'HEAD' ? '' : 'body');
  }
  expect(origin.asked).toBe(2);
});

const stored: [string, Partial<Reply>][] = [
  ['200', {}],
  ['203', { status: 203 }],
  ['204', { status: 204, body: new Uint8Array() }],
];
test.each(stored)('%s is stored', async (_, different) => {
  const { send, origin } = setUp({ answer: () => reply('x', different) });
  await send(exchange());
  await send(exchange());
  expect(origin.asked).toBe(1);
});

const unstored: [string, Partial<Reply>][] = [
  ['throttled', { verdict: { kind: 'throttled', untilMs: NOW_MS } }],
  ['from a dead proxy', { verdict: { kind: 'proxy-dead', scope: 'everywhere' } }],
  ['from an origin that is down', { verdict: { kind: 'down' } }],
  ['with a pool secret in it', { echoesSecret: true }],
  ...[201, 202, 206, 301, 304, 404, 410, 429, 500].map((status): [string, Partial<Reply>] => [
    `a ${status}`,
    { status },
  ]),
];
test.each(unstored)('a reply that is %s is not stored', async (_, different) => {
  const { send, origin } = setUp({ answer: () => reply('x', different) });
  await send(exchange());
  await send(exchange());
  expect(origin.asked).toBe(2);
});

test('cookies and connection headers are in no stored copy, but in the reply that brought them', async () => {
  const headers = [
    ['set-cookie', 'a=1'],
    ['connection', 'keep-alive'],
    ['etag', '"x"'],
    ['set-cookie', 'b=2'],
  ] as const;
  const { send } = setUp({ answer: () => reply('x', { headers }) });
  expect((await send(exchange())).headers.slice(0, -1)).toEqual(headers);
  expect((await send(exchange())).headers.map(([name]) => name)).toEqual(['etag', 'age', 'cache-status']);
});

test('bytes left encoded for one caller are not stored for the others', async () => {
  const { send, origin } = setUp({ answer: () => reply('zip', { headers: [['content-encoding', 'gzip']] }) });
  await send(exchange({ request: { wire: { ...wire, decompress: false } } }));
  await send(exchange());
  expect(origin.asked).toBe(2);
});

test('where redirects ended is told by a hit, and no hit to a caller that follows none', async () => {
  const moved = new URL('https://www.example.com/moved');
  const { send, origin } = setUp({
    answer: ({ attempt, trace }) => {
      attempt.redirects = 1;
      trace.last = attempt;
      return reply('moved', { url: moved });
    },
  });
  await send(exchange());
  expect((await send(exchange())).url.href).toBe(moved.href);
  await send(exchange({ request: { wire: { ...wire, maxRedirects: 0 } } }));
  expect(origin.asked).toBe(2);
});

test('a reply over the bound of who asks is not served from the store', async () => {
  const { send, origin } = setUp();
  await send(exchange());
  await send(exchange({ request: { wire: { ...wire, maxResponseBytes: 4 } } }));
  expect(origin.asked).toBe(2);
});

const broken = (): never => {
  throw new Error('down');
};
const failing: [string, Partial<CacheStore>][] = [
  ['get rejects', { near: broken, get: () => Promise.reject(new Error('down')) }],
  ['get throws', { near: broken, get: broken }],
  ['set rejects', { set: () => Promise.reject(new Error('full')) }],
  [
    'set throws',
    {
      set() {
        throw new Error('full');
      },
    },
  ],
];
test.each(failing)('a store whose %s is a miss and no error', async (_, store) => {
  const { send, origin } = setUp({ store });
  const sent = exchange();
  expect(textOf(await send(sent))).toBe('fresh');
  expect(sent.trace.cache).toBe('miss');
  expect(textOf(await send(exchange()))).toBe('fresh');
  expect(origin.asked).toBe(2);
});

test('a reply does not wait until it is stored', async () => {
  const { send } = setUp({ store: { set: () => new Promise(() => {}) } });
  expect(textOf(await send(exchange()))).toBe('fresh');
});

test('the signal ends a waiting lookup, and one that has fired sends nothing', async () => {
  const { send, origin } = setUp({ store: { near: () => undefined, get: () => new Promise(() => {}) } });
  const controller = new AbortController();
  const reason = new Error('the caller has had enough');
  const waiting = send(exchange({ signal: controller.signal }));
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(send(exchange({ signal: controller.signal }))).rejects.toBe(reason);
  expect(origin.asked).toBe(0);
});

test('the error of an exchange passes, and stores nothing', async () => {
  let failures = 0;
  const { send } = setUp({
    answer() {
      if (failures++ === 0) throw new Error('reset');
      return reply('better');
    },
  });
  await expect(send(exchange())).rejects.toThrow('reset');
  expect(textOf(await send(exchange()))).toBe('better');
});

test('what another process tells to be stored, and is nowhere to be found, is asked for once here too', async () => {
  const environment = await scratchEnvironment();
  const shared = lmdbCacheStore({ environment: async () => environment, clock: Date });
  const { leases } = shared;
  if (leases === undefined) throw new Error('no leases');
  let isSeen = (): void => {};
  const seen = new Promise<void>((resolve) => (isSeen = resolve));
  const take: typeof leases.take = async (...asked) => {
    const answer = await leases.take(...asked);
    if (answer.state === 'held') isSeen();
    return answer;
  };
  let answerNow = (): void => {};
  const answering = new Promise<void>((resolve) => (answerNow = resolve));
  // As one that does not take bodies of any length, or fails.
  const set = async (): Promise<boolean> => true;
  const here = setUp({ store: { set, leases }, answer: () => answering.then(() => reply('of here')) });
  const there = setUp({ store: { set, leases: { ...leases, take } }, answer: () => reply('of there') });
  const first = here.send(exchange());
  await expect.poll(() => here.origin.asked).toBe(1);
  const others = Array.from({ length: 5 }, () => there.send(exchange()));
  await seen;
  answerNow();
  expect(textOf(await first)).toBe('of here');
  expect((await Promise.all(others)).map(textOf)).toEqual(Array(5).fill('of there'));
  expect([here.origin.asked, there.origin.asked]).toEqual([1, 1]);
  await shared.close();
  await environment.close();
});
