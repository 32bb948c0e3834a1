import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Pace } from '../../../packages/proxy-manager/src/config/resolve.js';
import { HostPace } from '../../../packages/proxy-manager/src/pace/host-pace.js';
import { StoreError } from '../../../packages/proxy-manager/src/errors.js';
import { limiters } from '../../../packages/proxy-manager/src/pace/limiters.js';
import { redisConnection } from '../../../packages/proxy-manager/src/redis-connection.js';
import { startRedis } from '../../services/redis.js';
import { startRedisCluster } from '../../services/redis-topology.js';
import type { RedisTopology } from '../../services/redis-topology.js';
import { redisUrl } from '../../services/urls.js';

const HOLDER = fileURLToPath(new URL('holder.mjs', import.meta.url));
const NEVER = new AbortController().signal;

type Setting = Parameters<typeof redisConnection>[0];

interface Own {
  readonly host: HostPace;
  readonly fault: Promise<unknown>;
}

/** The slots of `name` as one process of many sees them. */
async function openHost(setting: Setting, name: string, pace: Partial<Pace>, slotMs?: number): Promise<Own> {
  const connection = redisConnection(setting);
  const all = limiters(connection, slotMs === undefined ? {} : { slotMs });
  const whole = { concurrency: undefined, minTimeMs: 0, reservoir: undefined, ...pace };
  const { promise: fault, resolve: onFault } = withResolvers();
  const host = new HostPace(whole, await all.open(name, whole, onFault));
  onTestFinished(async () => {
    host.close(new Error('the test is over'));
    await all.close();
    await connection.close();
  });
  return { host, fault };
}

function withResolvers(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: ((value: unknown) => void) | undefined;
  const promise = new Promise<unknown>((settle) => (resolve = settle));
  return { promise, resolve: (value) => resolve?.(value) };
}

/** Everyone acquires `each` slots one after the other; tells when each was acquired, and how many were held at once. */
async function share(owns: readonly Own[], each: number): Promise<{ startedMs: number[]; most: number }> {
  const startedMs: number[] = [];
  let [held, most] = [0, 0];
  await Promise.all(
    owns.map(async ({ host }) => {
      for (let n = 0; n < each; n += 1) {
        const release = await host.acquire(NEVER);
        startedMs.push(performance.now());
        most = Math.max(most, (held += 1));
        await new Promise((resolve) => setTimeout(resolve, 10));
        held -= 1;
        release();
      }
    }),
  );
  return { startedMs, most };
}

const settings: Record<string, () => Setting> = { 'one Redis': redisUrl };
let cluster: RedisTopology;
beforeAll(async () => {
  cluster = await startRedisCluster();
  settings['a Cluster'] = () => ({ nodes: cluster.nodes.map(({ host, port }) => ({ host, port })) });
});
afterAll(() => cluster.stop());

describe.each(['one Redis', 'a Cluster'])('pace on %s', (name) => {
  const several = (count: number, pace: Partial<Pace>): Promise<Own[]> => {
    const host = randomUUID();
    const setting = settings[name]?.() ?? '';
    return Promise.all(Array.from({ length: count }, () => openHost(setting, host, pace)));
  };

  test('all share one concurrency', async () => {
    const { most, startedMs } = await share(await several(4, { concurrency: 2 }), 5);
    expect(startedMs).toHaveLength(20);
    expect(most).toBe(2);
  });

  test('the starts of all are minTimeMs apart', async () => {
    const { startedMs } = await share(await several(3, { minTimeMs: 50 }), 3);
    // Redis assigns the starts, and each process is as late as its timers are.
    expect((startedMs.at(-1) ?? 0) - (startedMs[0] ?? 0)).toBeGreaterThan(8 * 50 - 25);
  });

  test('all draw from one reservoir', async () => {
    const { startedMs } = await share(await several(3, { reservoir: { starts: 4, everyMs: 2_000 } }), 2);
    expect(startedMs[3] ?? Infinity).toBeLessThan((startedMs[0] ?? 0) + 1_000);
    expect(startedMs[4] ?? 0).toBeGreaterThan((startedMs[0] ?? 0) + 1_000);
  });
});

test('the slot of a process that is killed is free again', async () => {
  const name = randomUUID();
  const slotMs = 2_000;
  const holder = spawn(process.execPath, [HOLDER, redisUrl(), name, String(slotMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const { host } = await openHost(redisUrl(), name, { concurrency: 1 }, slotMs);
  let acquired = false;
  const waiting = host.acquire(NEVER).then((release) => {
    acquired = true;
    return release;
  });
  holder.kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, slotMs / 4));
  expect(acquired).toBe(false);
  (await waiting)();
});

test('a Redis that goes away is told, and one that is away', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const name = randomUUID();
  const { host, fault } = await openHost(redis.url, name, { concurrency: 1 });
  await host.acquire(NEVER);
  await redis.kill();
  expect(await fault).toBeInstanceOf(StoreError);
  const away = openHost(redis.url, name, { concurrency: 1 });
  await expect(away).rejects.toThrow(StoreError);
  await expect(away).rejects.toThrow('pace: could not wait for a slot');
  await redis.start();
  const { host: again } = await openHost(redis.url, randomUUID(), { concurrency: 1 });
  (await again.acquire(NEVER))();
});

test('a Redis that says nothing more lets go of who is done, and nothing is left to reject', async () => {
  const rejected: unknown[] = [];
  const note = (reason: unknown): void => void rejected.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const connection = redisConnection(redis.url);
  const all = limiters(connection);
  const pace = { concurrency: 1, minTimeMs: 0, reservoir: undefined };
  const own = await all.open(randomUUID(), pace, () => {});
  const host = new HostPace(pace, own);
  (await host.acquire(NEVER))();
  const { subscriber } = own.limiter.clients() as { subscriber: Redis };
  const ended = once(subscriber, 'end');
  const admin = await connection.client();
  await admin.client('PAUSE', 30_000);
  host.close(new Error('the test is over'));
  await all.close();
  await ended;
  await connection.close();
  expect(rejected).toEqual([]);
});
