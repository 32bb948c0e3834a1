import { expect, test } from 'vitest';
import { ConfigError, StoreError } from '../../src/errors.js';
import { memoryUsageStore } from '../../src/usage/memory.js';
import type { Pool, UsageStore } from '../../src/usage/usage-store.js';
import { withFallback } from '../../src/usage/with-fallback.js';

const POOL: Pool = { endpoint: 'shop', sections: [{ kind: 'key', meters: [{ id: 'alpha', windows: [] }] }] };
const local: UsageStore = memoryUsageStore({ clock: { now: () => 0 } });

const failing = (error: Error): UsageStore => {
  const take = async (): Promise<never> => {
    throw error;
  };
  return withFallback({ ...local, take }, local);
};

test('a store that is away is stood in for', async () => {
  const store = failing(new StoreError('Redis', 'count', new Error('gone')));
  for (let n = 0; n < 3; n += 1) expect(await store.take({ pool: POOL, cost: 1 })).toMatchObject({ isLocal: true });
});

test('one that must not be used as it is set up is refused each time, and not stood in for', async () => {
  const store = failing(new ConfigError('redis', ['maxmemory-policy: expected noeviction']));
  for (let n = 0; n < 3; n += 1) {
    await expect(store.take({ pool: POOL, cost: 1 })).rejects.toBeInstanceOf(ConfigError);
  }
});
