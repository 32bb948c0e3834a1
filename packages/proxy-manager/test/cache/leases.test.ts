import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LeaseStore } from '../../src/cache/lease-store.js';
import { CACHE_DATABASE, lmdbCacheStore } from '../../src/cache/lmdb.js';
import type { Environment } from '../../src/embedded/environment.js';
import { leaseStoreContract } from '../../src/testing/lease-contract.js';
import { entry, NOW_MS } from './entry.js';
import { scratchEnvironment } from './scratch.js';

describe('leases in lmdb', () => {
  const clock = { nowMs: NOW_MS, now: (): number => clock.nowMs };
  let environment: Environment;
  // One is never alone here: lone-leases.test.ts has what is otherwise then.
  beforeAll(async () => {
    environment = await scratchEnvironment();
    await lmdbCacheStore({ environment: async () => environment, clock }).stats();
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

  const count = async (): Promise<number> => {
    const database = await environment.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
    return [...database.getKeys({ start: ['l'], end: ['m'] })].length;
  };
  const keyOf = (n: number): string => n.toString(16).padStart(8, '0').padEnd(64, '0');

  test('leases that ended are cleared up, here by the next ones and elsewhere by who opens', async () => {
    clock.nowMs += 60_000;
    const here = leases();
    for (let n = 0; n < 20; n++) await here.take(keyOf(n), 100, false);
    expect(await count()).toBe(20);
    clock.nowMs += 10_000;
    for (let n = 20; n < 24; n++) await here.take(keyOf(n), 100, false);
    expect(await count()).toBe(4);
    clock.nowMs += 10_000;
    await leases().take(keyOf(99), 100, false);
    expect(await count()).toBe(1);
  });

  test('who stood still until the lease of its successor was cleared up stores nothing', async () => {
    const store = lmdbCacheStore({ environment: async () => environment, clock });
    const token = async (): Promise<number> => {
      const take = await store.leases?.take(keyOf(2), 100, false);
      return take?.state === 'taken' ? take.token : 0;
    };
    const early = await token();
    clock.nowMs += 10_000;
    // Somebody else opens, and clears up.
    await leases().take(keyOf(3), 100, false);
    const late = await token();
    expect(await store.set(keyOf(2), entry(), early)).toBe(false);
    expect(await store.set(keyOf(2), entry(), late)).toBe(true);
    clock.nowMs += 10_000;
    await leases().take(keyOf(4), 100, false);
    expect(await store.set(keyOf(2), entry(), late)).toBe(false);
  });

  test.each([
    [6, 'still told'],
    [10, 'cleared up by then'],
    [70, 'long gone'],
    [3_600, 'forgotten'],
  ])('a leader that wakes after %i s overwrites nothing: the landing of its successor is %s', async (seconds) => {
    const [asleep, successor] = [0, 1].map(() => lmdbCacheStore({ environment: async () => environment, clock }));
    const key = keyOf(5_000 + seconds);
    const token = async (store: typeof asleep): Promise<number> => {
      const take = await store?.leases?.take(key, 5_000, false);
      return take?.state === 'taken' ? take.token : 0;
    };
    const early = await token(asleep);
    clock.nowMs += 5_001;
    const late = await token(successor);
    expect(late).toBeGreaterThan(early);
    const newer = entry({ statusText: 'Newer', expiresAtMs: clock.nowMs + 86_400_000 });
    expect(await successor?.set(key, newer, late)).toBe(true);
    await successor?.leases?.release(key, late, 'stored');
    for (let passed = 6; passed <= seconds; passed += Math.ceil(seconds / 20)) {
      clock.nowMs += Math.ceil(seconds / 20) * 1000;
      await successor?.leases?.take(keyOf(9_000 + passed), 100, false);
    }
    expect(await asleep?.set(key, entry(), early)).toBe(false);
    expect((await successor?.get(key))?.statusText).toBe('Newer');
  });

  test('one that is held is not cleared up, however long', async () => {
    const here = leases();
    const held = await here.take(keyOf(1), 60_000, false);
    const token = held.state === 'taken' ? held.token : 0;
    for (let n = 0; n < 10; n++) {
      clock.nowMs += 30_000;
      expect(await here.renew(keyOf(1), token, 60_000)).toBe(true);
      await here.take(keyOf(100 + n), 100, false);
    }
    expect(await leases().take(keyOf(1), 100, false)).toEqual({ state: 'held' });
  });
});
