import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { startRedis } from '../services/redis.js';
import { startApi } from './support/api.js';
import { startManager } from './support/workspace.js';

const placed = { headers: { 'x-api-key': '{key}' } };

it('shares its counts between machines: two data directories, one Redis', async () => {
  const api = await startApi();
  const endpoint = `api-${randomUUID()}`;
  const secrets = { key_based: { [endpoint]: { limit: 10, refresh_rate: 60, keys: ['key-one', 'key-two'] } } };
  const redis = String(process.env['REDIS_URL']);
  const machines = [startManager({ secrets, redis }), startManager({ secrets, redis })];
  const sends = machines.flatMap((manager) =>
    Array.from({ length: 15 }, () => manager.request(endpoint).send(api.url, placed)),
  );
  const settled = await Promise.allSettled(sends);
  const refused = settled.flatMap((result) =>
    result.status === 'rejected' ? [String(Reflect.get(result.reason, 'code'))] : [],
  );
  expect(refused).toEqual(Array.from({ length: 10 }, () => 'ERR_POOL_EXHAUSTED'));
  expect(api.countBy('x-api-key')).toEqual(
    new Map([
      ['key-one', 10],
      ['key-two', 10],
    ]),
  );
});

it('refuses to send uncounted when Redis is gone, and goes on when it is back', async () => {
  const api = await startApi();
  const redis = await startRedis();
  try {
    const secrets = { key_based: { test_api: { limit: 10, refresh_rate: 60, keys: ['key-one'] } } };
    const req = startManager({ secrets, redis: redis.url }).request('test_api');
    await req.send(api.url, placed);
    await redis.kill();
    await expect(req.send(api.url, placed)).rejects.toMatchObject({
      code: 'ERR_STORE',
      message: expect.stringContaining('redis'),
    });
    expect(api.hits).toHaveLength(1);
    await redis.start();
    await expect.poll(() => req.send(api.url, placed).then(({ status }) => status), { timeout: 20_000 }).toBe(200);
  } finally {
    await redis.stop();
  }
});

it('counts on this machine while Redis is gone, where that is asked for, says so in the log, and comes back', async () => {
  const api = await startApi();
  const redis = await startRedis();
  const logged: (boolean | undefined)[] = [];
  const sink = {
    name: 'test',
    async ship(lines: readonly string[]) {
      logged.push(...lines.map(isLocal));
    },
    close: async () => {},
  };
  try {
    const keys = ['key-one'];
    const secrets = { key_based: { test_api: { limit: 10, refresh_rate: 60, keys, pace: { concurrency: 2 } } } };
    const manager = startManager({ secrets, redis: redis.url, onStoreFailure: 'local', log: { sinks: [sink] } });
    const req = manager.request('test_api');
    await req.send(api.url, placed);
    await redis.kill();
    await Promise.all(Array.from({ length: 4 }, () => req.send(api.url, placed)));
    expect((await manager.usage('test_api'))[0]?.windows[0]?.used).toBe(4);
    await redis.start();
    await expect.poll(async () => (await manager.usage('test_api'))[0]?.windows[0]?.used, { timeout: 40_000 }).toBe(1);
    await req.send(api.url, placed);
    expect((await manager.usage('test_api'))[0]?.windows[0]?.used).toBe(2);
    await manager.flush();
    expect(logged).toEqual([undefined, true, true, true, true, undefined]);
  } finally {
    await redis.stop();
  }
});

function isLocal(line: string): boolean | undefined {
  const { proxy_manager: own } = JSON.parse(line) as { proxy_manager: { usage?: { local: boolean } } };
  return own.usage?.local;
}
