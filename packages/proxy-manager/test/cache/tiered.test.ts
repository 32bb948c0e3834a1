import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheStore } from '../../src/cache/cache-store.js';
import type { MemoryCacheStore } from '../../src/cache/memory.js';
import type { TieredCacheOptions } from '../../src/cache/tiered.js';
import { lmdbCacheStore } from '../../src/cache/lmdb.js';
import { memoryCacheStore } from '../../src/cache/memory.js';
import { tieredCacheStore } from '../../src/cache/tiered.js';
import type { Environment } from '../../src/embedded/environment.js';
import { cacheStoreContract } from '../../src/testing/cache-contract.js';
import { clock, entry, keyFor, NOW_MS } from './entry.js';
import { scratchEnvironment } from './scratch.js';

/** lmdb reads from one state within a turn of the event loop. */
const nextTurn = (): Promise<void> => sleep(2);

describe('tiered cache store', () => {
  let environment: Environment;
  beforeAll(async () => {
    environment = await scratchEnvironment();
  });
  afterAll(() => environment.close());
  const tiers = (time = clock): TieredCacheOptions & { memory: MemoryCacheStore } => ({
    clock: time,
    memoryMaxAgeMs: 30_000,
    memory: memoryCacheStore({ maxBytes: 1 << 24, clock: time }),
    store: lmdbCacheStore({ environment: async () => environment, clock: time }),
  });

  cacheStoreContract({ test, open: async (time) => tieredCacheStore(tiers({ now: () => time.now() })), durable: true });

  test('what the store holds fills memory on the way back', async () => {
    const { memory, store } = tiers();
    await store.set(keyFor('far'), entry());
    const tiered = tieredCacheStore({ ...tiers(), memory, store });
    const first = await tiered.get(keyFor('far'));
    first?.body.fill(0);
    await store.delete(keyFor('far'));
    expect(Buffer.from((await tiered.get(keyFor('far')))?.body ?? []).toString()).toBe('hello');
  });

  test('those who want the same at once ask the store once, and each has bytes of its own', async () => {
    const { memory, store, ...rest } = tiers();
    await store.set(keyFor('crowd'), entry());
    let asked = 0;
    const counting: CacheStore = { ...store, get: (key) => (asked++, store.get(key)) };
    const tiered = tieredCacheStore({ ...rest, memory, store: counting });
    const found = await Promise.all(Array.from({ length: 100 }, () => tiered.get(keyFor('crowd'))));
    expect(asked).toBe(1);
    for (const one of found) {
      expect(Buffer.from(one?.body ?? []).toString()).toBe('hello');
      one?.body.fill(0);
    }
    expect(Buffer.from((await tiered.get(keyFor('crowd')))?.body ?? []).toString()).toBe('hello');
  });

  test('what was set serves at once, while the store still writes', async () => {
    let finish = (): void => {};
    const written = new Promise<boolean>((resolve) => (finish = () => resolve(true)));
    const { memory, store } = tiers();
    const slow: CacheStore = { ...store, set: () => written };
    const tiered = tieredCacheStore({ ...tiers(), memory, store: slow });
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

  test('what was set serves while the store still writes, also when all copies are forgotten', async () => {
    let tell = (_key: string | undefined): void => {};
    const { memory, store, ...rest } = tiers();
    const slow: CacheStore = {
      ...store,
      set: () => new Promise(() => {}),
      watch: (listener) => ({ upToDate: () => ((tell = listener), true), close: async () => {} }),
    };
    const tiered = tieredCacheStore({ ...rest, memory, store: slow });
    await memory.set(keyFor('old'), entry());
    void tiered.set(keyFor('pending'), entry());
    await tiered.get(keyFor('pending'));
    tell(undefined);
    expect(await memory.get(keyFor('old'))).toBeUndefined();
    expect(await tiered.get(keyFor('pending'))).toBeDefined();
  });

  test('what was set in an embedded store that opens only now serves at once', async () => {
    const tiered = tieredCacheStore(tiers());
    const setting = tiered.set(keyFor('first of all'), entry());
    for (let turn = 0; turn < 20; turn++) {
      expect(await tiered.get(keyFor('first of all'))).toBeDefined();
      await new Promise(setImmediate);
    }
    await setting;
  });

  test('what the store could not write still serves from memory', async () => {
    const { memory, store } = tiers();
    const full: CacheStore = { ...store, set: () => Promise.reject(new Error('disk full')) };
    const tiered = tieredCacheStore({ ...tiers(), memory, store: full });
    await expect(tiered.set(keyFor('unwritten'), entry())).rejects.toThrow('disk full');
    expect(await tiered.get(keyFor('unwritten'))).toBeDefined();
  });

  describe('two processes on one store', () => {
    const two = (time = clock): [CacheStore, CacheStore] => [
      tieredCacheStore(tiers(time)),
      tieredCacheStore(tiers(time)),
    ];
    const textOf = async (store: CacheStore, key: string): Promise<string | undefined> => {
      const found = await store.get(key);
      return found && Buffer.from(found.body).toString();
    };

    test('what the one sets or deletes, the other sees at its next turn', async () => {
      const [here, there] = two();
      const key = keyFor('two');
      await here.set(key, entry({ body: Buffer.from('first') }));
      expect(await textOf(there, key)).toBe('first');
      await here.set(key, entry({ body: Buffer.from('second') }));
      await nextTurn();
      expect(await textOf(there, key)).toBe('second');
      await there.delete(key);
      await nextTurn();
      expect(await here.get(key)).toBeUndefined();
      await there.set(key, entry({ tags: ['shelf'] }));
      await nextTurn();
      expect(await here.get(key)).toBeDefined();
      await there.clear({ tag: 'shelf' });
      await nextTurn();
      expect(await here.get(key)).toBeUndefined();
    });

    test('who was away for long forgets all copies', async () => {
      const [here, there] = two();
      const keys = Array.from({ length: 300 }, (_, index) => keyFor(`many ${index}`));
      const [key = ''] = keys;
      await here.set(key, entry({ body: Buffer.from('first') }));
      expect(await textOf(there, key)).toBe('first');
      await here.set(key, entry({ body: Buffer.from('second') }));
      for (let round = 0; round < 7; round++) await Promise.all(keys.slice(1).map((one) => here.set(one, entry())));
      await nextTurn();
      expect(await textOf(there, key)).toBe('second');
    });

    test('what was loaded while it changed is not kept', async () => {
      const { memory, store, ...rest } = tiers();
      const key = keyFor('loading');
      await store.set(key, entry({ body: Buffer.from('old') }));
      let tell = (_key: string | undefined): void => {};
      let go = (): void => {};
      const gone = new Promise<void>((resolve) => (go = resolve));
      const pushing: CacheStore = {
        ...store,
        watch(listener) {
          tell = listener;
          return { upToDate: () => true, close: async () => {} };
        },
        get: async (asked) => {
          const found = await store.get(asked);
          await gone;
          return found;
        },
      };
      const tiered = tieredCacheStore({ ...rest, memory, store: pushing });
      const loading = tiered.get(key);
      await nextTurn();
      tell(key);
      go();
      await loading;
      expect(await memory.get(key)).toBeUndefined();
    });
  });

  test('where nobody tells of changes, a copy serves so long and no longer', async () => {
    const time = { nowMs: NOW_MS, now: (): number => time.nowMs };
    const { store, ...rest } = tiers(time);
    const { watch: _, ...silent } = store;
    const tiered = tieredCacheStore({ ...rest, store: silent, memoryMaxAgeMs: 1000 });
    const key = keyFor('silent');
    await tiered.set(key, entry({ body: Buffer.from('first') }));
    await store.set(key, entry({ body: Buffer.from('second') }));
    time.nowMs += 999;
    expect(Buffer.from((await tiered.get(key))?.body ?? []).toString()).toBe('first');
    time.nowMs += 1;
    expect(Buffer.from((await tiered.get(key))?.body ?? []).toString()).toBe('second');
  });

  test('a leader that was overtaken keeps no copy of its own', async () => {
    const { store, memory, ...rest } = tiers();
    const tiered = tieredCacheStore({ ...rest, memory, store: { ...store, set: async () => false } });
    expect(await tiered.set(keyFor('overtaken'), entry(), 1)).toBe(false);
    expect(await memory.get(keyFor('overtaken'))).toBeUndefined();
  });
});
