import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Meter, WindowSpec } from '../config/resolve.js';
import type { Pool, Refusal, Ticket, UsageStore, WindowReading } from '../usage/usage-store.js';
import type { Check } from './usage-contract.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const fixed: WindowSpec = { limit: 9, everyMs: HOUR_MS };
const sliding: WindowSpec = { limit: 9, withinMs: HOUR_MS };
const daily: WindowSpec = { limit: 9, per: 'day', timezone: 'UTC' };

/** What every LearningStore must do. */
export function learningContract(check: Check): void {
  for (const spec of [fixed, sliding, daily]) {
    const kind = Object.keys(spec)[1];
    check(
      `what the provider has counted counts (${kind}), and what we have counted beyond it stays`,
      async ({ store }) => {
        const pool = poolOf({ id: 'a', windows: [spec] }, { id: 'b', windows: [spec] });
        await take(store, pool);
        await store.learn(pool, 'a', [{ spec, remaining: 3 }]);
        assert.deepEqual(await used(store, pool), [6, 0]);
        await store.learn(pool, 'a', [{ spec, remaining: 5 }]);
        await store.learn(pool, 'a', [{ spec, remaining: 100 }]);
        await store.learn(pool, 'nobody', [{ spec, remaining: 0 }]);
        assert.deepEqual(await used(store, pool), [6, 0]);
        assert.equal((await store.read(pool))[0]?.total, 1);
        for (let n = 0; n < 3; n += 1) await take(store, pool, 'a');
        assert.equal((await refusal(store, pool, 'a')).granted, false);
        await store.learn(pool, 'b', [{ spec, remaining: 0 }]);
        assert.deepEqual(await used(store, pool), [9, 9]);
        assert.equal((await refusal(store, pool)).granted, false);
      },
    );
  }

  check('a fixed window ends no earlier than the provider’s, and never later than its length', async (bench) => {
    const { store } = bench;
    const pool = poolOf({ id: 'a', windows: [fixed] });
    await take(store, pool);
    const before = (await window(store, pool)).resetsAtMs ?? 0;
    await bench.until(bench.now() + 20);
    await store.learn(pool, 'a', [{ spec: fixed, remaining: 8, resetAtMs: before - MINUTE_MS }]);
    assert.equal((await window(store, pool)).resetsAtMs, before);
    await store.learn(pool, 'a', [{ spec: fixed, remaining: 8, resetAtMs: before + 10 }]);
    assert.equal((await window(store, pool)).resetsAtMs, before + 10);
    const now = bench.now();
    await store.learn(pool, 'a', [{ spec: fixed, remaining: 8, resetAtMs: before + HOUR_MS }]);
    const { resetsAtMs = 0, used: count } = await window(store, pool);
    assert.ok(
      resetsAtMs >= now + HOUR_MS && resetsAtMs <= bench.now() + HOUR_MS,
      `resets at ${resetsAtMs}, now ${now}`,
    );
    assert.equal(count, 1);
  });

  check('only the window that was told of changes, of the meter or of its account', async ({ store }) => {
    const account = { id: 'shared', windows: [{ limit: 20, everyMs: HOUR_MS }] };
    const windows: WindowSpec[] = [fixed, { limit: 50, everyMs: 2 * HOUR_MS }];
    const pool = poolOf({ id: 'a', windows, account }, { id: 'b', windows, account });
    await store.learn(pool, 'a', [
      { spec: { limit: 50, everyMs: 2 * HOUR_MS }, remaining: 10 },
      { spec: { limit: 20, everyMs: HOUR_MS }, remaining: 15 },
      { spec: { limit: 8, everyMs: HOUR_MS }, remaining: 0 },
    ]);
    const counts = (await store.read(pool)).map((reading) => reading.windows.map((each) => each.used));
    assert.deepEqual(counts, [
      [0, 40, 5],
      [0, 0, 5],
    ]);
  });

  check('what is learned at once counts once', async ({ store }) => {
    const pool = poolOf({ id: 'a', windows: [sliding] });
    await Promise.all(Array.from({ length: 10 }, () => store.learn(pool, 'a', [{ spec: sliding, remaining: 4 }])));
    assert.deepEqual(await used(store, pool), [5]);
  });
}

function poolOf(...meters: readonly Meter[]): Pool {
  return Object.freeze({
    endpoint: randomUUID(),
    sections: Object.freeze([Object.freeze({ kind: 'key' as const, meters })]),
  });
}

async function take(store: UsageStore, pool: Pool, id?: string): Promise<Ticket> {
  const answer = await store.take({ pool, cost: 1, ...(id === undefined ? {} : { pin: [id] }) });
  assert.ok(answer.granted);
  return answer;
}

const refusal = (store: UsageStore, pool: Pool, id?: string): Promise<Refusal | Ticket> =>
  store.take({ pool, cost: 1, ...(id === undefined ? {} : { pin: [id] }) });

async function window(store: UsageStore, pool: Pool): Promise<WindowReading> {
  const found = (await store.read(pool))[0]?.windows[0];
  assert.ok(found !== undefined);
  return found;
}

async function used(store: UsageStore, pool: Pool): Promise<(number | undefined)[]> {
  return (await store.read(pool)).map(({ windows }) => windows[0]?.used);
}
