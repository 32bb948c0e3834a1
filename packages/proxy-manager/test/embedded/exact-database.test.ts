import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ExactRoot } from '../../src/embedded/exact-database.js';
import { ExactDatabase } from '../../src/embedded/exact-database.js';
import { StoreError } from '../../src/errors.js';

/** What a process does to the others that opens the environment while they write: it sets the number in the lock table back. */
const SET_BACK = `
  const { openSync, readSync, writeSync } = require('node:fs');
  const table = openSync(process.argv[1], 'r+');
  const number = Buffer.alloc(8);
  readSync(table, number, 0, 8, 8);
  number.writeBigUInt64LE(number.readBigUInt64LE() - BigInt(process.argv[2]));
  writeSync(table, number, 0, 8, 8);
`;

const increase = (root: ExactRoot): number => {
  const next = Number(root.get('n') ?? 0) + 1;
  root.putSync('n', next);
  return next;
};

describe('ExactDatabase', () => {
  let directory = '';
  let database: ExactDatabase;

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'exact-')), 'usage');
    database = new ExactDatabase(directory, 1);
  });
  afterEach(async () => {
    await database.close();
    await rm(join(directory, '..'), { recursive: true });
  });

  const setBack = (by: number): void => {
    execFileSync(process.execPath, ['-e', SET_BACK, join(directory, 'lock.mdb'), String(by)]);
  };

  test.each([1, 2, 3])('a lock table that was set back by %i transactions makes nobody write over them', async (by) => {
    for (let n = 1; n <= 5; n += 1) expect(await database.transact(increase)).toBe(n);
    setBack(by);
    const after = await Promise.all(Array.from({ length: 20 }, () => database.transact(increase)));
    expect(after).toEqual(Array.from({ length: 20 }, (_, n) => n + 6));
    expect(await database.transact((root) => root.get('n'))).toBe(25);
  });

  test('closes in the middle of opening anew, after what was asked for', async () => {
    await database.transact(increase);
    setBack(1);
    const writing = database.transact(increase);
    await new Promise(setImmediate);
    await Promise.allSettled([writing, database.close()]);
    const written = await writing.catch(() => 1);
    database = new ExactDatabase(directory, 1);
    expect(await database.transact(increase)).toBe(written + 1);
  });

  test('a transaction that throws undoes itself and nobody else', async () => {
    const answers = await Promise.allSettled([
      database.transact((root) => root.putSync('a', 1)),
      database.transact((root) => {
        root.putSync('b', 1);
        throw new Error('changed my mind');
      }),
      database.transact((root) => {
        root.putSync('c', root.get('b') ?? 7);
        return 'done';
      }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[2]).toMatchObject({ value: 'done' });
    expect(await database.transact((root) => ['a', 'b', 'c'].map((key) => root.get(key)))).toEqual([1, undefined, 7]);
  });

  test('what was asked for before closing is still written', async () => {
    await database.transact(increase);
    const writing = database.transact(increase);
    await database.close();
    await writing;
    await expect(database.transact(increase)).rejects.toThrow('closed');
    database = new ExactDatabase(directory, 1);
    expect(await database.transact((root) => root.get('n'))).toBe(2);
  });

  test('refuses content of a newer version', async () => {
    await database.transact(increase);
    await database.close();
    const newer = new ExactDatabase(directory, 2);
    await newer.transact((root) => root.putSync('version', 2));
    await newer.close();
    database = new ExactDatabase(directory, 1);
    await expect(database.transact(() => 1)).rejects.toThrow(StoreError);
    await expect(database.transact(increase)).rejects.toThrow('of version 2, written by a newer release');
  });
});
