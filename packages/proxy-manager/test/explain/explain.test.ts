import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RequestDefaults } from '../../src/config/options.js';
import type { SecretsFile } from '../../src/config/secrets-file.js';
import type { Explanation } from '../../src/explanation.js';
import { ProxyManager } from '../../src/proxy-manager.js';
import type { Request } from '../../src/request.js';
import { startOrigin } from '../servers/origin.js';
import type { Origin } from '../servers/origin.js';

const KEYS = ['alpha', 'beta', 'gamma'];
const SECRETS: SecretsFile = {
  key_based: {
    shop: {
      limit: 3,
      refresh_rate: 60,
      hosts: ['127.0.0.1'],
      keys: KEYS.map((id) => ({ id, key: `the-key-${id}` })),
      apply: { headers: { 'x-api-key': '{key}' } },
    },
  },
};

let dataDir = '';
let nowMs = 0;
let status = 200;
let origin: Origin;
let manager: ProxyManager;
let seen: string[] = [];

const request = (options: RequestDefaults = {}): Request =>
  manager.request('shop', { validateStatus: () => true, retry: { attempts: 1 }, ...options });

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'explain-'));
  [nowMs, status, seen] = [Date.now(), 200, []];
  origin = await startOrigin((incoming, response): void => {
    seen.push(String(incoming.headers['x-api-key']).replace('the-key-', ''));
    response.writeHead(status).end('ok');
  });
  manager = new ProxyManager({ secrets: SECRETS, dataDir, clock: { now: () => nowMs } });
});
afterEach(async () => {
  await manager.close();
  await origin[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

const lines = ({ candidates }: Explanation): string[] => candidates.map(({ id, because }) => `${id}: ${because}`);

test('names the key that the next send takes, whatever has been used before', async () => {
  const req = request();
  for (let n = 0; n < 8; n += 1) {
    const { key, sends, waitMs } = await req.explain(origin.url);
    expect([sends, waitMs]).toEqual([true, 0]);
    await req.send(origin.url);
    expect(key?.id).toBe(seen.at(-1));
  }
  expect(seen).toHaveLength(8);
});

test('says why each other one is not taken, and counts nothing', async () => {
  const req = request();
  status = 429;
  await req.send(origin.url);
  status = 200;
  await req.send(origin.url, { cost: 2 });
  const told = await req.explain(origin.url, { cost: 2 });
  expect(lines(told)).toEqual([
    'gamma: the fewest uses',
    'alpha: throttled (status 429)',
    'beta: 1 of 3 left, and this costs 2',
  ]);
  expect(lines(await req.explain(origin.url))).toEqual([
    'gamma: the fewest uses',
    'beta: ready, behind gamma',
    'alpha: throttled (status 429)',
  ]);
  const used = (await manager.usage('shop')).map(({ windows }) => windows[0]?.used);
  expect(used).toEqual([1, 2, 0]);
  expect(seen).toHaveLength(2);
});

test('tells how long an exhausted pool would have to be waited for', async () => {
  const req = request();
  await Promise.all(Array.from({ length: 9 }, () => req.send(origin.url)));
  nowMs += 20 * 60_000;
  const { sends, key, waitMs, candidates } = await req.explain(origin.url);
  expect([sends, key]).toEqual([false, undefined]);
  expect(waitMs).toBe(40 * 60_000);
  expect(candidates.map(({ because }) => because)).toEqual(['used 3 of 3', 'used 3 of 3', 'used 3 of 3']);
});

test('says what the cache would say', async () => {
  const req = request({ cache: { ttlMs: 60_000 } });
  expect((await req.explain(origin.url)).cache).toMatchObject({ status: 'miss', because: 'nothing is stored' });
  await req.send(origin.url);
  await expect.poll(async () => (await req.explain(origin.url)).cache.status).toBe('hit');
  nowMs += 20_000;
  const { cache, sends } = await req.explain(origin.url);
  expect(cache).toEqual({ status: 'hit', ageMs: 20_000, because: 'stored 20 s ago, fresh for 40 s more' });
  expect(sends).toBe(false);
  expect((await request().explain(origin.url)).cache.status).toBe('bypass');
  expect((await req.explain(origin.url, { cache: 'reload' })).cache.status).toBe('miss');
});

test('knows of the pinned key and of the session', async () => {
  const pinned = request();
  const { id } = await pinned.getKeyProxy();
  expect(lines(await pinned.explain(origin.url))[0]).toBe(`${id}: that getKeyProxy keeps`);
  const ann = request({ session: 'ann' });
  expect((await ann.explain(origin.url)).key?.because).not.toContain('session');
  await ann.send(origin.url);
  const { key, candidates } = await ann.explain(origin.url);
  expect([key?.id, key?.because]).toEqual([seen.at(-1), 'of the session']);
  expect(candidates.filter(({ because }) => because === 'not the one of the session')).toHaveLength(2);
});

test('rejects as send would before it sends, and shows no secret', async () => {
  const req = request();
  await expect(req.explain('http://elsewhere.example/')).rejects.toMatchObject({ code: 'ERR_HOST_NOT_ALLOWED' });
  await expect(req.explain(origin.url, { cost: 0 })).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  expect(JSON.stringify(await req.explain(origin.url))).not.toContain('the-key');
  await req.close();
  await expect(req.explain(origin.url)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
});

test('a dear request waits for the window that is too full for it, and for no other', async () => {
  await manager.close();
  const limits = [
    { uses: 3, every: '1m' },
    { uses: 100, every: '24h' },
  ] as const;
  const { limit: _limit, refresh_rate: _rate, ...shop } = SECRETS.key_based?.['shop'] ?? { keys: [] };
  const secrets = { key_based: { shop: { ...shop, limits, keys: [{ id: 'alpha', key: 'the-key-alpha' }] } } };
  manager = new ProxyManager({ secrets, dataDir, clock: { now: () => nowMs } });
  const req = request();
  await req.send(origin.url, { cost: 2 });
  expect((await req.explain(origin.url, { cost: 2 })).waitMs).toBe(60_000);
});
