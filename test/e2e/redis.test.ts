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
