import { afterAll, beforeAll, describe } from 'vitest';
import { test } from 'vitest';
import type { LeaseStore } from '../../src/cache/lease-store.js';
import { lmdbCacheStore } from '../../src/cache/lmdb.js';
import type { Environment } from '../../src/embedded/environment.js';
import { leaseStoreContract } from '../../src/testing/lease-contract.js';
import { NOW_MS } from './entry.js';
import { scratchEnvironment } from './scratch.js';

describe('leases in lmdb', () => {
  const clock = { nowMs: NOW_MS, now: (): number => clock.nowMs };
  let environment: Environment;
  beforeAll(async () => {
    environment = await scratchEnvironment();
  });
  afterAll(() => environment.close());
  const leases = (): LeaseStore => {
    const store = lmdbCacheStore({ environment: async () => environment, clock });
    if (store.leases === undefined) throw new Error('no leases');
    return store.leases;
  };

  leaseStoreContract({
    test,
    open: async () => ({ here: leases(), there: leases() }),
    pass: async (ms) => void (clock.nowMs += ms),
  });
});
