import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openCounts } from '../../src/embedded/environment.js';
import { embeddedUsageStore } from '../../src/usage/embedded.js';
import type { Pool, UsageStore } from '../../src/usage/usage-store.js';

const HOUR_MS = 3_600_000;

let dataDir = '';
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'journal-'));
});
afterAll(() => rm(dataDir, { recursive: true }));

async function aStore(journalBytes?: number): Promise<UsageStore> {
  const environment = await openCounts(dataDir);
  const store = embeddedUsageStore({
    environment: async () => environment,
    ...(journalBytes !== undefined && { journalBytes }),
  });
  const close = (): Promise<void> => store.close().then(environment.close);
  onTestFinished(close);
  return { ...store, close };
}
let pools = 0;
function aPool(limit: number): Pool {
  const meters = ['a', 'b'].map((id) => ({ id, windows: [{ limit, everyMs: HOUR_MS }] }));
  return { endpoint: `pool-${(pools += 1)}`, sections: [{ kind: 'key', meters }] };
}
const usedIn = async (store: UsageStore, pool: Pool): Promise<number> =>
  (await store.read(pool)).reduce((sum, { total }) => sum + total, 0);
async function directoryOf({ endpoint }: Pool): Promise<string> {
  const base = join(dataDir, 'counts', 'usage-v2');
  const found = (await readdir(base)).find((name) => name.startsWith(`${endpoint}-`));
  return join(base, String(found));
}
const journalOf = async (pool: Pool): Promise<string> => join(await directoryOf(pool), '1.ndjson');

test('a journal counts as much as is whole, wherever it is cut off, and goes on from there', async () => {
  const pool = aPool(1_000);
  const first = await aStore();
  for (let n = 0; n < 4; n += 1) await first.take({ pool, cost: 1 });
  await first.close();
  const journal = await journalOf(pool);
  const bytes = await readFile(journal);
  const ends = [...bytes.entries()].flatMap(([at, byte]) => (byte === 10 && at > 0 ? [at] : []));
  ends.push(bytes.length);
  expect(ends).toHaveLength(4);
  for (let length = 0; length <= bytes.length; length += 1) {
    await writeFile(journal, bytes.subarray(0, length));
    const whole = ends.filter((end) => end <= length).length;
    const store = await aStore();
    const other = await aStore();
    expect(await usedIn(store, pool)).toBe(whole);
    await store.take({ pool, cost: 1 });
    await other.take({ pool, cost: 1 });
    expect([await usedIn(store, pool), await usedIn(other, pool)]).toEqual([whole + 2, whole + 2]);
    await store.close();
    await other.close();
  }
});

test('a journal leaves alone what is torn in its middle, and what was written too late', async () => {
  const pool = aPool(1_000);
  const store = await aStore();
  const journal = await journalOf(await store.take({ pool, cost: 1 }).then(() => pool));
  const late = await readFile(journal);
  await store.take({ pool, cost: 1 });
  // Somebody who wanted to be the first, and somebody who died while writing.
  await appendFile(journal, late);
  await store.take({ pool, cost: 1 });
  await appendFile(journal, late.subarray(0, late.length / 2));
  await store.take({ pool, cost: 1 });
  const fresh = await aStore();
  expect([await usedIn(store, pool), await usedIn(fresh, pool)]).toEqual([4, 4]);
  await fresh.close();

  // What a power cut may leave: nothing where a record was.
  const bytes = await readFile(journal);
  const second = bytes.indexOf(10, 1);
  bytes.fill(0, second, second + 30);
  await writeFile(journal, bytes);
  const after = await aStore();
  // Of the two credentials each has the record that was written last.
  expect(await usedIn(after, pool)).toBe(4);
  expect((await after.take({ pool, cost: 1 })).granted).toBe(true);
});

test('a verb that throws fails alone, and changes nothing', async () => {
  const pool = aPool(1_000);
  const store = await aStore();
  const broken: Pool = {
    endpoint: pool.endpoint,
    sections: [{ kind: 'key', meters: [{ id: 'c', windows: [{ limit: 1, per: 'day', timezone: 'No/Where' }] }] }],
  };
  const answers = await Promise.allSettled([
    store.take({ pool, cost: 1 }),
    store.take({ pool: broken, cost: 1 }),
    store.take({ pool, cost: 1 }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await usedIn(store, pool)).toBe(2);
  expect(await usedIn(await aStore(), pool)).toBe(2);
});

test('a journal is replaced by what it has come to when it is long, also for those who have it open', async () => {
  const pool = aPool(1_000);
  const [store, idle] = [await aStore(1_000), await aStore(1_000)];
  await idle.take({ pool, cost: 1 });
  for (let n = 1; n < 200; n += 1) await store.take({ pool, cost: 1 });
  const directory = await directoryOf(pool);
  await writeFile(join(directory, '1.ndjson'), 'left by somebody who was killed');
  await writeFile(join(directory, '2-left-too.new'), '');
  expect(await usedIn(idle, pool)).toBe(200);
  expect(await usedIn(await aStore(1_000), pool)).toBe(200);
  const [name = '', ...others] = await readdir(directory);
  expect(others).toEqual([]);
  expect(Number.parseInt(name, 10)).toBeGreaterThan(5);
  expect((await readFile(join(directory, name))).length).toBeLessThan(1_500);
});

test('counting goes on where the files were removed meanwhile', async () => {
  const pool = aPool(1_000);
  const store = await aStore(1_000);
  for (let n = 0; n < 100; n += 1) {
    if (n === 1 || n === 50) await rm(await directoryOf(pool), { recursive: true });
    await store.take({ pool, cost: 1 });
  }
  expect([await usedIn(store, pool), await usedIn(await aStore(1_000), pool)]).toEqual([100, 100]);
});

test('a journal that has become shorter is a fault, and no count', async () => {
  const pool = aPool(1_000);
  const store = await aStore();
  await store.take({ pool, cost: 1 });
  await truncate(await journalOf(pool), 10);
  await expect(store.take({ pool, cost: 1 })).rejects.toThrow('embedded usage store: could not count a use');
});
