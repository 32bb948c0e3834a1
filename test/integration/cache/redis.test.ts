import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheStore } from '../../../packages/proxy-manager/src/cache/cache-store.js';
import type { LeaseStore } from '../../../packages/proxy-manager/src/cache/lease-store.js';
import { memoryCacheStore } from '../../../packages/proxy-manager/src/cache/memory.js';
import { redisCacheStore } from '../../../packages/proxy-manager/src/cache/redis.js';
import { tieredCacheStore } from '../../../packages/proxy-manager/src/cache/tiered.js';
import { cacheStoreContract } from '../../../packages/proxy-manager/src/testing/cache-contract.js';
import { leaseStoreContract } from '../../../packages/proxy-manager/src/testing/lease-contract.js';
import { clock, entry, keyFor } from '../../../packages/proxy-manager/test/cache/entry.js';
import { startRedis } from '../../services/redis.js';
import type { Service } from '../../services/service.js';
import { redisUrl } from '../../services/urls.js';

const BUDGET_MS = 250;
/** What a busy machine may take on top of a budget. */
const SLACK_MS = 250;

const ownBase = (): string => `{cache-test-${randomUUID()}}`;

/** As connections.ts opens one. */
const connect = (url: string): Redis =>
  new Redis(url, { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false }).on('error', () => {});

async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const startedMs = performance.now();
  const result = await work;
  return { result, ms: performance.now() - startedMs };
}

describe('Redis cache store', () => {
  const base = ownBase();
  let client: Redis;
  beforeAll(() => {
    client = connect(redisUrl());
  });
  afterAll(async () => {
    const keys = await client.keys('{cache-test-*');
    if (keys.length > 0) await client.del(...keys);
    await client.quit();
  });
  const open = (options: Partial<Parameters<typeof redisCacheStore>[0]> = {}): CacheStore =>
    redisCacheStore({ client: async () => client, clock, base, lookupBudgetMs: 10_000, ...options });

  cacheStoreContract({
    test,
    open: async (time) => open({ clock: time }),
    durable: true,
    openBounded: async (time, maxBytes) => open({ clock: time, maxBytes, base: ownBase() }),
  });

  leaseStoreContract({
    test,
    open: async () => {
      const [here, there] = [open().leases, open().leases];
      if (here === undefined || there === undefined) throw new Error('no leases');
      return { here, there };
    },
    pass: (ms) => sleep(ms),
  });

  test('Redis itself lets an entry expire, and a later write takes it out of the lists', async () => {
    const own = ownBase();
    const store = open({ base: own });
    await store.set(keyFor('short'), entry({ expiresAtMs: clock.now() + 300, tags: ['short'] }));
    await store.set(keyFor('long'), entry());
    expect(await store.get(keyFor('short'))).toBeDefined();
    await expect.poll(() => client.exists(`${own}:e:${keyFor('short')}`), { timeout: 5_000 }).toBe(0);
    expect(await store.get(keyFor('short'))).toBeUndefined();
    await store.set(keyFor('next'), entry());
    expect((await store.stats()).entries).toBe(2);
    expect(await client.exists(`${own}:tag:short`)).toBe(0);
    for (const list of ['meta', 'lru', 'exp', 'urls', 'totals']) {
      expect(await client.pttl(`${own}:${list}`)).toBeGreaterThan(0);
    }
  });

  test.each([
    ['cut short', (record: Buffer) => record.subarray(0, -1)],
    ['empty', () => Buffer.alloc(0)],
    ['of a future version', (record: Buffer) => Buffer.concat([Buffer.from([99]), record.subarray(1)])],
  ])('an entry that is %s is a miss, deleted, counted', async (_, damage) => {
    const store = open();
    const key = keyFor('damaged');
    await store.set(key, entry());
    const record = await client.getBuffer(`${base}:e:${key}`);
    await client.set(`${base}:e:${key}`, damage(record ?? Buffer.alloc(0)));
    expect(await store.get(key)).toBeUndefined();
    await store.close();
    expect(await client.exists(`${base}:e:${key}`)).toBe(0);
    expect((await store.stats()).damaged).toBe(1);
  });

  test('what one machine changes, the memory of another forgets', async () => {
    const tiered = (): CacheStore => {
      const memory = memoryCacheStore({ maxBytes: 1 << 24, clock });
      return tieredCacheStore({ memory, store: open(), clock, memoryMaxAgeMs: 3_600_000 });
    };
    const [here, there] = [tiered(), tiered()];
    const key = keyFor('shared');
    const textOf = async (): Promise<string> => Buffer.from((await there.get(key))?.body ?? []).toString();
    await here.set(key, entry({ body: Buffer.from('first') }));
    await expect.poll(textOf).toBe('first');
    await here.set(key, entry({ body: Buffer.from('second'), tags: ['shelf'] }));
    await expect.poll(textOf).toBe('second');
    await here.clear({ tag: 'shelf' });
    await expect.poll(() => there.get(key)).toBeUndefined();
    await Promise.all([here.close(), there.close()]);
  });

  test('a client that gives its keys a prefix sees a cache of its own', async () => {
    const prefixed = new Redis(redisUrl(), { keyPrefix: `{cache-test-${randomUUID()}}` });
    const store = open({ client: async () => prefixed });
    await store.set(keyFor('prefixed'), entry({ tags: ['prefixed'] }));
    expect(await store.get(keyFor('prefixed'))).toBeDefined();
    expect(await open().get(keyFor('prefixed'))).toBeUndefined();
    expect(await store.clear({ tag: 'prefixed' })).toBe(1);
    await prefixed.quit();
  });
});

describe('a Redis that goes down and comes back', () => {
  let service: Service;
  let client: Redis;
  beforeAll(async () => {
    service = await startRedis();
    client = connect(service.url);
  });
  afterAll(async () => {
    client.disconnect();
    await service.stop();
  });

  test('is a miss within the budget, memory serves so long, and it serves again by itself', async () => {
    const time = { nowMs: clock.now(), now: (): number => time.nowMs };
    const store = redisCacheStore({ client: async () => client, clock: time });
    const memory = memoryCacheStore({ maxBytes: 1 << 24, clock: time });
    const tiered = tieredCacheStore({ memory, store, clock: time, memoryMaxAgeMs: 1000 });
    const key = keyFor('kept');
    await store.set(key, entry());
    await expect.poll(() => tiered.get(key), { timeout: 10_000 }).toBeDefined();
    await expect.poll(() => memory.get(key)).toBeDefined();

    await service.kill();
    const first = await timed(store.get(key));
    expect(first.result).toBeUndefined();
    expect(first.ms).toBeLessThan(BUDGET_MS + SLACK_MS);
    const rest = await timed(Promise.all(Array.from({ length: 200 }, () => store.get(key))));
    expect(rest.result.every((found) => found === undefined)).toBe(true);
    expect(rest.ms).toBeLessThan(BUDGET_MS + SLACK_MS);
    expect(await tiered.get(key)).toBeDefined();
    time.nowMs += 1000;
    expect(await tiered.get(key)).toBeUndefined();
    const leases: LeaseStore | undefined = store.leases;
    // Which of these it says is a matter of where the client is between two tries to connect.
    await expect(leases?.take(key, 1000, false)).rejects.toThrow(/rests|Connection|retries|no answer within 250 ms/);
    await expect(store.clear()).rejects.toMatchObject({ code: 'ERR_STORE' });

    await service.start();
    await expect.poll(() => store.get(key), { timeout: 35_000, interval: 100 }).toBeDefined();
    await tiered.close();
  });
});

describe('a Redis that takes connections and never answers', () => {
  const sockets: Socket[] = [];
  let server: Server;
  let client: Redis;
  beforeAll(async () => {
    server = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterAll(() => {
    client.disconnect();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test('costs one budget, and nothing after it', async () => {
    const store = redisCacheStore({ client: async () => client, clock });
    const first = await timed(store.get(keyFor('hang')));
    expect(first.result).toBeUndefined();
    expect(first.ms).toBeLessThan(BUDGET_MS + SLACK_MS);
    const rest = await timed(Promise.all(Array.from({ length: 200 }, () => store.get(keyFor('hang')))));
    expect(rest.ms).toBeLessThan(BUDGET_MS);
  });
});
