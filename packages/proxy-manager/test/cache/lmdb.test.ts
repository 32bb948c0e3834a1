import type { Database, Key } from 'lmdb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lmdbCacheStore } from '../../src/cache/lmdb.js';
import { encodeEntry } from '../../src/cache/record.js';
import type { Environment } from '../../src/embedded/environment.js';
import { cacheStoreContract } from '../../src/testing/cache-contract.js';
import { clock, entry, keyFor } from './entry.js';
import { scratchEnvironment } from './scratch.js';

const whole = await encodeEntry(entry());

describe('lmdb cache store', () => {
  let opened: Environment;
  const environment = async (): Promise<Environment> => opened;
  const database = (): Promise<Database<Buffer, Key>> =>
    opened.openDatabase<Buffer>({ name: 'cache', version: 1 }, { encoding: 'binary' });
  beforeAll(async () => {
    opened = await scratchEnvironment();
  });
  afterAll(() => opened.close());

  cacheStoreContract({ test, open: async (time) => lmdbCacheStore({ environment, clock: time }), durable: true });

  const flipped = (at: number): Buffer => Buffer.from(whole).fill((whole[at] ?? 0) ^ 1, at, at + 1);
  test.each([
    ['cut short', whole.subarray(0, -1)],
    ['cut within the head', whole.subarray(0, 20)],
    ['cut to its version', whole.subarray(0, 1)],
    ['empty', Buffer.alloc(0)],
    ['of a future version', flipped(0)],
    ['with a wrong checksum', flipped(2)],
    ['with a wrong length', flipped(5)],
    ['with a flipped bit in its head', flipped(30)],
    ['with a flipped bit in its body', flipped(whole.length - 1)],
    ['with trailing bytes', Buffer.concat([whole, Buffer.from('x')])],
  ])('an entry %s is a miss, and deleted', async (_, record) => {
    const store = lmdbCacheStore({ environment, clock });
    const key = keyFor('damaged');
    await store.set(key, entry());
    expect(await store.get(key)).toBeDefined();
    await (await database()).put(key, record);
    expect(await store.get(key)).toBeUndefined();
    expect((await database()).doesExist(key)).toBe(false);
  });

  test('an expired entry is deleted when it is asked for', async () => {
    const store = lmdbCacheStore({ environment, clock });
    const key = keyFor('expired');
    await store.set(key, entry({ expiresAtMs: clock.now() }));
    expect(await store.get(key)).toBeUndefined();
    expect((await database()).doesExist(key)).toBe(false);
  });

  test('the environment is opened on first use only, and stays open', async () => {
    let asked = 0;
    const store = lmdbCacheStore({ environment: async () => (asked++, opened), clock });
    expect(asked).toBe(0);
    await store.set(keyFor('a'), entry());
    await store.get(keyFor('a'));
    await store.close();
    expect(asked).toBe(1);
    expect((await database()).doesExist(keyFor('a'))).toBe(true);
  });
});
