import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CacheStore } from '../../src/cache/cache-store.js';
import { takeLease } from '../../src/cache/held-lease.js';
import type { Landing, LeaseStore, Take } from '../../src/cache/lease-store.js';
import { CACHE_DATABASE, lmdbCacheStore } from '../../src/cache/lmdb.js';
import type { Clock } from '../../src/clock.js';
import type { Environment } from '../../src/embedded/environment.js';
import { entry, keyFor } from './entry.js';
import { scratchEnvironment } from './scratch.js';

/** Leases in lmdb of one who has the cache for itself, and what becomes of them when somebody comes. */
describe('leases of one who is alone', () => {
  let environment: Environment;
  beforeEach(async () => {
    environment = await scratchEnvironment();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await environment.close();
  });
  const stores: CacheStore[] = [];
  const open = (clock: Clock = Date): CacheStore & { readonly leases: LeaseStore } => {
    const { leases, ...store } = lmdbCacheStore({ environment: async () => environment, clock });
    if (leases === undefined) throw new Error('no leases');
    stores.push(store);
    return { ...store, leases };
  };
  const rows = async (): Promise<number> => {
    const database = await environment.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
    database.resetReadTxn();
    return [...database.getKeys({ start: ['l'], end: ['m'] })].length;
  };
  const tokenOf = (take: Take): number => {
    if (take.state !== 'taken') throw new Error(`expected a lease that is taken, found ${take.state}`);
    return take.token;
  };
  const key = keyFor('lone');

  test('are written down for nobody', async () => {
    const { leases } = open();
    const token = tokenOf(await leases.take(key, 5_000, false));
    expect(await leases.take(key, 5_000, true)).toEqual({ state: 'held' });
    expect(await leases.renew(key, token, 5_000)).toBe(true);
    expect(await rows()).toBe(0);
    await leases.release(key, token, 'stored');
    expect(tokenOf(await leases.take(key, 5_000, false))).toBeGreaterThan(token);
    expect(await rows()).toBe(0);
  });

  test.each<Landing>(['stored', 'fruitless'])('are known to whoever comes while they are held: %s', async (landing) => {
    const [here, there] = [open(), open()];
    const token = tokenOf(await here.leases.take(key, 5_000, false));
    const waiting = takeLease(there.leases, key, 5_000, AbortSignal.timeout(20_000));
    await expect.poll(rows).toBe(1);
    expect(await there.leases.take(key, 5_000, true)).toEqual({ state: 'held' });
    expect(await here.leases.renew(key, token, 5_000)).toBe(true);
    await here.leases.release(key, token, landing);
    expect(await waiting).toEqual({ state: 'landed', landing });
  });

  test('of many keys none is taken by two, whenever the other one comes', async () => {
    const here = open();
    const keys = Array.from({ length: 300 }, (_, index) => keyFor(`raced ${index}`));
    const mine = Promise.all(
      keys.map(async (one, index) => {
        await new Promise((resolve) => setTimeout(resolve, index / 10));
        return here.leases.take(one, 60_000, false);
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
    const there = open();
    const signal = AbortSignal.timeout(1_000);
    const theirs = await Promise.all(
      keys.map((one) => takeLease(there.leases, one, 60_000, signal).catch(() => undefined)),
    );
    const both = (await mine).filter((take, index) => take.state === 'taken' && theirs[index] !== undefined);
    expect(both).toEqual([]);
    expect((await mine).some(({ state }) => state === 'taken')).toBe(true);
  });

  test('one that has been idle for a while lets whoever comes take at once', async () => {
    const here = open();
    const token = tokenOf(await here.leases.take(key, 5_000, false));
    await here.leases.release(key, token, 'stored');
    const database = await environment.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
    const isAlone = (): boolean => {
      database.resetReadTxn();
      return [...database.getRange({ start: ['m', ''], end: ['n'] })].some(({ value }) => value[0] === 1);
    };
    expect(isAlone()).toBe(true);
    await expect.poll(isAlone, { timeout: 10_000 }).toBe(false);
    expect((await open().leases.take(key, 5_000, false)).state).toBe('taken');
  });

  test('one whose company has closed is alone again', async () => {
    const [here, there] = [open(), open()];
    const token = tokenOf(await takeLease(there.leases, key, 5_000, AbortSignal.timeout(20_000)));
    expect(await here.leases.take(key, 5_000, false)).toEqual({ state: 'held' });
    await there.leases.release(key, token, 'left');
    await there.close();
    const before = await rows();
    tokenOf(await here.leases.take(keyFor('alone again'), 5_000, false));
    expect(await rows()).toBe(before);
  });

  test('one whose company landed and closed is told how', async () => {
    const [here, there] = [open(), open()];
    await here.stats();
    const token = tokenOf(await there.leases.take(key, 5_000, false));
    expect(await here.leases.take(key, 5_000, false)).toEqual({ state: 'held' });
    await there.leases.release(key, token, 'stored');
    await there.close();
    expect(await here.leases.take(key, 5_000, true)).toEqual({ state: 'landed', landing: 'stored' });
    expect(await here.leases.take(key, 5_000, false)).toMatchObject({ state: 'taken', recent: true });
  });

  test.each([
    ['stores at once', false],
    ['first sees that somebody came', true],
  ])('one that stood still until its successor was forgotten overwrites nothing: it %s', async (_, sees) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const clock = { nowMs: Date.now(), now: (): number => clock.nowMs };
    const [asleep, successor] = [open(clock), open(clock)];
    const early = tokenOf(await asleep.leases.take(key, 5_000, false));
    expect((await successor.leases.take(key, 5_000, false)).state).toBe('held');
    clock.nowMs += 5_001;
    const late = tokenOf(await successor.leases.take(key, 5_000, true));
    expect(late).toBeGreaterThan(early);
    expect(await successor.set(key, entry({ expiresAtMs: clock.nowMs + 86_400_000 }), late)).toBe(true);
    await successor.leases.release(key, late, 'stored');
    expect(await successor.delete(key)).toBe(true);
    clock.nowMs += 70_000;
    await successor.leases.take(keyFor('clears up'), 5_000, false);
    expect(await rows()).toBe(1);
    if (sees) await vi.advanceTimersByTimeAsync(100);
    expect(await asleep.set(key, entry({ expiresAtMs: clock.nowMs + 86_400_000 }), early)).toBe(false);
    expect(await asleep.get(key)).toBeUndefined();
  });

  test('who waited for one is told to look again', async () => {
    const { leases } = open();
    const token = tokenOf(await leases.take(key, 5_000, false));
    expect(await leases.take(key, 5_000, false)).toEqual({ state: 'held' });
    await leases.release(key, token, 'stored');
    expect(await leases.take(key, 5_000, true)).toMatchObject({ state: 'taken', recent: true });
  });

  test('what one stores that a later lease has overtaken is refused', async () => {
    const { leases, ...store } = open();
    const early = tokenOf(await leases.take(key, 1, false));
    const late = tokenOf(await takeLease(leases, key, 5_000, AbortSignal.timeout(20_000)));
    expect(await store.set(key, entry(), early)).toBe(false);
    expect(await store.set(key, entry(), late)).toBe(true);
  });

  /** Of another pid namespace: whether it lives cannot be looked up. */
  const strangers = async (value: 0 | 1): Promise<void> => {
    const database = await environment.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
    const head = Buffer.alloc(16);
    head.writeDoubleLE(1, 0);
    head.writeDoubleLE(1, 8);
    await environment.transact(() => {
      database.putSync(['m'], head);
      database.putSync(['m', 'elsewhere-1-1-0-1'], Buffer.of(value));
    });
  };

  test('one of elsewhere that does not answer is waited for once, not at every start after', async () => {
    await strangers(1);
    const clock = { nowMs: Date.now(), now: (): number => clock.nowMs };
    const first = open(clock);
    expect(await first.leases.take(key, 5_000, false)).toEqual({ state: 'held' });
    clock.nowMs += 5_000;
    await first.leases.release(key, tokenOf(await first.leases.take(key, 5_000, true)), 'stored');
    await first.close();
    expect((await open(clock).leases.take(keyFor('second'), 5_000, false)).state).toBe('taken');
    expect(await rows()).toBe(1);
  });

  test('one of elsewhere that has ended leaves whoever comes alone', async () => {
    await strangers(0);
    tokenOf(await open().leases.take(key, 5_000, false));
    expect(await rows()).toBe(0);
  });

  test('one that was given up and lives counts itself in again', async () => {
    const clock = { nowMs: Date.now(), now: (): number => clock.nowMs };
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const [asleep, other] = [open(clock), open(clock)];
    tokenOf(await asleep.leases.take(key, 5_000, false));
    expect(await other.leases.take(key, 5_000, false)).toEqual({ state: 'held' });
    clock.nowMs += 5_000;
    tokenOf(await other.leases.take(key, 5_000, true));
    tokenOf(await other.leases.take(keyFor('alone by now'), 5_000, false));
    expect(await asleep.leases.take(keyFor('alone by now'), 5_000, false)).toEqual({ state: 'held' });
    expect(await asleep.leases.take(keyFor('another'), 5_000, false)).toEqual({ state: 'held' });
    await vi.advanceTimersByTimeAsync(100);
    await expect.poll(async () => (await asleep.leases.take(keyFor('another'), 5_000, false)).state).toBe('taken');
    expect(await other.leases.take(keyFor('another'), 5_000, false)).toEqual({ state: 'held' });
    expect(await asleep.leases.take(keyFor('alone by now'), 5_000, false)).toEqual({ state: 'held' });
  });

  test('one that has closed, or closes while it opens, takes no more and is nobody’s company', async () => {
    const [early, late] = [open(), open()];
    const opening = early.leases.take(key, 5_000, false);
    opening.catch(() => {});
    await early.close();
    await expect(opening).rejects.toThrow('closed');
    await late.stats();
    await late.close();
    await expect(late.leases.take(key, 5_000, false)).rejects.toThrow('closed');
    tokenOf(await open().leases.take(key, 5_000, false));
    expect(await rows()).toBe(0);
  });
});
