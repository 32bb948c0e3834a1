import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerConnection } from '../../../packages/proxy-manager/src/connections.js';
import { redisConnection } from '../../../packages/proxy-manager/src/redis-connection.js';
import { usageStoreContract } from '../../../packages/proxy-manager/src/testing/usage-contract.js';
import { redisUsageStore } from '../../../packages/proxy-manager/src/usage/redis.js';
import type { Pool, UsageStore } from '../../../packages/proxy-manager/src/usage/usage-store.js';
import type { RedisSentinel, RedisTopology } from '../../services/redis-topology.js';
import { startRedisCluster, startRedisSentinel } from '../../services/redis-topology.js';

const HOUR_MS = 3_600_000;

function poolOf(limit: number): Pool {
  return {
    endpoint: randomUUID(),
    sections: [{ kind: 'key', meters: [{ id: 'a', windows: [{ limit, everyMs: HOUR_MS }] }] }],
  };
}

async function usedOf(store: UsageStore, pool: Pool): Promise<number | undefined> {
  const [reading] = await store.read(pool);
  return reading?.windows[0]?.used;
}

describe('redis usage store on a Cluster of three', () => {
  let cluster: RedisTopology;
  let connection: ServerConnection<Awaited<ReturnType<ReturnType<typeof redisConnection>['client']>>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    connection = redisConnection({ nodes: cluster.nodes.slice(0, 1).map(({ host, port }) => ({ host, port })) });
  });
  afterAll(async () => {
    await connection.close();
    await cluster.stop();
  });

  usageStoreContract({
    test,
    open: async () => redisUsageStore({ client: connection.client }),
    durable: true,
    ownClock: true,
  });

  test('endpoints lie on all nodes, each whole on one', async () => {
    const store = redisUsageStore({ client: connection.client });
    const pools = Array.from({ length: 30 }, () => poolOf(5));
    await Promise.all(pools.map((pool) => store.take({ pool, cost: 1 })));
    const found = await Promise.all(cluster.nodes.map(({ admin }) => admin.keys('*')));
    for (const { endpoint } of pools) {
      expect(found.filter((keys) => keys.some((key) => key.includes(endpoint)))).toHaveLength(1);
    }
    for (const keys of found)
      expect(pools.some(({ endpoint }) => keys.some((key) => key.includes(endpoint)))).toBe(true);
  });

  test('a Cluster that is gone is an ERR_STORE within seconds, at the first use and later', async () => {
    const doomed = await startRedisCluster();
    const nodes = doomed.nodes.map(({ host, port }) => ({ host, port }));
    const [early, late] = [redisConnection({ nodes }), redisConnection({ nodes })];
    try {
      const pool = poolOf(5);
      await redisUsageStore({ client: early.client }).take({ pool, cost: 1 });
      await doomed.stop();
      for (const { client } of [early, late]) {
        const startedMs = Date.now();
        await expect(redisUsageStore({ client }).take({ pool, cost: 1 })).rejects.toMatchObject({ code: 'ERR_STORE' });
        expect(Date.now() - startedMs).toBeLessThan(10_000);
      }
    } finally {
      await Promise.all([early.close(), late.close(), doomed.stop()]);
    }
  });
});

describe('redis usage store behind a Sentinel', () => {
  let redis: RedisSentinel;
  beforeAll(async () => {
    redis = await startRedisSentinel();
  });
  afterAll(() => redis.stop());

  test('counts go on at the promoted replica; what the replica had is not forgotten', async () => {
    const connection = redisConnection({ sentinels: [redis.sentinel], name: redis.name });
    try {
      const store = redisUsageStore({ client: connection.client });
      const pool = poolOf(10);
      for (let n = 0; n < 4; n += 1) expect((await store.take({ pool, cost: 1 })).granted).toBe(true);
      // Replication is asynchronous: without this the failover might lose the last uses, as the docs say.
      await redis.master.admin.wait(1, 5_000);
      await redis.master.kill();
      const failed: unknown[] = [];
      const takeUntilAnswered = async (): Promise<unknown> => {
        for (;;) {
          try {
            return await store.take({ pool, cost: 1 });
          } catch (error) {
            failed.push(error);
          }
        }
      };
      expect(await takeUntilAnswered()).toMatchObject({ granted: true });
      for (const error of failed) expect(error).toMatchObject({ code: 'ERR_STORE' });
      expect(await usedOf(store, pool)).toBe(5);
      expect(await redis.replica.admin.info('replication')).toContain('role:master');
    } finally {
      await connection.close();
    }
  });
});
