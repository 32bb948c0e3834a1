import { Redis } from 'ioredis';
import { afterAll, describe, test } from 'vitest';
import { usageStoreContract } from '../../../packages/proxy-manager/src/testing/usage-contract.js';
import { redisUsageStore } from '../../../packages/proxy-manager/src/usage/redis.js';
import { redisUrl } from '../../services/urls.js';

describe('redis usage store', () => {
  const client = new Redis(redisUrl());
  afterAll(() => client.quit());

  usageStoreContract({
    test,
    open: async () => redisUsageStore({ client: async () => client }),
    durable: true,
    ownClock: true,
  });
});
