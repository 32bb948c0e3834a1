import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCounts } from '../../../packages/proxy-manager/src/embedded/environment.js';

const COUNTER = fileURLToPath(new URL('counter.mjs', import.meta.url));
const OPENER = fileURLToPath(new URL('opener.mjs', import.meta.url));

interface Counter {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  /** What it has said that it has come to. */
  readonly said: number[];
  readonly ended: Promise<unknown>;
}

let dataDir = '';
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'proxy-manager-embedded-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

/** Starts a process that counts; `onCount` is called with all that it has said by now. */
function startCounter(times: number, concurrency: number, onCount?: (counter: Counter) => void): Counter {
  const child = spawn(process.execPath, [COUNTER, dataDir, String(times), String(concurrency)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const counter: Counter = { child, said: [], ended: once(child, 'close') };
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    counter.said.push(...lines.map(Number));
    onCount?.(counter);
  });
  return counter;
}

/** Makes the environment of the counts, and gives its directory. */
async function countsOf(): Promise<string> {
  await (await openCounts(dataDir)).close();
  const names = await readdir(join(dataDir, 'counts'));
  const boot = names.find((name) => name.includes('-') && !name.includes('.'));
  return join(dataDir, 'counts', String(boot));
}

async function counted(): Promise<number> {
  const environment = await openCounts(dataDir);
  try {
    const database = await environment.openDatabase<number>({ name: 'usage', version: 2 });
    return await environment.transact(() => database.get('n') ?? 0);
  } finally {
    await environment.close();
  }
}

test('a process that comes to a halt while it opens the environment makes nobody lose a write', async () => {
  const directory = await countsOf();
  const counters = [10, 10, 10].map((concurrency) => startCounter(6_000, concurrency));
  const opener = spawn(process.execPath, [OPENER, directory], { stdio: 'inherit' });
  const runs = ({ child }: Counter): boolean => child.exitCode === null && child.signalCode === null;
  while (counters.some(runs)) {
    opener.kill('SIGSTOP');
    await setTimeout(3);
    opener.kill('SIGCONT');
    await setTimeout(Math.random() * 3);
  }
  opener.kill('SIGKILL');
  await Promise.all([...counters.map(({ ended }) => ended), once(opener, 'close')]);
  expect(counters.map(({ child }) => child.exitCode)).toEqual([0, 0, 0]);
  expect(new Set(counters.flatMap(({ said }) => said)).size).toBe(18_000);
  expect(await counted()).toBe(18_000);
});

test('processes killed at any moment lose what was in flight, and nothing else', async () => {
  const concurrency = 10;
  const killed: Counter[] = [];
  for (let round = 0; round < 3; round += 1) {
    const counters = [40, 90, 160, 250].map((counts) =>
      startCounter(Infinity, concurrency, ({ child, said }) => {
        if (said.length >= counts + 7 * round) child.kill('SIGKILL');
      }),
    );
    killed.push(...counters);
    await Promise.all(counters.map(({ ended }) => ended));
  }
  expect(new Set(killed.map(({ child }) => child.signalCode))).toEqual(new Set(['SIGKILL']));
  const said = killed.flatMap((one) => one.said);
  expect(new Set(said).size).toBe(said.length);
  const all = await counted();
  expect(all).toBeGreaterThanOrEqual(Math.max(...said));
  expect(all - said.length).toBeLessThanOrEqual(killed.length * concurrency);
});
