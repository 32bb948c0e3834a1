import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database, Key } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Environment } from '../../src/embedded/environment.js';
import { openEnvironment } from '../../src/embedded/environment.js';

/** What a process does that opens the environment while others write: it sets the number in the lock table back. */
const SET_BACK = `
  const { openSync, readSync, writeSync } = require('node:fs');
  const table = openSync(process.argv[1], 'r+');
  const number = Buffer.alloc(8);
  readSync(table, number, 0, 8, 8);
  number.writeBigUInt64LE(number.readBigUInt64LE() - BigInt(process.argv[2]));
  writeSync(table, number, 0, 8, 8);
`;

describe('transactions on a lock table that was set back', () => {
  let dataDir = '';
  let environment: Environment;
  let database: Database<number, Key>;

  async function open(): Promise<void> {
    environment = await openEnvironment(dataDir);
    database = await environment.openDatabase<number>({ name: 'usage', version: 1 });
  }

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'transactions-'));
    await open();
  });
  afterEach(async () => {
    await environment.close();
    await rm(dataDir, { recursive: true });
  });

  const setBack = (by: number): void => {
    execFileSync(process.execPath, ['-e', SET_BACK, join(dataDir, 'store', 'lock.mdb'), String(by)]);
  };
  const increase = (): Promise<number> =>
    environment.transact(() => {
      const next = (database.get('n') ?? 0) + 1;
      database.putSync('n', next);
      return next;
    });

  test.each([1, 2, 3])('nobody writes over the %i transactions that it forgets', async (by) => {
    for (let n = 1; n <= 5; n += 1) expect(await increase()).toBe(n);
    setBack(by);
    const after = await Promise.all(Array.from({ length: 20 }, increase));
    expect(after).toEqual(Array.from({ length: 20 }, (_, n) => n + 6));
    await environment.close();
    await open();
    expect(await increase()).toBe(26);
  });

  test('a database is created beside what it forgets', async () => {
    await increase();
    setBack(1);
    const other = await environment.openDatabase<number>({ name: 'cache', version: 1 });
    await environment.transact(() => other.putSync('a', 7));
    expect([other.get('a'), await increase()]).toEqual([7, 2]);
  });

  test('closing in the middle of it loses nothing that was asked for', async () => {
    await increase();
    setBack(1);
    const writing = increase();
    await environment.close();
    expect(await writing).toBe(2);
    await open();
    expect(await increase()).toBe(3);
  });
});
