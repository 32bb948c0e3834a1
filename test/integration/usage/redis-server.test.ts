import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError, StoreError } from '../../../packages/proxy-manager/src/errors.js';
import { redisUsageStore } from '../../../packages/proxy-manager/src/usage/redis.js';
import { RECORD } from '../../../packages/proxy-manager/src/usage/redis-lua/fields.js';
import type { Pool } from '../../../packages/proxy-manager/src/usage/usage-store.js';
import { freePort } from '../../services/ports.js';
import { redisUrl } from '../../services/urls.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function poolOf(everyMs = HOUR_MS): Pool {
  return {
    endpoint: `a {b} ${randomUUID()}`,
    sections: [
      { kind: 'key', meters: [{ id: 'a', windows: [{ limit: 5, everyMs }] }] },
      { kind: 'proxy', meters: [{ id: 'p', windows: [] }] },
    ],
  };
}

describe('redis usage store and its server', () => {
  const client = new Redis(redisUrl());
  afterAll(() => client.quit());
  const keysOf = (pool: Pool): Promise<string[]> =>
    client.keys(`{proxy-manager:${encodeURIComponent(pool.endpoint)}}:*`);

  test('keeps all of an endpoint under one hash tag, so that a cluster has it in one place', async () => {
    const pool = poolOf();
    await redisUsageStore({ client: async () => client }).take({ pool, cost: 1 });
    const keys = await client.keys(`*${pool.endpoint.split(' ')[2]}*`);
    expect(keys.length).toBeGreaterThan(4);
    // Redis hashes what stands between the first { and the first } after it.
    const tags = keys.map((key) => /^[^{]*\{([^}]+)\}/.exec(key)?.[1]);
    expect(new Set(tags)).toEqual(new Set([`proxy-manager:${encodeURIComponent(pool.endpoint)}`]));
  });

  test('all keys of an endpoint expire together, well after its longest window and its last rest', async () => {
    const ttls = async (pool: Pool): Promise<number[]> =>
      (await Promise.all((await keysOf(pool)).map((key) => client.pttl(key)))).map((ms) => Math.round(ms / DAY_MS));
    const store = redisUsageStore({ client: async () => client });
    const [month, year] = [poolOf(), poolOf(365 * DAY_MS)];
    // A day more, since expiry is moved once a day.
    await store.take({ pool: month, cost: 1 });
    expect(new Set(await ttls(month))).toEqual(new Set([31]));
    await store.take({ pool: year, cost: 1 });
    expect(Math.max(...(await ttls(year)))).toBe(366);
    await store.rest(month, 'p', Date.now() + 90 * DAY_MS);
    await store.take({ pool: month, cost: 1 });
    expect(new Set(await ttls(month))).toEqual(new Set([91]));
  });

  test('a clock that was far ahead for once holds no window or rest longer than it lasts', async () => {
    const pool = poolOf();
    const store = redisUsageStore({ client: async () => client });
    await store.take({ pool, cost: 5 });
    await store.rest(pool, 'p', Date.now() + HOUR_MS);
    const aheadMs = Date.now() + 365 * DAY_MS;
    const ledger = `{proxy-manager:${encodeURIComponent(pool.endpoint)}}:usage-v2`;
    const clockWasAhead = `
      local ahead, hour = tonumber(ARGV[1]), ${HOUR_MS}
      local head = redis.call('HGET', KEYS[1], 'head')
      redis.call('HSET', KEYS[1], 'head', string.sub(head, 1, 8) .. struct.pack('<d', ahead) .. string.sub(head, 17))
      -- The last three numbers: when its batch was opened, when it ends, and its uses.
      local a = redis.call('HGET', KEYS[2], 'ma')
      redis.call('HSET', KEYS[2], 'ma', string.sub(a, 1, -25) .. struct.pack('<dd', ahead, ahead + hour) .. string.sub(a, -8))
      local p = redis.call('HGET', KEYS[3], 'mp')
      local rest = select(8, struct.unpack('${RECORD}', p))
      local resting = string.sub(p, 1, rest - 1) .. struct.pack('<d', ahead + 2 * hour) .. string.sub(p, rest + 8)
      redis.call('HSET', KEYS[3], 'mp', resting)`;
    const keys = ['head', 'key:nodes', 'proxy:nodes'].map((name) => `${ledger}:${name}`);
    await client.eval(clockWasAhead, keys.length, ...keys, String(aheadMs));
    const beforeMs = Date.now();
    const answer = await store.take({ pool, cost: 1 });
    const [a, p] = await store.read(pool);
    for (const [ms, hours] of [
      [a?.windows[0]?.resetsAtMs, 1],
      [p?.restingUntilMs, 2],
      [answer.granted ? 0 : answer.retryAtMs, 2],
    ] as const) {
      expect(ms).toBeGreaterThanOrEqual(beforeMs + hours * HOUR_MS);
      expect(ms).toBeLessThanOrEqual(Date.now() + hours * HOUR_MS);
    }
    expect(a?.windows[0]?.used).toBe(5);
  });

  test('counts on after the server has forgotten the scripts', async () => {
    const pool = poolOf();
    const store = redisUsageStore({ client: async () => client });
    await store.take({ pool, cost: 1 });
    await client.script('FLUSH');
    const answers = await Promise.all(Array.from({ length: 6 }, () => store.take({ pool, cost: 1 })));
    expect(answers.filter(({ granted }) => granted)).toHaveLength(4);
  });

  test("honours the client's key prefix", async () => {
    const prefixed = new Redis(redisUrl(), { keyPrefix: `${randomUUID()}:` });
    try {
      const pool = poolOf();
      await redisUsageStore({ client: async () => prefixed }).take({ pool, cost: 1 });
      expect(await keysOf(pool)).toEqual([]);
      expect(await client.keys(`${prefixed.options.keyPrefix}*`)).not.toEqual([]);
    } finally {
      await prefixed.quit();
    }
  });

  test.each(['allkeys-lru', 'volatile-ttl'])('is refused on a server that may evict keys (%s)', async (policy) => {
    const settings = ['maxmemory', '1000000000', 'maxmemory-policy', policy];
    const evicting = Object.create(client, { config: { value: async () => settings } }) as Redis;
    const store = redisUsageStore({ client: async () => evicting });
    const fault = await store.take({ pool: poolOf(), cost: 1 }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ConfigError);
    expect(String(fault)).toContain(
      `expected noeviction, for an evicted counter lets a quota be exceeded, found ${policy}`,
    );
  });

  test('works where CONFIG is forbidden', async () => {
    const [user, password] = [`user-${randomUUID()}`, randomUUID()];
    await client.acl('SETUSER', user, 'on', `>${password}`, '~*', '+@all', '-config');
    const bounded = new Redis(redisUrl(), { username: user, password });
    try {
      await expect(bounded.config('GET', 'maxmemory')).rejects.toThrow('NOPERM');
      const answer = await redisUsageStore({ client: async () => bounded }).take({ pool: poolOf(), cost: 1 });
      expect(answer.granted).toBe(true);
    } finally {
      await bounded.quit();
      await client.acl('DELUSER', user);
    }
  });

  test('a server that is away is a StoreError', async () => {
    const away = new Redis({ port: await freePort(), maxRetriesPerRequest: 1, retryStrategy: () => 10 });
    away.on('error', () => {});
    try {
      const store = redisUsageStore({ client: async () => away });
      await expect(store.take({ pool: poolOf(), cost: 1 })).rejects.toThrow(StoreError);
      await expect(store.read(poolOf())).rejects.toThrow('redis usage store: could not read the counts');
    } finally {
      away.disconnect();
    }
  });

  test('a client is asked for at the first use, and stays open', async () => {
    let asked = 0;
    const store = redisUsageStore({
      client: async () => {
        asked += 1;
        return client;
      },
    });
    await store.close();
    expect(asked).toBe(0);
    await store.read(poolOf());
    await store.read(poolOf());
    await store.close();
    expect(asked).toBe(1);
    expect(await client.ping()).toBe('PONG');
  });
});
