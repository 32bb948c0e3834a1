import { mkdtempSync, rmSync } from 'node:fs';
import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import type { CacheableReply } from '../../src/config/cache-options.js';
import type { ManagerOptions, RequestDefaults } from '../../src/config/options.js';
import type { KeyEndpointEntry } from '../../src/config/secrets-file.js';
import type { OutcomeReply } from '../../src/pool/outcome.js';
import { ProxyManager } from '../../src/proxy-manager.js';
import type { Handler } from '../servers/origin.js';
import { startOrigin } from '../servers/origin.js';

const KEY = 'a-secret-key-of-the-pool';
const OTHER_KEY = 'the-other-key-of-the-pool';
const placed = { headers: { 'x-api-key': '{key}' } };

afterEach(() => {
  vi.restoreAllMocks();
});

interface Given {
  readonly handler?: Handler;
  readonly keys?: KeyEndpointEntry;
  readonly options?: Partial<ManagerOptions>;
}

/** A manager with an origin that answers `answer <n>`, and a way to make Requests on it. */
async function setUp({ handler, keys = { keys: [KEY] }, options }: Given = {}) {
  const clock = { nowMs: Date.now(), now: (): number => clock.nowMs };
  const answer: Handler = handler ?? ((_request, response) => response.end(`answer ${origin.requests}`));
  const origin = await startOrigin(answer);
  const dataDir = mkdtempSync(join(tmpdir(), 'through-send-'));
  const secrets = { key_based: { api: keys } };
  const manager = new ProxyManager({ secrets, dataDir, clock, cache: { store: 'memory' }, ...options });
  onTestFinished(async () => {
    await manager.close();
    await origin.close();
    rmSync(dataDir, { recursive: true });
  });
  const request = (defaults: RequestDefaults) =>
    manager.request('api', { retry: { attempts: 1 }, userAgent: false, ...defaults });
  return { clock, origin, manager, request, dataDir };
}

test('changing res.data never alters a later hit', async () => {
  const { origin, request } = await setUp({
    handler: (_request, response) =>
      response.setHeader('content-type', 'application/json').end('{"items":[{"id":1}],"name":"x"}'),
  });
  const req = request({ cache: true });
  for (let round = 0; round < 4; round++) {
    const bytes = await req.send<Buffer>(origin.url, { ...placed, responseType: 'arraybuffer' });
    expect(bytes.data.toString()).toBe('{"items":[{"id":1}],"name":"x"}');
    bytes.data.fill(0);
    const { data, headers } = await req.send<{ items: { id: number }[]; name: string }>(origin.url, placed);
    expect(data).toEqual({ items: [{ id: 1 }], name: 'x' });
    data.items.push({ id: 2 });
    data.name = 'y';
    headers['content-type'] = 'text/plain';
  }
  expect(origin.requests).toBe(1);
});

test.each<readonly [string, (req: ReturnType<ProxyManager['request']>, url: string) => Promise<Uint8Array>]>([
  ['send', async (req, url) => (await req.send<Buffer>(url, { ...placed, responseType: 'arraybuffer' })).data],
  ['axios', async (req, url) => (await req.axios.get<Buffer>(url, { ...placed, responseType: 'arraybuffer' })).data],
  ['fetch', async (req, url) => new Uint8Array(await (await req.fetch(url, placed)).arrayBuffer())],
])('altering the bytes of a miss that %s gave alters no later hit', async (_, bytesFrom) => {
  const answer = 'long enough to be most of what came off the wire '.repeat(40);
  const { origin, request } = await setUp({ handler: (_request, response) => response.end(answer) });
  const req = request({ cache: true });
  const bytes = await bytesFrom(req, origin.url);
  expect(Buffer.from(bytes).toString()).toBe(answer);
  bytes.fill(0);
  expect((await req.send(origin.url, placed)).data).toBe(answer);
  expect(origin.requests).toBe(1);
});

/** As gzip, with room for a comment that decoding leaves out (RFC 1952 §2.3). */
function gzipped(body: string, comment: string): Buffer {
  const plain = gzipSync(body);
  const header = Buffer.from(plain.subarray(0, 10));
  header.writeUInt8(0x10, 3);
  return Buffer.concat([header, Buffer.from(`${comment}\0`), plain.subarray(10)]);
}

test.each([
  ['is kept as it came', 'no secret', true],
  ['is coded anew where the coding holds a key', KEY, false],
])('a reply that came compressed %s', async (_, comment, isKept) => {
  const words = Array.from({ length: 3000 }, (_word, index) => `word ${index % 700}`).join(' ');
  const wire = gzipped(words, comment);
  const { origin, request, manager, dataDir } = await setUp({
    handler: (_request, response) =>
      response.setHeader('content-type', 'text/plain').setHeader('content-encoding', 'gzip').end(wire),
    options: { cache: { store: 'embedded', memoryMaxBytes: 1 } },
  });
  const req = request({ cache: true });
  for (const cache of ['miss', 'hit', 'hit']) {
    const { data, exchange, headers } = await req.send<string>(origin.url, placed);
    expect([data === words, exchange.cache, headers['content-encoding']]).toEqual([true, cache, undefined]);
  }
  expect(origin.requests).toBe(1);
  expect((await manager.cache.stats()).store).toMatchObject({ entries: 1, damaged: 0 });
  const onDisk = (bytes: Buffer | string): boolean =>
    readdirSync(join(dataDir, 'cache'), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .some((file) => readFileSync(join(file.parentPath, file.name)).includes(bytes));
  expect([onDisk(wire.subarray(0, 1000)), onDisk(KEY)]).toEqual([isKept, false]);
});

test('a hit waits for no slot of the pace, and takes none', async () => {
  const keys = { keys: [KEY], pace: { concurrency: 1, minTimeMs: 3_600_000 } };
  const { origin, request } = await setUp({ keys });
  const req = request({ cache: true });
  await req.send(origin.url, placed);
  // The next slot is an hour away.
  const hits = await Promise.all(Array.from({ length: 3 }, () => req.send(origin.url, placed)));
  expect(hits.map(({ exchange }) => [exchange.cache, exchange.waitedMs])).toEqual(hits.map(() => ['hit', 0]));
  expect(origin.requests).toBe(1);
});

test('a mode of fetch holds for a Request, and a call has the last word', async () => {
  const { origin, request } = await setUp();
  const parser = request({ cache: 'only-if-cached' });
  await expect(parser.send(origin.url, placed)).rejects.toMatchObject({ code: 'ERR_NOT_CACHED' });
  expect(origin.requests).toBe(0);
  expect((await parser.send(origin.url, { ...placed, cache: 'force-cache' })).exchange.cache).toBe('miss');
  expect((await parser.send(origin.url, placed)).exchange.cache).toBe('hit');
  const fresh = request({ cache: 'reload' });
  expect((await fresh.send(origin.url, placed)).data).toBe('answer 2');
  expect((await fresh.send(origin.url, { ...placed, cache: 'only-if-cached' })).data).toBe('answer 2');
  expect((await request({ cache: 'no-store' }).send(origin.url, placed)).exchange.cache).toBe('bypass');
  expect((await parser.send(origin.url, placed)).data).toBe('answer 2');
});

test('a stream is stored while it passes, and comes out of the cache as stream or whole', async () => {
  const { origin, request } = await setUp({
    handler: (_request, response) => Readable.from(['a'.repeat(70_000), 'b'.repeat(70_000)]).pipe(response),
  });
  const whole = 'a'.repeat(70_000) + 'b'.repeat(70_000);
  const req = request({ cache: true });
  const streamed = { ...placed, responseType: 'stream' } as const;
  const first = await req.send<Readable>(origin.url, streamed);
  expect(first.exchange.cache).toBe('miss');
  expect((await buffer(first.data)).toString()).toBe(whole);
  const second = await req.send<Readable>(origin.url, streamed);
  expect(second.exchange.cache).toBe('hit');
  expect((await buffer(second.data)).toString()).toBe(whole);
  const third = await req.send<string>(origin.url, placed);
  expect(third.exchange.cache).toBe('hit');
  expect(third.data).toBe(whole);
});

test('a stream longer than maxEntryBytes passes on whole, and is not stored', async () => {
  const { origin, request } = await setUp({
    handler: (_request, response) => Readable.from(['a'.repeat(3000), 'b'.repeat(3000)]).pipe(response),
  });
  const req = request({ cache: { maxEntryBytes: 5000 } });
  for (let round = 0; round < 2; round++) {
    const { data, exchange } = await req.send<Readable>(origin.url, { ...placed, responseType: 'stream' });
    expect(exchange.cache).toBe('miss');
    expect((await buffer(data)).byteLength).toBe(6000);
  }
});

test.each([
  ['the origin breaks it off', (data: Readable) => expect(buffer(data)).rejects.toThrow(/\S/)],
  [
    'its reader lets go',
    async (data: Readable) => {
      const closed = new Promise((resolve) => data.once('close', resolve));
      data.once('data', () => data.destroy());
      await closed;
    },
  ],
])('nothing of a stream is stored where %s', async (_, read) => {
  const { origin, request } = await setUp({
    handler: (_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half of it', () => {
        if (origin.requests === 1) setImmediate(() => response.destroy());
        else response.end('x'.repeat(90));
      });
    },
  });
  const req = request({ cache: true });
  const first = await req.send<Readable>(origin.url, { ...placed, responseType: 'stream' });
  await read(first.data);
  const second = await req.send(origin.url, placed);
  expect(second.exchange.cache).toBe('miss');
});

test('a reply that echoes a key is not stored, however it is read', async () => {
  const { origin, request, manager, dataDir } = await setUp({
    handler: (asked, response) => response.end(`you are ${String(asked.headers['x-api-key'])}`),
    options: { cache: { store: 'embedded' } },
  });
  const req = request({ cache: true });
  for (const responseType of ['text', 'stream', 'text', 'stream'] as const) {
    const { data, exchange } = await req.send<Readable | string>(origin.url, { ...placed, responseType });
    expect(exchange.cache).toBe('miss');
    const text = data instanceof Readable ? (await buffer(data)).toString() : data;
    expect(text).toBe(`you are ${KEY}`);
  }
  await manager.close();
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  for (const file of files) expect(readFileSync(join(file.parentPath, file.name)).includes(KEY)).toBe(false);
});

test('shouldStore is asked about the whole reply, and only true lets it in', async () => {
  const { origin, request } = await setUp({
    handler: (asked, response) => response.end(asked.url === '/wall' ? 'prove that you are human' : 'a page'),
  });
  const seen: unknown[] = [];
  const req = request({
    cache: {
      shouldStore: ({ endpoint, method, url, headers, labels }, { status, body }) => {
        seen.push({ endpoint, method, path: new URL(url).pathname, key: headers.get('x-api-key'), labels, status });
        return !Buffer.from(body).includes('prove that you are human');
      },
    },
  });
  for (const [path, then] of [
    ['/wall', 'miss'],
    ['/page', 'hit'],
  ] as const) {
    await req.send(origin.url + path, { ...placed, labels: { team: 'blue' } });
    expect((await req.send(origin.url + path, placed)).exchange.cache).toBe(then);
  }
  expect(seen[0]).toEqual({
    endpoint: 'api',
    method: 'GET',
    path: '/wall',
    key: '{key}',
    labels: { team: 'blue' },
    status: 200,
  });
});

test('a shouldStore that throws stores nothing, and says so', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const { origin, request } = await setUp();
  const fault = new Error('a slip in shouldStore');
  const req = request({
    cache: {
      shouldStore() {
        throw fault;
      },
    },
  });
  for (let round = 0; round < 2; round++) expect((await req.send(origin.url, placed)).exchange.cache).toBe('miss');
  expect(warned).toHaveBeenCalledWith(
    'cache.shouldStore failed, so that the reply is not stored: Error: a slip in shouldStore',
    { detail: fault.stack },
  );
});

test('Cache-Status says why a reply is not stored', async () => {
  const { origin, request } = await setUp({
    handler: (asked, response) => {
      if (asked.url === '/down') response.statusCode = 500;
      response.end(asked.url === '/echo' ? `you are ${String(asked.headers['x-api-key'])}` : 'a page');
    },
  });
  const req = request({ retry: { attempts: 1 }, validateStatus: null });
  for (const [path, cache, told] of [
    ['/page', {}, 'fwd-status=200; stored'],
    ['/echo', {}, 'fwd-status=200; detail=echoes-a-secret'],
    ['/down', {}, 'fwd-status=500; detail=not-good'],
    ['/long', { maxEntryBytes: 5 }, 'fwd-status=200; detail=too-long'],
    ['/unwanted', { shouldStore: (_: unknown, { text }: CacheableReply) => text() !== 'a page' }, 'detail=shouldStore'],
  ] as const) {
    const { headers } = await req.send(origin.url + path, { ...placed, cache });
    expect(String(headers['cache-status'])).toMatch(new RegExp(`${told}$`));
  }
});

test('the answer tells what it was taken for: a page with status 200 may be a wall', async () => {
  const { origin, request } = await setUp();
  const req = request({ cache: true, retry: { attempts: 1 } });
  const outcome = (_: unknown, { text }: OutcomeReply): 'spent' | undefined =>
    text() === 'answer 3' ? 'spent' : undefined;
  const verdicts = [];
  for (const path of ['/a', '/a', '/b', '/c']) {
    const { status, exchange } = await req.send(origin.url + path, { ...placed, outcome });
    verdicts.push([status, exchange.cache, exchange.verdict]);
  }
  expect(verdicts).toEqual([
    [200, 'miss', 'good'],
    [200, 'hit', undefined],
    [200, 'miss', 'good'],
    [200, 'miss', 'spent'],
  ]);
});

test('perCredential keeps the replies of each pinned credential apart', async () => {
  const { origin, request } = await setUp({ keys: { keys: [KEY, OTHER_KEY] } });
  const [one, two] = [request({ cache: { perCredential: true } }), request({ cache: { perCredential: true } })];
  const shared = request({ cache: true });
  await expect(one.send(origin.url, placed)).rejects.toMatchObject({
    code: 'ERR_CONFIG',
    message: expect.stringMatching(/cache: perCredential: .*getKeyProxy\(\)/),
  });
  expect(origin.requests).toBe(0);
  await one.getKeyProxy();
  await two.getKeyProxy();
  const ask = async (req: typeof one) => {
    const { data, exchange } = await req.send(origin.url, placed);
    return `${exchange.cache} ${String(data)}`;
  };
  expect(await ask(one)).toBe('miss answer 1');
  expect(await ask(two)).toBe('miss answer 2');
  expect(await ask(shared)).toBe('miss answer 3');
  expect([await ask(one), await ask(two), await ask(shared)]).toEqual(['hit answer 1', 'hit answer 2', 'hit answer 3']);
});

test.each([
  ['authorization', { authorization: 'Bearer {key}' }, {}],
  ['x-api-key', { 'x-api-key': '{key}' }, {}],
  ['x-api-key', undefined, { 'x-api-key': '{key}' }],
])(
  'Vary: %s keeps pinned credentials apart, though their keys are put in only at the wire',
  async (vary, applied, headers) => {
    const { origin, request } = await setUp({
      keys: { keys: [KEY, OTHER_KEY], ...(applied && { apply: { headers: applied } }) },
      handler: (_request, response) =>
        response.writeHead(200, { 'cache-control': 'max-age=60', vary }).end(`answer ${origin.requests}`),
    });
    const [one, two] = [request({ cache: { mode: 'http' } }), request({ cache: { mode: 'http' } })];
    await one.getKeyProxy();
    await two.getKeyProxy();
    const answers = [];
    for (const req of [one, two, one, two]) answers.push((await req.send(origin.url, { headers })).data);
    expect(answers).toEqual(['answer 1', 'answer 2', 'answer 1', 'answer 2']);
  },
);

test('a stale reply stands in where all keys are used up, and is logged as such', async () => {
  const lines: string[] = [];
  const sink = {
    name: 'lines',
    ship: async (some: readonly string[]) => void lines.push(...some),
    close: async () => {},
  };
  const { clock, manager, origin, request } = await setUp({
    keys: { limit: 1, refresh_rate: 60, keys: [KEY] },
    options: { log: { sinks: [sink] } },
  });
  const req = request({ cache: { ttlMs: 1000, staleIfErrorMs: 60_000 } });
  await req.send(origin.url, placed);
  clock.nowMs += 2000;
  const { data, exchange } = await req.send(origin.url, placed);
  expect(data).toBe('answer 1');
  expect(exchange).toMatchObject({ cache: 'stale' });
  clock.nowMs += 60_000;
  await expect(req.send(origin.url, placed)).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
  await manager.flush();
  const records = lines.map((line) => JSON.parse(line) as { event: object; proxy_manager: { cache: object } });
  expect(records).toContainEqual(
    expect.objectContaining({
      event: expect.objectContaining({ action: 'cache-hit', outcome: 'success' }),
      proxy_manager: expect.objectContaining({ cache: expect.objectContaining({ status: 'stale', age_ms: 2000 }) }),
    }),
  );
});

test('a confirmed reply is one document in the log, and says so', async () => {
  const lines: string[] = [];
  const sink = {
    name: 'lines',
    ship: async (some: readonly string[]) => void lines.push(...some),
    close: async () => {},
  };
  const { manager, origin, request } = await setUp({
    handler: (asked, response) =>
      asked.headers['if-none-match'] === '"v1"'
        ? response.writeHead(304).end()
        : response.writeHead(200, { etag: '"v1"', 'cache-control': 'no-cache' }).end('the same'),
    options: { log: { sinks: [sink] } },
  });
  const req = request({ cache: { mode: 'http' } });
  await req.send(origin.url, placed);
  const { data, exchange, status } = await req.send(origin.url, placed);
  expect([data, exchange.cache, exchange.attempts, status]).toEqual(['the same', 'revalidated', 1, 200]);
  await manager.flush();
  const records = lines.map((line) => JSON.parse(line) as { event: object; proxy_manager: object; http: object });
  expect(records).toHaveLength(2);
  expect(records[1]).toMatchObject({
    event: { action: 'http-request', outcome: 'success' },
    http: { response: { status_code: 304 } },
    proxy_manager: { cache: { status: 'revalidated' }, verdict: 'good' },
  });
});

test('a stale reply stands in where the origin is too slow', async () => {
  let isSlow = false;
  const { clock, origin, request } = await setUp({
    handler: (_request, response) => (isSlow ? undefined : response.end('in time')),
  });
  const req = request({ cache: { ttlMs: 1000, staleIfErrorMs: 60_000 }, timeout: 5000 });
  await req.send(origin.url, placed);
  isSlow = true;
  clock.nowMs += 2000;
  const late = await req.send(origin.url, { ...placed, timeout: 50 });
  expect([late.exchange.cache, late.data]).toEqual(['stale', 'in time']);
  const overdue = await req.send(origin.url, { ...placed, retry: { deadlineMs: 50 } });
  expect([overdue.exchange.cache, overdue.data]).toEqual(['stale', 'in time']);
});

test('a caller who aborts gets no stale reply, but his own reason', async () => {
  let isSlow = false;
  const { clock, origin, request } = await setUp({
    handler: (_request, response) => (isSlow ? undefined : response.end('in time')),
  });
  const req = request({ cache: { ttlMs: 1000, staleIfErrorMs: 60_000 } });
  await req.send(origin.url, placed);
  isSlow = true;
  clock.nowMs += 2000;
  const sent = req.send(origin.url, { ...placed, signal: AbortSignal.timeout(50) });
  await expect(sent).rejects.toMatchObject({ code: 'ERR_CANCELED' });
});

test('many stale replies are refreshed once, and closing ends the refresh', async () => {
  let isSlow = false;
  let hungUp = 0;
  const { clock, manager, origin, request } = await setUp({
    handler(_request, response) {
      if (isSlow) response.once('close', () => hungUp++);
      else response.end('in time');
    },
  });
  const req = request({ cache: { ttlMs: 1000, staleWhileRevalidateMs: 60_000 } });
  await req.send(origin.url, placed);
  isSlow = true;
  clock.nowMs += 2000;
  const replies = await Promise.all(Array.from({ length: 20 }, () => req.send(origin.url, placed)));
  expect(new Set(replies.map(({ exchange }) => exchange.cache))).toEqual(new Set(['stale']));
  await expect.poll(() => origin.requests).toBe(2);
  await manager.close();
  await expect.poll(() => hungUp).toBe(1);
  expect(origin.requests).toBe(2);
});

test('in http mode the reply that a redirect led to is not stored under the first url', async () => {
  const { origin, request } = await setUp({
    handler: (asked, response) =>
      asked.url === '/from'
        ? response.writeHead(302, { location: '/to' }).end()
        : response.writeHead(200, { 'cache-control': 'max-age=60', etag: '"v"' }).end('there'),
  });
  const req = request({ cache: { mode: 'http' } });
  for (let round = 0; round < 2; round++) {
    expect((await req.send(`${origin.url}/from`, placed)).exchange.cache).toBe('miss');
  }
  await req.send(`${origin.url}/to`, placed);
  expect((await req.send(`${origin.url}/to`, placed)).exchange.cache).toBe('hit');
});

test('Vary: user-agent knows a rotated one as one, and a given one by its words', async () => {
  const { origin, request } = await setUp({
    handler: (_request, response) =>
      response.writeHead(200, { 'cache-control': 'max-age=60', vary: 'user-agent' }).end(`answer ${origin.requests}`),
  });
  const ask = async (userAgent: boolean | string) => {
    const req = request({ cache: { mode: 'http' }, userAgent });
    return (await req.send(origin.url, placed)).exchange.cache;
  };
  expect([await ask(true), await ask(true)]).toEqual(['miss', 'hit']);
  expect([await ask('robot/1'), await ask('robot/2'), await ask('robot/1')]).toEqual(['miss', 'miss', 'hit']);
});
