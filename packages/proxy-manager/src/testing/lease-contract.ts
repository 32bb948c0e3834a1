import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { LeaseStore } from '../cache/lease-store.js';

export interface LeaseContract {
  /** vitest's, node:test's or anyone's. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** Two users of the same leases, as they stand in two processes. */
  readonly open: () => Promise<{ readonly here: LeaseStore; readonly there: LeaseStore }>;
  /** Lets so much time go by for the engine; asks of `there` go on meanwhile where it needs them. */
  readonly pass: (ms: number) => Promise<void>;
}

const TTL_MS = 400;

/** What every LeaseStore must do, as tests of any runner with a `test(name, body)`. */
export function leaseStoreContract({ test, open, pass }: LeaseContract): void {
  const check = (name: string, body: (here: LeaseStore, there: LeaseStore, key: string) => Promise<void>): void => {
    test(name, async () => {
      const { here, there } = await open();
      await body(here, there, randomBytes(32).toString('hex'));
    });
  };
  const taken = async (
    leases: LeaseStore,
    key: string,
    waited = false,
  ): Promise<{ token: number; recent: boolean }> => {
    const answer = await leases.take(key, TTL_MS, waited);
    assert.equal(answer.state, 'taken');
    return answer.state === 'taken' ? answer : { token: 0, recent: false };
  };

  check('a lease is one’s alone, and of one key', async (here, there, key) => {
    const { recent } = await taken(here, key);
    assert.equal(recent, false);
    assert.deepEqual(await there.take(key, TTL_MS, false), { state: 'held' });
    assert.deepEqual(await here.take(key, TTL_MS, true), { state: 'held' });
    await taken(there, key.replaceAll(/[0-7]/g, '8'));
  });

  check('of many who take at once one gets it', async (here, there, key) => {
    const takes = Array.from({ length: 20 }, (_, index) => (index % 2 ? here : there).take(key, TTL_MS, false));
    const answers = await Promise.all(takes);
    assert.equal(answers.filter(({ state }) => state === 'taken').length, 1);
  });

  check('a lease that is not renewed is anybody’s, and its token is overtaken', async (here, there, key) => {
    const first = await taken(here, key);
    assert.equal((await there.take(key, TTL_MS, false)).state, 'held');
    await pass(TTL_MS + 200);
    const second = await taken(there, key, true);
    assert.ok(second.token > first.token);
    assert.equal(await here.renew(key, first.token, TTL_MS), false);
    await here.release(key, first.token, 'stored');
    assert.equal((await here.take(key, TTL_MS, false)).state, 'held');
  });

  check('a lease that is renewed stays', async (here, there, key) => {
    const { token } = await taken(here, key);
    for (let round = 0; round < 4; round++) {
      await pass(TTL_MS / 2);
      assert.equal(await here.renew(key, token, TTL_MS), true);
      assert.equal((await there.take(key, TTL_MS, true)).state, 'held');
    }
  });

  for (const landing of ['stored', 'fruitless'] as const) {
    check(`who waited is told that the flight was ${landing}, who comes anew may take`, async (here, there, key) => {
      const { token } = await taken(here, key);
      await here.release(key, token, landing);
      assert.deepEqual(await there.take(key, TTL_MS, true), { state: 'landed', landing });
      const next = await taken(there, key);
      assert.equal(next.recent, true);
      assert.ok(next.token > token);
    });
  }

  check('who leaves tells nothing: the next one takes', async (here, there, key) => {
    const { token } = await taken(here, key);
    await here.release(key, token, 'left');
    assert.ok((await taken(there, key, true)).token > token);
  });
}
