import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openEnvironment } from '../../src/embedded/environment.js';
import { usageStoreContract } from '../../src/testing/usage-contract.js';
import { lmdbUsageStore } from '../../src/usage/lmdb.js';

describe('lmdb usage store', () => {
  let dataDir = '';
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'usage-'));
  });
  afterAll(() => rm(dataDir, { recursive: true }));

  usageStoreContract({
    test,
    open: async (clock) => {
      const environment = await openEnvironment(dataDir);
      const store = lmdbUsageStore({ environment: async () => environment, clock });
      return { ...store, close: () => store.close().then(environment.close) };
    },
    durable: true,
    ownClock: false,
  });
});
