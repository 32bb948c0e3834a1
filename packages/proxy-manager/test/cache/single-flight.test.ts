import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LeaseStore } from '../../src/cache/lease-store.js';
import { lmdbCacheStore } from '../../src/cache/lmdb.js';
import type { Boarding, Flight, SingleFlight } from '../../src/cache/single-flight.js';
import { singleFlight } from '../../src/cache/single-flight.js';
import type { Environment } from '../../src/embedded/environment.js';
import { keyFor } from './entry.js';
import { scratchEnvironment } from './scratch.js';

const never = (): AbortSignal => new AbortController().signal;

function leading<T>(boarding: Boarding<T>): Flight<T> {
  if (boarding.role !== 'leader') throw new Error(`this one does not lead: ${JSON.stringify(boarding)}`);
  return boarding;
}

describe('single flight in one process', () => {
  const board = (
    flights: SingleFlight<string>,
    signal = never(),
    landings = flights.landings,
  ): Promise<Boarding<string>> => flights.board('key', landings, signal);

  test('one leads, the others get what it lands with', async () => {
    const flights = singleFlight<string>();
    const boardings = Array.from({ length: 1000 }, () => board(flights));
    const leader = leading(await Promise.race(boardings));
    leader.landStored('reply');
    const roles = await Promise.all(boardings);
    expect(roles.filter(({ role }) => role === 'leader')).toHaveLength(1);
    expect(roles.filter((one) => one.role === 'follower' && one.reply === 'reply')).toHaveLength(999);
    expect(leading(await board(flights)).lookAgain).toBe(false);
  });

  test('keys do not wait for each other', async () => {
    const flights = singleFlight<string>();
    const boardings = [flights.board('a', 0, never()), flights.board('b', 0, never())];
    expect((await Promise.all(boardings)).map(({ role }) => role)).toEqual(['leader', 'leader']);
  });

  test('when there was nothing to share, each goes alone, and who comes later waits again', async () => {
    const flights = singleFlight<string>();
    const leader = leading(await board(flights));
    const followers = [board(flights), board(flights)];
    leader.landFruitless();
    expect(await Promise.all(followers)).toEqual([{ role: 'alone' }, { role: 'alone' }]);
    leading(await board(flights));
  });

  test('when the leader leaves, one of the others leads, and the rest waits on', async () => {
    const flights = singleFlight<string>();
    const leader = leading(await board(flights));
    const [second, third] = [board(flights), board(flights)];
    leader.leave();
    const next = leading(await second);
    expect(next.lookAgain).toBe(true);
    next.landStored('reply');
    expect(await third).toEqual({ role: 'follower', reply: 'reply' });
    leader.landStored('too late');
    leading(await board(flights));
  });

  test('who is aborted harms nobody', async () => {
    const flights = singleFlight<string>();
    const leader = leading(await board(flights));
    const aborting = new AbortController();
    const [second, third] = [board(flights, aborting.signal), board(flights)];
    const rejected = expect(second).rejects.toThrow('enough');
    aborting.abort(new Error('enough'));
    await rejected;
    await expect(board(flights, aborting.signal)).rejects.toThrow('enough');
    leader.leave();
    leading(await third).landStored('reply');
    leading(await board(flights));
  });

  test('who began to look before another one landed looks again', async () => {
    const flights = singleFlight<string>();
    const before = flights.landings;
    leading(await board(flights)).landStored('reply');
    expect(leading(await board(flights, never(), before)).lookAgain).toBe(true);
  });
});

describe('single flight with leases', () => {
  let environment: Environment;
  // One is never alone here: lone-leases.test.ts has what is otherwise then.
  beforeAll(async () => {
    environment = await scratchEnvironment();
    await lmdbCacheStore({ environment: async () => environment, clock: Date }).stats();
  });
  afterAll(() => environment.close());
  const leases = (): LeaseStore => {
    const store = lmdbCacheStore({ environment: async () => environment, clock: Date });
    if (store.leases === undefined) throw new Error('no leases');
    return store.leases;
  };
  const flights = (leaseMs = 5_000, store = leases()): SingleFlight<string> =>
    singleFlight<string>({ leases: store, leaseMs });

  test('the others elsewhere look into the store when it is written', async () => {
    const [here, there] = [flights(), flights()];
    const key = keyFor('written');
    const leader = leading(await here.board(key, 0, never()));
    expect(leader.fence).toBeGreaterThan(0);
    const followers = [there.board(key, 0, never()), there.board(key, 0, never())];
    let write = (): void => {};
    let isWritten = false;
    leader.landStored('reply', new Promise<void>((resolve) => (write = resolve)));
    void Promise.race(followers).then(() => expect(isWritten).toBe(true));
    expect(await here.board(key, 0, AbortSignal.timeout(50)).catch(() => 'waits')).toBe('waits');
    isWritten = true;
    write();
    await here.close();
    const nothing = { role: 'follower', reply: undefined };
    expect(await Promise.all(followers)).toEqual([nothing, nothing]);
    const late = leading(await there.board(key, 0, never()));
    expect(late.lookAgain).toBe(true);
    late.leave();
    await there.close();
  });

  test('fruitless elsewhere: each goes alone', async () => {
    const store = leases();
    let seesIt = (): void => {};
    const isSeen = new Promise<void>((resolve) => (seesIt = resolve));
    const take: LeaseStore['take'] = async (...asked) => {
      const answer = await store.take(...asked);
      if (answer.state === 'held') seesIt();
      return answer;
    };
    const [here, there] = [flights(), flights(5_000, { ...store, take })];
    const key = keyFor('fruitless');
    const leader = leading(await here.board(key, 0, never()));
    const followers = [there.board(key, 0, never()), there.board(key, 0, never())];
    // Who comes when it has landed would lead.
    await isSeen;
    leader.landFruitless();
    expect(await Promise.all(followers)).toEqual([{ role: 'alone' }, { role: 'alone' }]);
    await here.close();
  });

  test('a leader that lives is waited for beyond its lease, one that died is not', async () => {
    const [here, there] = [flights(300), flights(300)];
    const key = keyFor('renewed');
    const leader = leading(await here.board(key, 0, never()));
    await expect(there.board(key, 0, AbortSignal.timeout(1_000))).rejects.toThrow('timeout');
    leader.leave();
    await here.close();
    // As a killed process leaves it: taken, and never renewed.
    expect(await leases().take(key, 300, false)).toMatchObject({ state: 'taken' });
    const startedMs = performance.now();
    leading(await there.board(key, 0, never())).leave();
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await there.close();
  });

  test('who is called away while it waits for a lease hands the place on, and leaks none', async () => {
    const [here, there] = [flights(), flights()];
    const key = keyFor('called away');
    const leader = leading(await here.board(key, 0, never()));
    const aborting = new AbortController();
    const first = there.board(key, 0, aborting.signal);
    const second = there.board(key, 0, never());
    const rejected = expect(first).rejects.toThrow('enough');
    aborting.abort(new Error('enough'));
    await rejected;
    leader.leave();
    const next = leading(await second);
    next.leave();
    await Promise.all([here.close(), there.close()]);
    expect(await leases().take(key, 1, false)).toMatchObject({ state: 'taken' });
  });

  describe('a lease that was found held, and cannot be asked for since then,', () => {
    /** The leases, each ask after the first failing until `isBack`. */
    const interrupted = (isBack: () => boolean): { store: LeaseStore; asked: () => number } => {
      const store = leases();
      let asked = 0;
      const take: LeaseStore['take'] = async (...words) => {
        if (asked++ > 0 && !isBack()) throw new Error('away for a moment');
        return store.take(...words);
      };
      return { store: { ...store, take }, asked: () => asked };
    };

    test('is waited for on', async () => {
      let isBack = false;
      const { store, asked } = interrupted(() => isBack);
      const [here, there] = [flights(), flights(5_000, store)];
      const key = keyFor('away for a moment');
      const leader = leading(await here.board(key, 0, never()));
      const follower = there.board(key, 0, never());
      await expect.poll(asked).toBeGreaterThan(2);
      leader.landStored('reply');
      await here.close();
      isBack = true;
      expect(await follower).toEqual({ role: 'follower', reply: undefined });
    });

    test('is not waited for longer than it lasts', async () => {
      const { store } = interrupted(() => false);
      const [here, there] = [flights(), flights(300, store)];
      const key = keyFor('away for good');
      const leader = leading(await here.board(key, 0, never()));
      const alone = leading(await there.board(key, 0, never()));
      expect(alone.fence).toBeUndefined();
      alone.leave();
      leader.leave();
      await here.close();
    });
  });

  test('leases that fail are done without', async () => {
    const failing: LeaseStore = { ...leases(), take: () => Promise.reject(new Error('away')) };
    const alone = leading(await flights(5_000, failing).board(keyFor('failing'), 0, never()));
    expect(alone.fence).toBeUndefined();
    alone.landStored('reply');
  });
});
