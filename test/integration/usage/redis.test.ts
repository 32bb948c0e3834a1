import { Redis } from 'ioredis';
import { afterAll, describe, test } from 'vitest';
import type { Clock } from '../../../packages/proxy-manager/src/clock.js';
import { usageStoreContract } from '../../../packages/proxy-manager/src/testing/usage-contract.js';
import { redisUsageStore } from '../../../packages/proxy-manager/src/usage/redis.js';
import type { UsageStore } from '../../../packages/proxy-manager/src/usage/usage-store.js';
import { assertAgreesWithModel } from '../../../packages/proxy-manager/test/usage/agreement.js';
import { redisUrl } from '../../services/urls.js';
import { redisWithClock } from './redis-with-clock.js';
import { assertSameAsMemory } from '../../../packages/proxy-manager/test/usage/same-as-memory.js';

describe('redis usage store', () => {
  const client = new Redis(redisUrl());
  afterAll(() => client.quit());

  usageStoreContract({
    test,
    open: async () => redisUsageStore({ client: async () => client }),
    durable: true,
    ownClock: true,
  });

  describe('by a clock that is given', () => {
    const open = async (clock: Clock): Promise<UsageStore> =>
      redisUsageStore({ client: async () => redisWithClock(client, clock) });
    usageStoreContract({ test, open, durable: true, ownClock: false });

    test('agrees with the plain model, whatever happens in whatever order', async () => {
      await assertAgreesWithModel(open, { runs: 60, steps: 60 });
    });

    test('tells of each take what the memory store does, of many at once and of two sections too', async () => {
      await assertSameAsMemory(open, 40);
    });
  });
});
