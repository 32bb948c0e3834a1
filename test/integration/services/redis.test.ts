import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis } from '../../services/redis.js';
import type { Service } from '../../services/service.js';

let service: Service;

beforeAll(async () => {
  service = await startRedis();
});

afterAll(async () => {
  await service.stop();
});

test('answers', async () => {
  expect(await withClient((redis) => redis.ping())).toBe('PONG');
});

test('is gone after kill, and back at the same address with what it had acknowledged after start', async () => {
  const key = `services-test-${process.pid}-${Date.now()}`;
  await withClient((redis) => redis.set(key, 'kept', 'EX', 60));

  await service.kill();
  await expect(withClient((redis) => redis.ping())).rejects.toThrow(/closed/i);

  await service.start();
  expect(await withClient((redis) => redis.get(key))).toBe('kept');
});

async function withClient<T>(use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(service.url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
