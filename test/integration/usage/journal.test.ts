import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openCounts } from '../../../packages/proxy-manager/src/embedded/environment.js';
import { embeddedUsageStore } from '../../../packages/proxy-manager/src/usage/embedded.js';
import type { Pool, UsageStore } from '../../../packages/proxy-manager/src/usage/usage-store.js';

const STOPPER = fileURLToPath(new URL('stopper.mjs', import.meta.url));
const TAKER = fileURLToPath(new URL('taker.mjs', import.meta.url));
const HOUR_MS = 3_600_000;

function poolOf(limit: number): Pool {
  const meters = ['a', 'b'].map((id) => ({ id, windows: [{ limit, everyMs: HOUR_MS }] }));
  return { endpoint: 'provider', sections: [{ kind: 'key', meters }] };
}

async function aDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'proxy-manager-journal-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  return dataDir;
}

async function aStore(dataDir: string, journalBytes: number): Promise<UsageStore> {
  const environment = await openCounts(dataDir);
  const store = embeddedUsageStore({ environment: async () => environment, journalBytes });
  onTestFinished(() => store.close().then(environment.close));
  return store;
}

async function takeAll(store: UsageStore, pool: Pool): Promise<number> {
  let taken = 0;
  while ((await store.take({ pool, cost: 1 })).granted) taken += 1;
  return taken;
}

const usedIn = async (store: UsageStore, pool: Pool): Promise<number> =>
  (await store.read(pool)).reduce((sum, { total }) => sum + total, 0);

async function filesOf(dataDir: string): Promise<string[]> {
  const journals = join(dataDir, 'counts', 'usage-v2');
  const [journal = ''] = await readdir(journals);
  return readdir(join(journals, journal));
}

/** Starts a process that takes so many, and waits until it has stopped itself there. */
async function stopped(
  [where, nth]: readonly ['computing' | 'opening', number],
  dataDir: string,
  pool: Pool,
  { takes, journalBytes }: { readonly takes: number; readonly journalBytes: number },
): Promise<{ goOn: (signal: 'SIGCONT' | 'SIGKILL') => Promise<string[]> }> {
  const args = [STOPPER, dataDir, JSON.stringify(pool), String(takes), String(journalBytes), where, String(nth)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const said: string[] = [];
  const lines = createInterface(child.stdout);
  await new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line === 'stops') resolve();
      else said.push(line);
    });
  });
  return {
    async goOn(signal) {
      child.kill(signal);
      await ended;
      return said;
    },
  };
}

// Some takes after it has opened the journal a process no longer looks for others before it appends.
test.each([2, 40])(
  'who comes to a halt while it computes take %i takes nothing that others have taken',
  async (nth) => {
    const dataDir = await aDataDir();
    const pool = poolOf(50);
    const halted = await stopped(['computing', nth], dataDir, pool, { takes: nth, journalBytes: 1e6 });
    const store = await aStore(dataDir, 1e6);
    expect(await takeAll(store, pool)).toBe(100 - (nth - 1));
    const said = await halted.goOn('SIGCONT');
    expect([said.length, said.pop(), new Set(said)]).toEqual([
      nth,
      'refused',
      new Set(['granted a', 'granted b'].slice(0, nth - 1)),
    ]);
    expect(await usedIn(store, pool)).toBe(100);
  },
);

test.each([2, 40])('what it had computed by take %i is not counted beside what it takes after that', async (nth) => {
  const dataDir = await aDataDir();
  const pool = poolOf(50);
  const halted = await stopped(['computing', nth], dataDir, pool, { takes: nth, journalBytes: 1e6 });
  const store = await aStore(dataDir, 1e6);
  // It is at the other one.
  expect((await store.take({ pool, cost: 1, pin: ['a'] })).granted).toBe(true);
  expect(await halted.goOn('SIGCONT')).toHaveLength(nth);
  expect(await usedIn(store, pool)).toBe(nth + 1);
});

test.each([
  ['SIGCONT', 20],
  ['SIGKILL', 0],
] as const)(
  'who has sealed a journal and comes to a halt holds nobody up, and does no harm after that: %s',
  async (signal, least) => {
    const dataDir = await aDataDir();
    const pool = poolOf(50);
    const halted = await stopped(['opening', 2], dataDir, pool, { takes: 20, journalBytes: 500 });
    const store = await aStore(dataDir, 500);
    for (let n = 0; n < 40; n += 1) expect((await store.take({ pool, cost: 1 })).granted).toBe(true);
    const granted = (await halted.goOn(signal)).filter((line) => line.startsWith('granted ')).length;
    expect(granted).toBeGreaterThanOrEqual(least);
    const used = await usedIn(store, pool);
    // A seal follows a use that is told of in that moment.
    expect([40 + granted, 41 + granted]).toContain(used);
    expect(await takeAll(store, pool)).toBe(100 - used);
    expect(await filesOf(dataDir)).toEqual([expect.stringMatching(/^\d+\.ndjson$/)]);
  },
);

test('processes that replace their journal all the time, and are killed and stopped, count exactly', async () => {
  const dataDir = await aDataDir();
  const limit = 1_500;
  const pool = poolOf(limit);
  const granted: string[] = [];
  const found = { isFull: false };
  let inFlight = 0;
  async function takeUntilFull(concurrency: number, kills: number): Promise<void> {
    for (let round = 0; !found.isFull; round += 1) {
      const args = [TAKER, 'embedded', dataDir, JSON.stringify(pool), 'Infinity', String(concurrency), '2000'];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'close');
      let told = 0;
      createInterface(child.stdout).on('line', (line) => {
        if (line.startsWith('granted ')) granted.push(line);
        else found.isFull = true;
        told += 1;
        if (found.isFull || (round < kills && told > 100)) child.kill('SIGKILL');
        else if (told % 50 === 0) {
          child.kill('SIGSTOP');
          setImmediate(() => child.kill('SIGCONT'));
        }
      });
      await ended;
      inFlight += concurrency;
    }
  }
  await Promise.all([takeUntilFull(20, 3), takeUntilFull(1, 3), takeUntilFull(5, 2), takeUntilFull(10, 0)]);
  const store = await aStore(dataDir, 2_000);
  expect(await takeAll(store, pool)).toBe(0);
  expect(await usedIn(store, pool)).toBe(2 * limit);
  expect(2 * limit - granted.length).toBeGreaterThanOrEqual(0);
  expect(2 * limit - granted.length).toBeLessThanOrEqual(inFlight);
  expect(await filesOf(dataDir)).toHaveLength(1);
});
