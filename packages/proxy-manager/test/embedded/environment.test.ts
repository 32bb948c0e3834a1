import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Environment } from '../../src/embedded/environment.js';
import { openEnvironment } from '../../src/embedded/environment.js';
import { ConfigError, StoreError } from '../../src/errors.js';

const USAGE = { name: 'usage', version: 1 } as const;

describe('openEnvironment', () => {
  let base = '';
  let dataDir = '';
  const opened: Environment[] = [];

  async function open(path = dataDir): Promise<Environment> {
    const environment = await openEnvironment(path);
    opened.push(environment);
    return environment;
  }

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'environment-'));
    dataDir = join(base, 'state', '.proxy-manager');
  });
  afterEach(async () => {
    for (const environment of opened.splice(0)) await environment.close();
    await rm(base, { recursive: true });
  });

  test('creates dataDir with a .gitignore for all it holds', async () => {
    await open();
    expect(await readFile(join(dataDir, '.gitignore'), 'utf8')).toBe('*\n');
    expect(await readdir(join(dataDir, 'store'))).toContain('data.mdb');
    await writeFile(join(dataDir, '.gitignore'), 'my own\n');
    await open();
    expect(await readFile(join(dataDir, '.gitignore'), 'utf8')).toBe('my own\n');
  });

  test('gives every user of one dataDir the same databases, by whatever path they name it', async () => {
    const [one, two] = await Promise.all([open(), open()]);
    await symlink(dataDir, join(base, 'link'));
    const three = await open(join(base, 'link'));
    const database = await one.openDatabase(USAGE);
    await one.transact(() => database.putSync('a', 1));
    expect((await two.openDatabase(USAGE)).get('a')).toBe(1);
    expect(await three.openDatabase(USAGE)).toBe(database);
    expect(three.dataDir).toBe(one.dataDir);
  });

  test('stays open until the last user lets go, and what was written is there when it is opened again', async () => {
    const [one, two] = [await open(), await open()];
    await one.close();
    await one.close();
    const database = await two.openDatabase(USAGE);
    await two.transact(() => database.putSync('a', 1));
    const closing = two.close();
    const three = await open();
    await closing;
    expect((await three.openDatabase(USAGE)).get('a')).toBe(1);
    await expect(two.transact(() => 1)).rejects.toThrow('closed');
  });

  test('what was asked for before closing is still written', async () => {
    const one = await open();
    const database = await one.openDatabase<number>(USAGE);
    const writing = one.transact(() => database.putSync('a', 1));
    await one.close();
    await writing;
    expect((await (await open()).openDatabase(USAGE)).get('a')).toBe(1);
  });

  test('a transaction that throws undoes itself and nobody else', async () => {
    const environment = await open();
    const database = await environment.openDatabase<number>(USAGE);
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

  test('refuses a store of a newer version, reads on beside an older one', async () => {
    const environment = await open();
    await environment.openDatabase({ name: 'cache', version: 3 });
    await expect(environment.openDatabase({ name: 'cache', version: 2 })).rejects.toThrow(StoreError);
    await expect(environment.openDatabase({ name: 'cache', version: 2 })).rejects.toThrow(
      /cache-v3, written by a newer release/,
    );
    await environment.openDatabase({ name: 'cache', version: 4 });
    await environment.openDatabase(USAGE);
  });

  test('a dataDir that cannot be made is a ConfigError naming it', async () => {
    const file = join(base, 'file');
    await writeFile(file, '');
    const path = join(file, 'data');
    await expect(openEnvironment(path)).rejects.toThrow(ConfigError);
    await expect(openEnvironment(path)).rejects.toThrow(path);
  });

  test('a damaged store is a StoreError naming the file, and does not end the process', async () => {
    const environment = await open();
    await environment.close();
    const file = join(dataDir, 'store', 'data.mdb');
    for (const content of ['garbage', Buffer.alloc(16_384, 'x')]) {
      await writeFile(file, content);
      await expect(openEnvironment(dataDir)).rejects.toThrow(StoreError);
      await expect(openEnvironment(dataDir)).rejects.toThrow(file);
    }
    await rm(file);
    await open();
  });
});
