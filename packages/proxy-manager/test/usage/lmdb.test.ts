import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { openCounts } from '../../src/embedded/environment.js';
import { usageStoreContract } from '../../src/testing/usage-contract.js';
import { lmdbUsageStore } from '../../src/usage/lmdb.js';
import type { UsageStore } from '../../src/usage/usage-store.js';
import { assertAgreesWithModel } from './agreement.js';

describe('lmdb usage store', () => {
  let dataDir = '';
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'usage-'));
  });
  afterAll(() => rm(dataDir, { recursive: true }));

  const open = async (clock: Clock): Promise<UsageStore> => {
    const environment = await openCounts(dataDir);
    const store = lmdbUsageStore({ environment: async () => environment, clock });
    return { ...store, close: () => store.close().then(environment.close) };
  };
  usageStoreContract({ test, open, durable: true, ownClock: false });

  test('agrees with the plain model, whatever happens in whatever order', async () => {
    await assertAgreesWithModel(open, { runs: 12, steps: 40 });
  });
});
