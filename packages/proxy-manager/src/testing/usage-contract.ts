import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../clock.js';
import type { Account, Meter, WindowSpec } from '../config/resolve.js';
import type { Demand, Pool, Refusal, Section, Ticket, UsageStore } from '../usage/usage-store.js';
import { learningContract } from './learning-contract.js';
import { standingContract } from './standing-contract.js';

export interface UsageContract {
  /** vitest's, node:test's or anyone's. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A store on the engine under test, which may hold counts of other endpoints; called again, one that shares them where the engine keeps them. */
  readonly open: (clock: Clock) => Promise<UsageStore>;
  /** True where another store on the same engine sees what was counted. */
  readonly durable: boolean;
  /** True where the engine's own clock counts and the given one is not asked: the suite then lets real time pass. */
  readonly ownClock: boolean;
}

/** A window that opens anew within a test; with real time it must outlast the takes before that on a busy machine. */
const SHORT_MS = 1_000;
const HOUR_MS = 3_600_000;
/** A timer may fire that much early. */
const TIMER_SLACK_MS = 5;

export interface Bench {
  readonly store: UsageStore;
  readonly open: () => Promise<UsageStore>;
  readonly now: () => number;
  /** Lets time pass until the epoch ms `atMs`. */
  readonly until: (atMs: number) => Promise<void>;
}

/** What every UsageStore must do, as tests of any runner with a `test(name, body)`. */
export function usageStoreContract({ test, open, durable, ownClock }: UsageContract): void {
  const check = (name: string, body: (bench: Bench) => Promise<void>): void => {
    test(name, async () => {
      const clock = { nowMs: Date.UTC(2026, 0, 1), now: (): number => clock.nowMs };
      const opened: UsageStore[] = [];
      const openOne = async (): Promise<UsageStore> => {
        const store = await open(clock);
        opened.push(store);
        return store;
      };
      const bench: Bench = {
        store: await openOne(),
        open: openOne,
        now: () => (ownClock ? Date.now() : clock.nowMs),
        until: async (atMs) => {
          if (ownClock) await delay(Math.max(0, atMs - Date.now()) + TIMER_SLACK_MS);
          else clock.nowMs = atMs;
        },
      };
      try {
        await body(bench);
      } finally {
        for (const store of opened) await store.close();
      }
    });
  };

  ruleOfChoice(check);
  limits(check);
  windowsOverTime(check);
  pinsAndAvoidance(check);
  restsOfOneTake(check);
  costs(check);
  givenBack(check);
  arrivals(check);
  rests(check);
  readings(check);
  changedPools(check);
  standingContract(check);
  learningContract(check);
  windowKinds(check);
  margins(check);
  accounts(check);
  many(check);
  if (durable) sharing(check);
  if (!ownClock) clockSteps(check);
}

export type Check = (name: string, body: (bench: Bench) => Promise<void>) => void;

function ruleOfChoice(check: Check): void {
  check('takes in turn: fewest uses, then least recently used, then the order of the section', async ({ store }) => {
    const pool = keys({ a: [hourly(9)], b: [hourly(9)], c: [hourly(9)] });
    assert.deepEqual(await takeIds(store, pool, 6), ['a', 'b', 'c', 'a', 'b', 'c']);
    await granted(store.take({ pool, cost: 3, pin: ['b'] }));
    assert.deepEqual(await takeIds(store, pool, 7), ['a', 'c', 'a', 'c', 'a', 'c', 'b']);
  });

  check('unlimited meters take turns by their uses since ever', async ({ store }) => {
    const pool = keys({ a: [], b: [] });
    await granted(store.take({ pool, cost: 3, pin: ['a'] }));
    assert.deepEqual(await takeIds(store, pool, 5), ['b', 'b', 'b', 'a', 'b']);
  });

  check('every one of many meters is used once before any is used twice', async ({ store }) => {
    const names = Array.from({ length: 300 }, (_, number) => `key-${number}`);
    const pool = keys(Object.fromEntries(names.map((name) => [name, [hourly(5)]])));
    const taken = await Promise.all(names.map(() => granted(store.take({ pool, cost: 1 }))));
    assert.deepEqual(taken.map(idOf).toSorted(), names.toSorted());
  });

  check('takes one meter of each section in one step', async ({ store }) => {
    const pool = both({ a: [hourly(9)], b: [hourly(9)] }, { p: [], q: [], r: [] });
    const tickets = [];
    for (let n = 0; n < 4; n += 1) tickets.push(await granted(store.take({ pool, cost: 1 })));
    const pairs = tickets.map(({ taken }) => taken.map(({ kind, id }) => `${kind} ${id}`));
    assert.deepEqual(pairs, [
      ['key a', 'proxy p'],
      ['key b', 'proxy q'],
      ['key a', 'proxy r'],
      ['key b', 'proxy p'],
    ]);
  });

  check('ids of any length and content are told apart', async ({ store }) => {
    const stem = 'x'.repeat(3_000);
    const ids = [
      `${stem}1`,
      `${stem}2`,
      'a b',
      'a',
      ' ',
      'nul\0l',
      'nul',
      '{key}',
      'ü',
      'constructor',
      '__proto__',
      '-',
    ];
    const pool = poolOf(
      [{ kind: 'key', meters: ids.map((id) => ({ id, windows: [hourly(2)] })) }],
      `{x} ${randomUUID()} ${stem}`,
    );
    assert.deepEqual(await takeIds(store, pool, 24), [...ids, ...ids]);
    assert.equal((await refused(store.take({ pool, cost: 1 }))).kind, 'key');
  });
}

function limits(check: Check): void {
  check(
    'never grants more than the limit, however many ask at once, and leaves nothing unused',
    async ({ store, now }) => {
      const pool = keys({ a: [hourly(5)], b: [hourly(5)] });
      const before = now();
      const answers = await Promise.all(Array.from({ length: 30 }, () => store.take({ pool, cost: 1 })));
      const after = now();
      assert.equal(answers.filter((answer) => answer.granted).length, 10);
      for (const answer of answers.filter((one) => !one.granted)) {
        assert.equal(answer.kind, 'key');
        assertBetween(answer.retryAtMs, before + HOUR_MS, after + HOUR_MS);
      }
      assert.deepEqual(await usedOf(store, pool), [5, 5]);
    },
  );

  check('a refusal counts nothing, in no section', async ({ store }) => {
    const pool = both({ a: [hourly(9)] }, { p: [hourly(1)] });
    await granted(store.take({ pool, cost: 1 }));
    assert.equal((await refused(store.take({ pool, cost: 1 }))).kind, 'proxy');
    assert.deepEqual(await usedOf(store, pool), [1, 1]);
  });

  check('where both sections are spent the refusal names the one that takes longer', async ({ store, now }) => {
    const pool = both({ a: [hourly(1)] }, { p: [{ limit: 1, everyMs: 2 * HOUR_MS }] });
    await granted(store.take({ pool, cost: 1 }));
    const { kind, retryAtMs } = await refused(store.take({ pool, cost: 1 }));
    assert.equal(kind, 'proxy');
    assertBetween(retryAtMs, now() + HOUR_MS, now() + 2 * HOUR_MS);
  });

  check('a ticket tells the counts just after the take', async ({ store, now }) => {
    const pool = keys({ a: [hourly(5)] });
    const before = now();
    await granted(store.take({ pool, cost: 2 }));
    const { taken, cost } = await granted(store.take({ pool, cost: 1 }));
    assert.equal(cost, 1);
    const [reading] = taken;
    assert.equal(reading?.total, 3);
    assert.equal(reading.restingUntilMs, undefined);
    assert.equal(reading.windows[0]?.limit, 5);
    assert.equal(reading.windows[0].used, 3);
    assertBetween(reading.windows[0].resetsAtMs, before + HOUR_MS, now() + HOUR_MS);
  });

  check('counts per endpoint: one id under two endpoints is two meters', async ({ store }) => {
    const [one, other] = [keys({ a: [hourly(1)] }), keys({ a: [hourly(1)] })];
    await granted(store.take({ pool: one, cost: 1 }));
    await granted(store.take({ pool: other, cost: 1 }));
    await refused(store.take({ pool: one, cost: 1 }));
  });

  check('of several windows the one that opens last decides', async ({ store, now }) => {
    const pool = keys({ a: [hourly(2), { limit: 2, everyMs: 2 * HOUR_MS }] });
    await takeIds(store, pool, 2);
    const { retryAtMs } = await refused(store.take({ pool, cost: 1 }));
    assertBetween(retryAtMs, now() + HOUR_MS, now() + 2 * HOUR_MS);
  });
}

function windowsOverTime(check: Check): void {
  check('a window runs from its first use and then opens anew, at the moment the refusal told', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [shortly(2)] });
    const first = await granted(store.take({ pool, cost: 1 }));
    await bench.until(bench.now() + SHORT_MS / 4);
    await granted(store.take({ pool, cost: 1 }));
    const { retryAtMs } = await refused(store.take({ pool, cost: 1 }));
    assert.equal(retryAtMs, first.taken[0]?.windows[0]?.resetsAtMs);
    await bench.until(retryAtMs);
    assert.deepEqual(await usedOf(store, pool), [0]);
    const [reading] = (await granted(store.take({ pool, cost: 1 }))).taken;
    assert.equal(reading?.windows[0]?.used, 1);
    assert.equal(reading.total, 3);
  });

  check('a window that has opened anew makes its meter the least used again', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [shortly(9)], b: [hourly(9)] });
    const { taken } = await granted(store.take({ pool, cost: 4, pin: ['a'] }));
    assert.deepEqual(await takeIds(store, pool, 2), ['b', 'b']);
    await bench.until(taken[0]?.windows[0]?.resetsAtMs ?? 0);
    assert.deepEqual(await takeIds(store, pool, 3), ['a', 'a', 'b']);
  });
}

function pinsAndAvoidance(check: Check): void {
  check('a pin takes exactly its ids, or is refused until they are ready', async ({ store, now }) => {
    const pool = both({ a: [hourly(9)], b: [hourly(2)] }, { p: [], q: [] });
    const pin = ['b', 'q'];
    for (let n = 0; n < 2; n += 1) {
      assert.deepEqual(
        (await granted(store.take({ pool, cost: 1, pin }))).taken.map(({ id }) => id),
        pin,
      );
    }
    const { kind, retryAtMs } = await refused(store.take({ pool, cost: 1, pin }));
    assert.equal(kind, 'key');
    assertBetween(retryAtMs, now() + HOUR_MS - 60_000, now() + HOUR_MS);
    assert.deepEqual(await usedOf(store, pool), [0, 2, 0, 2]);
  });

  check('what is to be avoided is taken only where nothing else is ready', async ({ store }) => {
    const pool = keys({ a: [hourly(9)], b: [hourly(9)], c: [hourly(1)] });
    const avoid = new Set(['a', 'b']);
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push(idOf(await granted(store.take({ pool, cost: 1, avoid }))));
    assert.deepEqual(ids, ['c', 'a', 'b']);
  });
}

function restsOfOneTake(check: Check): void {
  check(
    'who rests for one take alone is not taken by it, and the refusal tells when it may be',
    async ({ store, now }) => {
      const pool = both({ a: [] }, { p: [hourly(9)], q: [hourly(1)] });
      const [soonMs, laterMs] = [now() + HOUR_MS / 4, now() + HOUR_MS / 2];
      const resting = new Map([
        ['p', laterMs],
        ['not of this pool', soonMs],
      ]);
      const first = await granted(store.take({ pool, cost: 1, resting }));
      assert.deepEqual(
        first.taken.map(({ id }) => id),
        ['a', 'q'],
      );
      const none = await refused(store.take({ pool, cost: 1, resting }));
      assert.deepEqual([none.kind, none.retryAtMs], ['proxy', laterMs]);
      assert.equal((await refused(store.take({ pool, cost: 1, resting, pin: ['a', 'p'] }))).retryAtMs, laterMs);
      const sooner = new Map([...resting, ['p', soonMs]]);
      assert.equal((await refused(store.take({ pool, cost: 1, resting: sooner }))).retryAtMs, soonMs);
      const over = new Map([['p', now()]]);
      for (const map of [over, undefined]) {
        const { taken } = await granted(store.take({ pool, cost: 1, ...(map && { resting: map }) }));
        assert.deepEqual(
          taken.map(({ id }) => id),
          ['a', 'p'],
        );
      }
    },
  );
}

function costs(check: Check): void {
  check('a cost is counted whole or not at all', async ({ store, now }) => {
    const pool = keys({ a: [hourly(5)], b: [hourly(5)] });
    assert.deepEqual(await takeIds(store, pool, 2, 3), ['a', 'b']);
    const { retryAtMs } = await refused(store.take({ pool, cost: 3 }));
    assertBetween(retryAtMs, now() + HOUR_MS - 60_000, now() + HOUR_MS);
    assert.deepEqual(await usedOf(store, pool), [3, 3]);
    assert.deepEqual(await takeIds(store, pool, 2, 2), ['a', 'b']);
  });

  check('a cost goes to the meter that can hold it', async ({ store }) => {
    const pool = keys({ a: [hourly(2)], b: [hourly(9)] });
    await granted(store.take({ pool, cost: 4, pin: ['b'] }));
    assert.deepEqual(await takeIds(store, pool, 1, 3), ['b']);
  });

  check('a cost above every limit is never granted', async ({ store }) => {
    const pool = keys({ a: [hourly(2)], b: [hourly(3)] });
    assert.equal((await refused(store.take({ pool, cost: 4 }))).retryAtMs, Infinity);
    await granted(store.take({ pool, cost: 1 }));
    assert.equal((await refused(store.take({ pool, cost: 4 }))).retryAtMs, Infinity);
    assert.equal((await refused(store.take({ pool, cost: 3, pin: ['a'] }))).retryAtMs, Infinity);
  });
}

function givenBack(check: Check): void {
  check('a use given back is as if it had not been', async ({ store }) => {
    const pool = both({ a: [hourly(2)] }, { p: [] });
    const ticket = await granted(store.take({ pool, cost: 2 }));
    await refused(store.take({ pool, cost: 1 }));
    await store.giveBack(ticket);
    const [key, proxy] = await store.read(pool);
    assert.deepEqual(key?.windows, [{ limit: 2, used: 0, resetsAtMs: undefined }]);
    assert.deepEqual([key.total, proxy?.total], [0, 0]);
    await granted(store.take({ pool, cost: 2 }));
  });

  check('giving back leaves the other uses of the window, and its end, alone', async ({ store }) => {
    const pool = keys({ a: [hourly(3)] });
    const first = await granted(store.take({ pool, cost: 1 }));
    const second = await granted(store.take({ pool, cost: 2 }));
    await store.giveBack(second);
    const [reading] = await store.read(pool);
    assert.equal(reading?.total, 1);
    assert.deepEqual(reading.windows, [{ limit: 3, used: 1, resetsAtMs: first.taken[0]?.windows[0]?.resetsAtMs }]);
  });

  check(
    'a window whose first use is given back runs on from now, for the sender may not have known of it',
    async (bench) => {
      const { store } = bench;
      const pool = keys({ a: [shortly(3)] });
      const first = await granted(store.take({ pool, cost: 1 }));
      await bench.until(bench.now() + SHORT_MS / 2);
      await granted(store.take({ pool, cost: 2 }));
      const before = bench.now();
      await store.giveBack(first);
      const [reading] = await store.read(pool);
      assert.equal(reading?.windows[0]?.used, 2);
      assertBetween(reading.windows[0].resetsAtMs, before + SHORT_MS, bench.now() + SHORT_MS);
      await bench.until((first.taken[0]?.windows[0]?.resetsAtMs ?? 0) + 1);
      assert.ok((await refused(store.take({ pool, cost: 2 }))).retryAtMs >= before + SHORT_MS);
    },
  );

  check('a window that has opened anew is left alone', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [shortly(3)] });
    const old = await granted(store.take({ pool, cost: 2 }));
    await bench.until(old.taken[0]?.windows[0]?.resetsAtMs ?? 0);
    await granted(store.take({ pool, cost: 1 }));
    await store.giveBack(old);
    const [reading] = await store.read(pool);
    assert.equal(reading?.windows[0]?.used, 1);
    assert.equal(reading.total, 1);
  });
}

function arrivals(check: Check): void {
  check('the window of a first use runs from its arrival', async (bench) => {
    const { store } = bench;
    const pool = both({ a: [shortly(3)] }, { p: [hourly(3)] });
    const first = await granted(store.take({ pool, cost: 1 }));
    await granted(store.take({ pool, cost: 2 }));
    await bench.until(bench.now() + SHORT_MS / 2);
    const before = bench.now();
    await store.arrived(first);
    const [key, proxy] = await store.read(pool);
    assert.deepEqual([key?.total, key?.windows[0]?.used, proxy?.windows[0]?.used], [3, 3, 3]);
    assertBetween(key?.windows[0]?.resetsAtMs, before + SHORT_MS, bench.now() + SHORT_MS);
    assertBetween(proxy?.windows[0]?.resetsAtMs, before + HOUR_MS, bench.now() + HOUR_MS);
    await bench.until((first.taken[0]?.windows[0]?.resetsAtMs ?? 0) + 1);
    await refused(store.take({ pool, cost: 1, pin: ['a', 'p'] }));
  });

  check('the arrival of a later use moves nothing', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [hourly(3)] });
    await granted(store.take({ pool, cost: 1 }));
    const later = await granted(store.take({ pool, cost: 1 }));
    await bench.until(bench.now() + 20);
    await store.arrived(later);
    assert.deepEqual((await store.read(pool))[0], later.taken[0]);
  });

  check('a use that arrives when its window is over counts in the present one too', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [shortly(3)] });
    const [first, second] = [
      await granted(store.take({ pool, cost: 1 })),
      await granted(store.take({ pool, cost: 1 })),
    ];
    await bench.until(first.taken[0]?.windows[0]?.resetsAtMs ?? 0);
    await store.arrived(second);
    assert.deepEqual(await usedOf(store, pool), [1]);
    await bench.until(bench.now() + SHORT_MS / 4);
    const before = bench.now();
    const next = await granted(store.take({ pool, cost: 1 }));
    assertBetween(next.taken[0]?.windows[0]?.resetsAtMs, before + SHORT_MS, bench.now() + SHORT_MS);
    await store.arrived(first);
    const [reading] = await store.read(pool);
    assert.deepEqual([reading?.windows[0]?.used, reading?.total], [3, 3]);
    await refused(store.take({ pool, cost: 1 }));
  });
}

function rests(check: Check): void {
  check('a resting meter is not taken, and comes back with its counts', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [hourly(9)], b: [hourly(9)] });
    await takeIds(store, pool, 2);
    const untilMs = bench.now() + SHORT_MS;
    await store.rest(pool, 'a', untilMs);
    assert.deepEqual(await takeIds(store, pool, 2), ['b', 'b']);
    assert.equal((await store.read(pool))[0]?.restingUntilMs, untilMs);
    await bench.until(untilMs);
    assert.deepEqual(await takeIds(store, pool, 3), ['a', 'a', 'b']);
    assert.equal((await store.read(pool))[0]?.restingUntilMs, undefined);
  });

  check('a rest is never shortened', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [] });
    const untilMs = bench.now() + HOUR_MS;
    await store.rest(pool, 'a', untilMs);
    await store.rest(pool, 'a', untilMs - 1_000);
    assert.equal((await refused(store.take({ pool, cost: 1 }))).retryAtMs, untilMs);
    assert.equal((await refused(store.take({ pool, cost: 1, pin: ['a'] }))).retryAtMs, untilMs);
  });

  check('where all rest or are spent the refusal tells the first that is ready again', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [hourly(9)], b: [hourly(9)], c: [hourly(1)] });
    const untilMs = bench.now() + HOUR_MS / 2;
    await granted(store.take({ pool, cost: 1, pin: ['c'] }));
    await store.rest(pool, 'a', untilMs + 1);
    await store.rest(pool, 'b', untilMs);
    assert.equal((await refused(store.take({ pool, cost: 1 }))).retryAtMs, untilMs);
  });
}

function readings(check: Check): void {
  check('reads every meter in the order of the sections, used or not', async ({ store }) => {
    const pool = both({ a: [hourly(2)], b: [] }, { p: [hourly(1), hourly(2)] });
    const unused = { restingUntilMs: undefined, total: 0, lastTake: 0 };
    const closed = (limit: number): object => ({ limit, used: 0, resetsAtMs: undefined });
    assert.deepEqual(await store.read(pool), [
      { id: 'a', kind: 'key', ...unused, windows: [closed(2)] },
      { id: 'b', kind: 'key', ...unused, windows: [] },
      { id: 'p', kind: 'proxy', ...unused, windows: [closed(1), closed(2)] },
    ]);
    const { taken } = await granted(store.take({ pool, cost: 1 }));
    const [a, , p] = await store.read(pool);
    assert.deepEqual([a, p], taken);
  });
}

function changedPools(check: Check): void {
  check('a changed limit is in force at once, over the same counts', async ({ store }) => {
    const tag = randomUUID();
    const of = (limit: number): Pool => keys({ a: [hourly(limit)], b: [hourly(limit)] }, tag);
    const [low, high] = [of(2), of(4)];
    await takeIds(store, low, 4);
    await refused(store.take({ pool: low, cost: 1 }));
    assert.deepEqual(await takeIds(store, high, 3), ['a', 'b', 'a']);
    await refused(store.take({ pool: low, cost: 1 }));
    assert.deepEqual(await takeIds(store, high, 1), ['b']);
    await refused(store.take({ pool: high, cost: 1 }));
  });

  check('windows that a file does not name keep their counts, and count on', async ({ store }) => {
    const tag = randomUUID();
    const daily: WindowSpec = { limit: 4, everyMs: 24 * HOUR_MS };
    const [day, none] = [keys({ a: [daily] }, tag), keys({ a: [] }, tag)];
    const [hour, two] = [keys({ a: [hourly(9)] }, tag), keys({ a: [hourly(9), daily] }, tag)];
    await takeIds(store, day, 2);
    await takeIds(store, none, 1);
    await store.giveBack(await granted(store.take({ pool: hour, cost: 1 })));
    await takeIds(store, hour, 1);
    assert.deepEqual(
      (await store.read(two))[0]?.windows.map(({ used }) => used),
      [1, 4],
    );
    await refused(store.take({ pool: day, cost: 1 }));
    await refused(store.take({ pool: two, cost: 1 }));
    await granted(store.take({ pool: none, cost: 1 }));
    assert.equal((await store.read(none))[0]?.total, 5);
  });

  check('a window that a file does not name is forgotten when it is over', async (bench) => {
    const { store } = bench;
    const tag = randomUUID();
    const [short, none] = [keys({ a: [shortly(1)] }, tag), keys({ a: [] }, tag)];
    const { taken } = await granted(store.take({ pool: short, cost: 1 }));
    await granted(store.take({ pool: none, cost: 1 }));
    await bench.until(taken[0]?.windows[0]?.resetsAtMs ?? 0);
    await granted(store.take({ pool: none, cost: 1 }));
    await granted(store.take({ pool: short, cost: 1 }));
  });

  check('a removed meter is not taken, and has its counts when it is added again', async ({ store }) => {
    const tag = randomUUID();
    const [full, less] = [keys({ a: [hourly(1)], b: [hourly(9)] }, tag), keys({ b: [hourly(9)] }, tag)];
    assert.deepEqual(await takeIds(store, full, 1), ['a']);
    assert.deepEqual(await takeIds(store, less, 2), ['b', 'b']);
    assert.deepEqual(await takeIds(store, full, 2), ['b', 'b']);
    assert.deepEqual(
      (await store.read(full)).map(({ total }) => total),
      [1, 4],
    );
  });

  check('the meters in another order are the same meters', async ({ store }) => {
    const tag = randomUUID();
    const [there, back] = [keys({ a: [], b: [], c: [] }, tag), keys({ c: [], b: [], a: [] }, tag)];
    assert.deepEqual(await takeIds(store, there, 3), ['a', 'b', 'c']);
    assert.deepEqual(await takeIds(store, back, 6), ['a', 'b', 'c', 'a', 'b', 'c']);
    assert.deepEqual(await takeIds(store, there, 6), ['a', 'b', 'c', 'a', 'b', 'c']);
  });

  check('keys alone and keys with proxies are counted on the same keys', async ({ store }) => {
    const tag = randomUUID();
    const together = both({ a: [hourly(2)] }, { p: [] }, tag);
    const alone = keys({ a: [hourly(2)] }, tag);
    await granted(store.take({ pool: together, cost: 1 }));
    await granted(store.take({ pool: alone, cost: 1 }));
    assert.equal((await refused(store.take({ pool: together, cost: 1 }))).kind, 'key');
    assert.deepEqual(await usedOf(store, together), [2, 1]);
  });
}

function windowKinds(check: Check): void {
  check('a sliding window frees each use when it is that old', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [sliding(2)] });
    const first = await granted(store.take({ pool, cost: 1 }));
    await bench.until(bench.now() + SHORT_MS / 2);
    const second = await granted(store.take({ pool, cost: 1 }));
    const { retryAtMs } = await refused(store.take({ pool, cost: 1 }));
    assert.equal(retryAtMs, first.taken[0]?.windows[0]?.resetsAtMs);
    assert.ok((await refused(store.take({ pool, cost: 2 }))).retryAtMs >= retryAtMs + SHORT_MS / 2);
    await store.arrived(first);
    assert.ok((await refused(store.take({ pool, cost: 1 }))).retryAtMs > retryAtMs);
    await store.giveBack(second);
    assert.deepEqual(await usedOf(store, pool), [1]);
    await bench.until((await store.read(pool))[0]?.windows[0]?.resetsAtMs ?? 0);
    assert.deepEqual((await store.read(pool))[0]?.windows, [{ limit: 2, used: 0, resetsAtMs: undefined }]);
  });

  check('a sliding window of many uses frees them in slots, none early and none later than a 64th', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [{ limit: 100, withinMs: 64 * HOUR_MS }] });
    const before = bench.now();
    const tickets = await Promise.all(Array.from({ length: 100 }, () => granted(store.take({ pool, cost: 1 }))));
    assert.ok(tickets.every(({ taken }) => taken[0]?.windows[0]?.limit === 100));
    const { retryAtMs } = await refused(store.take({ pool, cost: 1 }));
    assertBetween(retryAtMs, before + 64 * HOUR_MS, bench.now() + 65 * HOUR_MS);
  });

  check('a calendar window ends with its period, by the clocks of its time zone', async ({ store, now }) => {
    for (const [timezone, hours] of [
      ['UTC', 0],
      ['Etc/GMT+9', 9],
      ['Asia/Kolkata', -5.5],
    ] as const) {
      const pool = keys({ a: [{ limit: 1, per: 'day', timezone }] });
      const dayAt = (atMs: number): number => Math.floor((atMs - hours * HOUR_MS) / (24 * HOUR_MS));
      const endOf = (day: number): number => (day + 1) * 24 * HOUR_MS + hours * HOUR_MS;
      const before = endOf(dayAt(now()));
      const { taken } = await granted(store.take({ pool, cost: 1 }));
      assertBetween(taken[0]?.windows[0]?.resetsAtMs, before, endOf(dayAt(now())));
      const { retryAtMs } = await refused(store.take({ pool, cost: 1 }));
      assert.equal(retryAtMs, taken[0]?.windows[0]?.resetsAtMs);
    }
  });

  check('windows of all kinds hold at once', async ({ store, now }) => {
    const pool = keys({ a: [hourly(9), { limit: 3, withinMs: HOUR_MS }, { limit: 2, per: 'year', timezone: 'UTC' }] });
    const yearEnds = new Set([now()].map((ms) => Date.UTC(new Date(ms).getUTCFullYear() + 1, 0)));
    await takeIds(store, pool, 2);
    yearEnds.add(Date.UTC(new Date(now()).getUTCFullYear() + 1, 0));
    const { retryAtMs } = await refused(store.take({ pool, cost: 1 }));
    assert.ok(yearEnds.has(retryAtMs));
    const read = (await store.read(pool))[0]?.windows;
    assert.deepEqual(
      read?.map(({ limit, used }) => [limit, used]),
      [
        [9, 2],
        [3, 2],
        [2, 2],
      ],
    );
  });
}

function margins(check: Check): void {
  const marginMs = SHORT_MS / 4;

  check('a margin holds uses that much longer', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [{ ...shortly(1), marginMs }], b: [{ ...sliding(1), marginMs }] });
    const before = bench.now();
    await takeIds(store, pool, 2);
    const span = SHORT_MS + marginMs;
    for (const { windows } of await store.read(pool)) {
      assertBetween(windows[0]?.resetsAtMs, before + span, bench.now() + span);
    }
  });

  check(
    'a use near the end of a fixed window counts in the next one too, which runs from the next use',
    async (bench) => {
      const { store } = bench;
      const pool = keys({ a: [{ ...shortly(3), marginMs }] });
      const { taken } = await granted(store.take({ pool, cost: 1 }));
      const endsAtMs = taken[0]?.windows[0]?.resetsAtMs ?? 0;
      await bench.until(endsAtMs - 2 * marginMs);
      const late = await granted(store.take({ pool, cost: 1 }));
      await granted(store.take({ pool, cost: 1 }));
      assert.equal((await refused(store.take({ pool, cost: 1 }))).retryAtMs, endsAtMs);
      await bench.until(endsAtMs);
      assert.deepEqual(await usedOf(store, pool), [2]);
      await store.giveBack(late);
      const before = bench.now();
      await granted(store.take({ pool, cost: 1 }));
      const [reading] = await store.read(pool);
      assert.equal(reading?.windows[0]?.used, 2);
      assertBetween(reading.windows[0].resetsAtMs, before + SHORT_MS + marginMs, bench.now() + SHORT_MS + marginMs);
    },
  );
}

function accounts(check: Check): void {
  const team = (windows: readonly WindowSpec[]): Account => ({ id: 'team', windows });
  const section = (meters: readonly Meter[], endpoint?: string): Pool => poolOf([{ kind: 'key', meters }], endpoint);

  check('the keys of an account share its windows, and take turns within it', async ({ store, now }) => {
    const account = team([hourly(4)]);
    const pool = section([
      { id: 'a', windows: [], account },
      { id: 'b', windows: [hourly(1)], account },
      { id: 'c', windows: [hourly(9)] },
      { id: 'd', windows: [], account },
    ]);
    assert.deepEqual(await takeIds(store, pool, 8), ['a', 'c', 'b', 'c', 'd', 'c', 'a', 'c']);
    assert.deepEqual(await takeIds(store, pool, 5), ['c', 'c', 'c', 'c', 'c']);
    assertBetween((await refused(store.take({ pool, cost: 1 }))).retryAtMs, now() + HOUR_MS - 60_000, now() + HOUR_MS);
    assert.deepEqual(
      (await store.read(pool)).map(({ id, total, windows }) => [id, total, windows.map(({ used }) => used)]),
      [
        ['a', 2, [4]],
        ['b', 1, [1, 4]],
        ['c', 9, [9]],
        ['d', 1, [4]],
      ],
    );
  });

  check('a pin, a cost and a use given back concern the account too', async ({ store }) => {
    const account = team([hourly(5)]);
    const pool = section([
      { id: 'a', windows: [hourly(9)], account },
      { id: 'b', windows: [hourly(9)], account },
    ]);
    const ticket = await granted(store.take({ pool, cost: 4, pin: ['a'] }));
    assert.deepEqual(await takeIds(store, pool, 1), ['b']);
    await refused(store.take({ pool, cost: 1, pin: ['b'] }));
    assert.equal((await refused(store.take({ pool, cost: 6 }))).retryAtMs, Infinity);
    await store.giveBack(ticket);
    assert.deepEqual(await takeIds(store, pool, 1, 4), ['a']);
  });

  check('where all keys of an account rest, it comes back with the first of them', async (bench) => {
    const { store } = bench;
    const account = team([hourly(5)]);
    const pool = section([
      { id: 'a', windows: [], account },
      { id: 'b', windows: [], account },
    ]);
    const untilMs = bench.now() + SHORT_MS;
    await store.rest(pool, 'a', untilMs + HOUR_MS);
    await store.rest(pool, 'b', untilMs);
    assert.equal((await refused(store.take({ pool, cost: 1 }))).retryAtMs, untilMs);
    await bench.until(untilMs);
    assert.deepEqual(await takeIds(store, pool, 2), ['b', 'b']);
    assert.deepEqual(
      await takeIds(store, pool, 1).then(async () => (await store.read(pool))[0]?.restingUntilMs),
      untilMs + HOUR_MS,
    );
  });

  check('the window of an account opens anew for all of its keys', async (bench) => {
    const { store } = bench;
    const account = team([sliding(2)]);
    const pool = section(Array.from({ length: 5 }, (_, n) => ({ id: `k${n}`, windows: [hourly(9)], account })));
    assert.deepEqual(await takeIds(store, pool, 2), ['k0', 'k1']);
    const { retryAtMs } = await refused(store.take({ pool, cost: 1 }));
    await bench.until(retryAtMs + 20);
    assert.deepEqual(await takeIds(store, pool, 1), ['k2']);
  });
}

function many(check: Check): void {
  check('of hundreds whose windows end at the same time none is left unused', async (bench) => {
    const { store } = bench;
    const names = Array.from({ length: 300 }, (_, n) => `k${n}`);
    const windows = [{ limit: 1, withinMs: 2 * SHORT_MS }];
    const pool = keys(Object.fromEntries(names.map((name) => [name, windows])));
    const takeAll = (): Promise<readonly (Refusal | Ticket)[]> =>
      Promise.all(names.map(() => store.take({ pool, cost: 1 })));
    await takeAll();
    const atMs = Math.max(...(await store.read(pool)).map(({ windows: [window] }) => window?.resetsAtMs ?? 0));
    await bench.until(atMs);
    const taken = (await takeAll()).map((answer) => (answer.granted ? idOf(answer) : 'refused'));
    assert.deepEqual(taken.toSorted(), names.toSorted());
  });
}

function sharing(check: Check): void {
  check('several stores on one engine count as one', async ({ store, open }) => {
    const stores = [store, await open(), await open()];
    const pool = keys({ a: [hourly(20)], b: [hourly(20)], c: [hourly(20)] });
    const answers = await Promise.all(
      stores.flatMap((one) => {
        const own = structuredClone(pool);
        return Array.from({ length: 30 }, () => one.take({ pool: own, cost: 1 }));
      }),
    );
    assert.equal(answers.filter((answer) => answer.granted).length, 60);
    for (const one of stores) assert.deepEqual(await usedOf(one, pool), [20, 20, 20]);
  });

  check('counts and rests outlive the store that made them', async ({ store, open, now }) => {
    const pool = keys({ a: [hourly(2)], b: [hourly(2)] });
    const untilMs = now() + HOUR_MS;
    const ticket = await granted(store.take({ pool, cost: 2 }));
    await store.rest(pool, 'b', untilMs);
    await store.close();
    const next = await open();
    await refused(next.take({ pool, cost: 1 }));
    assert.equal((await next.read(pool))[1]?.restingUntilMs, untilMs);
    await next.giveBack(structuredClone(ticket));
    assert.deepEqual(await takeIds(next, pool, 1), ['a']);
  });
}

function clockSteps(check: Check): void {
  check('a clock that steps back opens no window early', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [shortly(1)] });
    const startMs = bench.now();
    await granted(store.take({ pool, cost: 1 }));
    await bench.until(startMs + SHORT_MS);
    await granted(store.take({ pool, cost: 1 }));
    await bench.until(startMs + SHORT_MS / 2);
    const { retryAtMs } = await refused(store.take({ pool, cost: 1 }));
    assert.equal(retryAtMs, startMs + 2 * SHORT_MS);
    await bench.until(startMs + 2 * SHORT_MS - 1);
    await refused(store.take({ pool, cost: 1 }));
    await bench.until(startMs + 2 * SHORT_MS);
    await granted(store.take({ pool, cost: 1 }));
  });

  check('a clock that steps forward opens the windows that end in the step, and each of them once', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [shortly(2)], b: [hourly(2)] });
    const startMs = bench.now();
    await takeIds(store, pool, 4);
    await bench.until(startMs + 10 * SHORT_MS);
    assert.deepEqual(await takeIds(store, pool, 2), ['a', 'a']);
    assert.equal((await refused(store.take({ pool, cost: 1 }))).retryAtMs, startMs + 11 * SHORT_MS);
    await bench.until(startMs + SHORT_MS);
    assert.equal((await refused(store.take({ pool, cost: 1 }))).retryAtMs, startMs + 11 * SHORT_MS);
  });

  check('a calendar day is as long as the clocks of its time zone make it', async (bench) => {
    const { store } = bench;
    const pool = keys({ a: [{ limit: 1, per: 'day', timezone: 'America/New_York' }] });
    // Of 23 hours, and of 25.
    for (const [beginsMs, endsMs] of [
      [Date.UTC(2030, 2, 10, 5), Date.UTC(2030, 2, 11, 4)],
      [Date.UTC(2030, 10, 3, 4), Date.UTC(2030, 10, 4, 5)],
    ] as const) {
      for (const atMs of [beginsMs, endsMs]) {
        await bench.until(atMs - 1);
        if (atMs === endsMs) await refused(store.take({ pool, cost: 1 }));
        else await granted(store.take({ pool, cost: 1 }));
        await bench.until(atMs);
        const { taken } = await granted(store.take({ pool, cost: 1 }));
        if (atMs === beginsMs) assert.equal(taken[0]?.windows[0]?.resetsAtMs, endsMs);
      }
    }
  });

  check('a clock that was far ahead for once holds no window or rest longer than it lasts', async (bench) => {
    const { store } = bench;
    const pool = both({ a: [shortly(1)], b: [shortly(1)] }, { p: [hourly(2)] });
    const startMs = bench.now();
    await bench.until(startMs + 1_000 * HOUR_MS);
    await granted(store.take({ pool, cost: 1 }));
    await store.rest(pool, 'b', bench.now() + 2 * SHORT_MS);
    await bench.until(startMs);
    const ends = (await store.read(pool)).map(({ windows, restingUntilMs }) => [
      windows[0]?.resetsAtMs,
      restingUntilMs,
    ]);
    assert.deepEqual(ends, [
      [startMs + SHORT_MS, undefined],
      [undefined, startMs + 2 * SHORT_MS],
      [startMs + HOUR_MS, undefined],
    ]);
    assert.equal((await refused(store.take({ pool, cost: 1 }))).retryAtMs, startMs + SHORT_MS);
    await bench.until(startMs + SHORT_MS);
    await granted(store.take({ pool, cost: 1 }));
    assert.equal((await refused(store.take({ pool, cost: 1 }))).retryAtMs, startMs + HOUR_MS);
    await bench.until(startMs + HOUR_MS);
    await takeIds(store, pool, 2);
  });

  check('a rest of one kind is brought back too when the other kind was asked first', async (bench) => {
    const { store } = bench;
    const tag = randomUUID();
    const [together, alone] = [both({ a: [] }, { p: [] }, tag), keys({ a: [] }, tag)];
    const startMs = bench.now();
    await bench.until(startMs + 1_000 * HOUR_MS);
    await store.rest(together, 'p', bench.now() + SHORT_MS);
    await bench.until(startMs);
    await granted(store.take({ pool: alone, cost: 1 }));
    assert.equal((await refused(store.take({ pool: together, cost: 1 }))).retryAtMs, startMs + SHORT_MS);
  });
}

const hourly = (limit: number): WindowSpec => ({ limit, everyMs: HOUR_MS });
const shortly = (limit: number): WindowSpec => ({ limit, everyMs: SHORT_MS });
const sliding = (limit: number): WindowSpec => ({ limit, withinMs: SHORT_MS });

type Meters = Readonly<Record<string, readonly WindowSpec[]>>;

function keys(meters: Meters, endpoint?: string): Pool {
  return poolOf([{ kind: 'key', meters: toMeters(meters) }], endpoint);
}

function both(keyMeters: Meters, proxyMeters: Meters, endpoint?: string): Pool {
  const sections: Section[] = [
    { kind: 'key', meters: toMeters(keyMeters) },
    { kind: 'proxy', meters: toMeters(proxyMeters) },
  ];
  return poolOf(sections, endpoint);
}

function toMeters(meters: Meters): Meter[] {
  return Object.entries(meters).map(([id, windows]) => ({ id, windows }));
}

function poolOf(sections: readonly Section[], endpoint: string = randomUUID()): Pool {
  return { endpoint: `${endpoint} ${process.pid}`, sections };
}

async function granted(answer: Promise<Ticket | Refusal>): Promise<Ticket> {
  const ticket = await answer;
  assert.ok(ticket.granted, 'expected a ticket, was refused');
  return ticket;
}

async function refused(answer: Promise<Ticket | Refusal>): Promise<Refusal> {
  const refusal = await answer;
  assert.ok(!refusal.granted, 'expected a refusal, was granted');
  return refusal;
}

async function takeIds(store: UsageStore, pool: Pool, times: number, cost: Demand['cost'] = 1): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < times; n += 1) ids.push(idOf(await granted(store.take({ pool, cost }))));
  return ids;
}

const idOf = ({ taken }: Ticket): string => taken[0]?.id ?? '';

/** The uses of every meter: in its first window, or since ever. */
async function usedOf(store: UsageStore, pool: Pool): Promise<number[]> {
  return (await store.read(pool)).map(({ windows, total }) => windows[0]?.used ?? total);
}

function assertBetween(value: number | undefined, low: number, high: number): void {
  assert.ok(value !== undefined && value >= low && value <= high, `expected ${low} to ${high}, found ${value}`);
}
