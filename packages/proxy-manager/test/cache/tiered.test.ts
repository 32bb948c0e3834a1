import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheStore } from '../../src/cache/cache-store.js';
import { lmdbCacheStore } from '../../src/cache/lmdb.js';
import { memoryCacheStore } from '../../src/cache/memory.js';
import { tieredCacheStore } from '../../src/cache/tiered.js';
import type { Environment } from '../../src/embedded/environment.js';
import { cacheStoreContract } from '../../src/testing/cache-contract.js';
import { clock, entry, keyFor } from './entry.js';
import { scratchEnvironment } from './scratch.js';

describe('tiered cache store', () => {
  let environment: Environment;
  beforeAll(async () => {
    environment = await scratchEnvironment();
  });
  afterAll(() => environment.close());
  const tiers = (time = clock): { memory: CacheStore; store: CacheStore } => ({
    memory: memoryCacheStore({ maxBytes: 1 << 24, clock: time }),
    store: lmdbCacheStore({ environment: async () => environment, clock: time }),
  });

  cacheStoreContract({ test, open: async (time) => tieredCacheStore(tiers({ now: () => time.now() })), durable: true });

  test('what the store holds fills memory on the way back', async () => {
    const { memory, store } = tiers();
    await store.set(keyFor('far'), entry());
    const tiered = tieredCacheStore({ memory, store });
    const first = await tiered.get(keyFor('far'));
    first?.body.fill(0);
    await store.delete(keyFor('far'));
    expect(Buffer.from((await tiered.get(keyFor('far')))?.body ?? []).toString()).toBe('hello');
  });

  test('what was set serves at once, while the store still writes', async () => {
    let finish = (): void => {};
    const written = new Promise<void>((resolve) => (finish = resolve));
    const { memory, store } = tiers();
    const slow: CacheStore = { ...store, set: () => written };
    const tiered = tieredCacheStore({ memory, store: slow });
    const setting = tiered.set(keyFor('quick'), entry());
    expect(await tiered.get(keyFor('quick'))).toBeDefined();
    let closed = false;
    const closing = tiered.close().then(() => (closed = true));
    await tiered.get(keyFor('quick'));
    expect(closed).toBe(false);
    finish();
    await Promise.all([setting, closing]);
    expect(closed).toBe(true);
  });

  test('what the store could not write still serves from memory', async () => {
    const { memory, store } = tiers();
    const full: CacheStore = { ...store, set: () => Promise.reject(new Error('disk full')) };
    const tiered = tieredCacheStore({ memory, store: full });
    await expect(tiered.set(keyFor('unwritten'), entry())).rejects.toThrow('disk full');
    expect(await tiered.get(keyFor('unwritten'))).toBeDefined();
  });
});
