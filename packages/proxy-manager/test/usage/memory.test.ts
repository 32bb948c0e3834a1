import { describe, test } from 'vitest';
import { usageStoreContract } from '../../src/testing/usage-contract.js';
import { memoryUsageStore } from '../../src/usage/memory.js';

describe('memory usage store', () => {
  usageStoreContract({ test, open: async (clock) => memoryUsageStore({ clock }), durable: false, ownClock: false });
});
