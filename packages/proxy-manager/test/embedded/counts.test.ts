import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database, Key } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bootDirectory } from '../../src/embedded/boot-directory.js';
import type { Environment } from '../../src/embedded/environment.js';
import { openCounts } from '../../src/embedded/environment.js';

/** Stays in a transaction of the environment for a while, and says so before. */
const HOLD = `
  import { writeSync } from 'node:fs';
  const { open } = await import(process.argv[1]);
  const root = open({ path: process.argv[2], noSubdir: false, noSync: true });
  root.transactionSync(() => {
    writeSync(1, 'held');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    root.putSync('held', true);
  });
  root.close();
`;

const EARLIER = '00000000-1111-2222-3333-444444444444';

describe('openCounts', () => {
  let dataDir = '';
  let counts = '';
  let environment: Environment;
  let database: Database<number, Key>;

  async function open(): Promise<void> {
    environment = await openCounts(dataDir);
    database = await environment.openDatabase<number>({ name: 'usage', version: 2 });
  }
  const increase = (): Promise<number> =>
    environment.transact(() => {
      const next = (database.get('n') ?? 0) + 1;
      database.putSync('n', next);
      return next;
    });
  const boots = async (): Promise<string[]> => (await readdir(counts)).filter((name) => /^[\da-f-]+$/.test(name));
  /** The machine loses its power, and starts again. */
  async function reboot(): Promise<void> {
    const [boot = ''] = await boots();
    await rename(join(counts, boot), join(counts, EARLIER));
  }

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'counts-'));
    counts = join(dataDir, 'counts');
    await open();
  });
  afterEach(async () => {
    await environment.close();
    await rm(dataDir, { recursive: true });
  });

  test('goes on where it was when it is opened again in the same boot', async () => {
    for (let n = 1; n <= 3; n += 1) expect(await increase()).toBe(n);
    await environment.close();
    await rm(join(counts, 'copy.mdb'));
    await open();
    expect(await increase()).toBe(4);
  });

  test('goes on with other work while another process is in a transaction', async () => {
    await increase();
    const [boot = ''] = await boots();
    const holder = spawn(
      process.execPath,
      ['--input-type=module', '-e', HOLD, import.meta.resolve('lmdb'), join(counts, boot)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(holder.stdout, 'data');
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 1);
    expect(await increase()).toBe(2);
    clearInterval(ticking);
    // Elsewhere lmdb waits in this thread, for nobody sees who holds its lock.
    expect(ticks).toBeGreaterThan(process.platform === 'linux' ? 20 : -1);
    await once(holder, 'close');
    expect(holder.exitCode).toBe(0);
  });

  test('begins from the newest copy after another boot, and trusts nothing else of it', async () => {
    for (let n = 1; n <= 3; n += 1) await increase();
    await environment.close();
    await reboot();
    await open();
    expect(await increase()).toBe(4);
    expect(await boots()).toHaveLength(1);
    expect(await boots()).not.toContain(EARLIER);
  });

  test('copies by itself, within some seconds of a write', async () => {
    await increase();
    await expect
      .poll(() => stat(join(counts, 'copy.mdb')).then(({ size }) => size), { timeout: 10_000 })
      .toBeGreaterThan(0);
    expect((await readdir(counts)).filter((name) => name.startsWith('copying-'))).toEqual([]);
  });

  test('copies nothing for who only takes its lock', async () => {
    expect(await environment.locked(() => database.get('n'))).toBeUndefined();
    await environment.close();
    expect(await readdir(counts)).not.toContain('copy.mdb');
    await open();
    await increase();
    await environment.close();
    expect(await readdir(counts)).toContain('copy.mdb');
  });

  test('many who begin a boot together begin the same one', async () => {
    await increase();
    await environment.close();
    await reboot();
    const boot = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
    const begun = await Promise.all(Array.from({ length: 8 }, () => bootDirectory(counts, boot)));
    expect(new Set(begun)).toEqual(new Set([join(counts, boot)]));
    expect((await readdir(counts)).toSorted()).toEqual([boot, 'copy.mdb']);
    expect(await readdir(join(counts, boot))).toEqual(['data.mdb']);
    await open();
    expect(await increase()).toBe(2);
  });

  test('a transaction that throws undoes itself and nobody else', async () => {
    const answers = await Promise.allSettled([
      environment.transact(() => database.putSync('a', 1)),
      environment.transact(() => {
        database.putSync('b', 1);
        throw new Error('changed my mind');
      }),
      environment.transact(() => {
        database.putSync('c', database.get('b') ?? 7);
        return 'done';
      }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[2]).toMatchObject({ value: 'done' });
    expect([database.get('a'), database.get('b'), database.get('c')]).toEqual([1, undefined, 7]);
  });
});
