import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { openCounts } from '../../src/embedded/environment.js';
import { usageStoreContract } from '../../src/testing/usage-contract.js';
import { embeddedUsageStore } from '../../src/usage/embedded.js';
import type { UsageStore } from '../../src/usage/usage-store.js';
import { assertAgreesWithModel } from './agreement.js';
import { assertSameAsMemory } from './same-as-memory.js';

let dataDir = '';
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'usage-'));
});
afterAll(() => rm(dataDir, { recursive: true }));

const opens =
  (journalBytes?: number) =>
  async (clock?: Clock): Promise<UsageStore> => {
    const environment = await openCounts(dataDir);
    const store = embeddedUsageStore({
      environment: async () => environment,
      ...(clock && { clock }),
      ...(journalBytes !== undefined && { journalBytes }),
    });
    return { ...store, close: () => store.close().then(environment.close) };
  };

/**
 * Two stores that are asked in turns, as two processes would, and replace their journal all the time. What comes up
 * together goes to the same one, since which of two is the first nobody can tell.
 */
async function openTwo(clock: Clock): Promise<UsageStore> {
  const open = opens(400);
  const stores = [await open(clock), await open(clock)] as const;
  let present = 0;
  let asked = 0;
  async function ask<T>(verb: (store: UsageStore) => Promise<T>): Promise<T> {
    if (asked === 0) present = 1 - present;
    asked += 1;
    try {
      return await verb(present === 0 ? stores[0] : stores[1]);
    } finally {
      asked -= 1;
    }
  }
  return {
    take: (demand) => ask((store) => store.take(demand)),
    giveBack: (ticket) => ask((store) => store.giveBack(ticket)),
    arrived: (ticket) => ask((store) => store.arrived(ticket)),
    async rest(pool, ...args) {
      await ask((store) => store.rest(pool, ...args));
      // The time of a verb that changes nothing is known to that store alone.
      await ask((store) => store.rest(pool, 'nobody', 0));
    },
    learn: (...args) => ask((store) => store.learn(...args)),
    read: (pool) => ask((store) => store.read(pool)),
    note: (...args) => ask((store) => store.note(...args)),
    standings: (book) => ask((store) => store.standings(book)),
    close: async () => {
      await stores[0].close();
      await stores[1].close();
    },
  };
}

describe('embedded usage store', () => {
  usageStoreContract({ test, open: opens(), durable: true, ownClock: false });

  test('agrees with the plain model, whatever happens in whatever order', async () => {
    await assertAgreesWithModel(opens(), { runs: 12, steps: 40 });
  });
});

describe('two embedded stores on one journal', () => {
  test('agree with the plain model, whatever happens in whatever order', async () => {
    await assertAgreesWithModel(openTwo, { runs: 12, steps: 40 });
  });

  test('answer in every detail what the memory store does', async () => {
    const opened: UsageStore[] = [];
    onTestFinished(async () => {
      for (const store of opened) await store.close();
    });
    await assertSameAsMemory(async (clock) => {
      const store = await openTwo(clock);
      opened.push(store);
      return store;
    }, 25);
  });
});
