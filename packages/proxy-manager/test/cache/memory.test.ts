import { expect, describe, test } from 'vitest';
import { memoryCacheStore } from '../../src/cache/memory.js';
import { cacheStoreContract } from '../../src/testing/cache-contract.js';
import { clock, entry, keyFor } from './entry.js';

describe('memory cache store', () => {
  cacheStoreContract({
    test,
    open: async (time) => memoryCacheStore({ maxBytes: 1 << 24, clock: time }),
    durable: false,
    openBounded: async (time, maxBytes) => memoryCacheStore({ maxBytes, clock: time }),
  });

  test('an entry is at hand without waiting, until it expires', async () => {
    const time = { nowMs: clock.now(), now: (): number => time.nowMs };
    const store = memoryCacheStore({ maxBytes: 100_000, clock: time });
    expect(store.near(keyFor('a'))).toBeNull();
    await store.set(keyFor('a'), entry());
    expect(store.near(keyFor('a'))).toMatchObject({ url: entry().url, body: new Uint8Array(entry().body) });
    time.nowMs = entry().expiresAtMs;
    expect(store.near(keyFor('a'))).toBeNull();
    expect(await store.stats()).toMatchObject({ entries: 0, hits: 1, misses: 2 });
  });

  test('headers count as bytes too', async () => {
    const store = memoryCacheStore({ maxBytes: 100_000, clock });
    await store.set(keyFor('a'), entry({ headers: [['x', 'y'.repeat(60_000)]] }));
    await store.set(keyFor('b'), entry({ headers: [['x', 'y'.repeat(60_000)]] }));
    expect(await store.get(keyFor('a'))).toBeUndefined();
    expect(await store.get(keyFor('b'))).toBeDefined();
  });

  test('an entry larger than the bound replaces nothing but itself', async () => {
    const store = memoryCacheStore({ maxBytes: 100_000, clock });
    await store.set(keyFor('small'), entry());
    await store.set(keyFor('grown'), entry());
    await store.set(keyFor('grown'), entry({ body: new Uint8Array(200_000) }));
    expect(await store.get(keyFor('small'))).toBeDefined();
    expect(await store.get(keyFor('grown'))).toBeUndefined();
  });
});
