import { randomBytes, randomInt } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, Key } from 'lmdb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheListing } from '../../src/cache/cache-store.js';
import { CACHE_DATABASE, lmdbCacheStore } from '../../src/cache/lmdb.js';
import { readReference } from '../../src/cache/lmdb-reference.js';
import { keyPlace } from '../../src/cache/places.js';
import { encodeEntry } from '../../src/cache/record.js';
import { bootId } from '../../src/embedded/boot-id.js';
import type { Environment } from '../../src/embedded/environment.js';
import { cacheStoreContract } from '../../src/testing/cache-contract.js';
import { clock, entry, keyFor } from './entry.js';
import { scratchEnvironment } from './scratch.js';

/** The same whole numbers for the same seed. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const whole = await encodeEntry(entry(), 1024);

describe('lmdb cache store', () => {
  let opened: Environment;
  const environment = async (): Promise<Environment> => opened;
  const database = (): Promise<Database<Buffer, Key>> =>
    opened.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
  beforeAll(async () => {
    opened = await scratchEnvironment();
  });
  afterAll(() => opened.close());

  cacheStoreContract({
    test,
    open: async (time) => lmdbCacheStore({ environment, clock: time }),
    durable: true,
    async openBounded(time, maxBytes) {
      const own = await scratchEnvironment();
      const store = lmdbCacheStore({ environment: async () => own, clock: time, maxBytes });
      return { ...store, close: () => store.close().then(() => own.close()) };
    },
  });

  const flipped = (at: number): Buffer => Buffer.from(whole).fill((whole[at] ?? 0) ^ 1, at, at + 1);
  const damages: [string, Buffer][] = [
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
  ];
  const short = entry();
  const long = entry({ body: randomBytes(5_000) });
  /** Of the record, which ends the row of a short entry and has one of its own for a long one. */
  test.each([
    ...damages.map(([name, record]) => [name, 'short', short, 'e', record] as const),
    ...damages.map(([name, record]) => [name, 'long', long, 'b', record] as const),
    ['cut within what is known of it', 'short', short, 'e', undefined] as const,
    ['cut within what is known of it', 'long', long, 'e', undefined] as const,
  ])('an entry %s is a miss, and deleted: a %s one', async (_, _length, kept, row, damaged) => {
    const store = lmdbCacheStore({ environment, clock });
    const key = keyFor('damaged');
    await store.set(key, kept);
    expect(await store.get(key)).toBeDefined();
    const rows = await database();
    const place = ['k', keyPlace(key)];
    const own = ['e', readReference(rows.getBinary(place) ?? Buffer.alloc(0)).number];
    const apart = ['b', keyPlace(key)];
    const known = rows.getBinary(own)?.subarray(0, row === 'e' ? -whole.length : undefined) ?? Buffer.alloc(0);
    const record = damaged ?? known.subarray(0, 20);
    await rows.put(
      row === 'e' ? own : apart,
      row === 'e' && damaged !== undefined ? Buffer.concat([known, record]) : record,
    );
    expect(await store.get(key)).toBeUndefined();
    expect([place, own, apart].map((each) => rows.doesExist(each))).toEqual([false, false, false]);
    expect(await store.stats()).toMatchObject({ damaged: 1 });
  });

  test('an expired entry is deleted when it is asked for', async () => {
    const store = lmdbCacheStore({ environment, clock });
    const key = keyFor('expired');
    await store.set(key, entry({ expiresAtMs: clock.now() }));
    expect(await store.get(key)).toBeUndefined();
    expect((await database()).doesExist(['k', keyPlace(key)])).toBe(false);
  });

  test('the environment is opened on first use only, and stays open', async () => {
    let asked = 0;
    const store = lmdbCacheStore({ environment: async () => (asked++, opened), clock });
    expect(asked).toBe(0);
    await store.set(keyFor('a'), entry());
    await store.get(keyFor('a'));
    await store.close();
    expect(asked).toBe(1);
    expect((await database()).doesExist(['k', keyPlace(keyFor('a'))])).toBe(true);
  });

  test('text that decodes slower than it is read lies as it is, longer text compressed', async () => {
    const own = await scratchEnvironment();
    const store = lmdbCacheStore({ environment: async () => own, clock });
    const bytesOf = async (length: number): Promise<number> => {
      const before = await store.stats();
      const body = Buffer.alloc(length, 'all work and no play');
      await store.set(keyFor(`text of ${length}`), entry({ body }));
      expect((await store.get(keyFor(`text of ${length}`)))?.body).toEqual(body);
      return (await store.stats()).bytes - before.bytes;
    };
    expect(await bytesOf(10_000)).toBeGreaterThan(10_000);
    expect(await bytesOf(20_000)).toBeLessThan(5_000);
    await own.close();
  });

  test('a write takes expired entries away with it', async () => {
    const time = { nowMs: clock.now(), now: (): number => time.nowMs };
    const own = await scratchEnvironment();
    const store = lmdbCacheStore({ environment: async () => own, clock: time });
    for (let index = 0; index < 30; index++) {
      await store.set(keyFor(`short ${index}`), entry({ expiresAtMs: time.nowMs + 1000 }));
    }
    await store.set(keyFor('long'), entry());
    time.nowMs += 1000;
    await store.set(keyFor('next'), entry());
    await store.set(keyFor('and one more'), entry());
    expect(await store.stats()).toMatchObject({ entries: 3, evicted: 0 });
    await own.close();
  });

  test('the file stays near the bound, however much is written', async () => {
    const own = await scratchEnvironment();
    const maxBytes = 4 * 2 ** 20;
    const store = lmdbCacheStore({ environment: async () => own, clock, maxBytes });
    for (let round = 0; round < 40; round++) {
      const sets = Array.from({ length: 20 }, (_, index) =>
        store.set(
          keyFor(`${round} ${index}`),
          entry({ body: randomBytes(1 + ((round * 7919 + index * 104_729) % 80_000)) }),
        ),
      );
      await Promise.all(sets);
    }
    const { bytes } = await store.stats();
    expect(bytes).toBeLessThanOrEqual(maxBytes);
    expect(bytes).toBeGreaterThan(maxBytes / 2);
    const { size } = await stat(join(own.dataDir, 'cache', (await bootId()) ?? '', 'data.mdb'));
    expect(size).toBeLessThan(2 * maxBytes);
    await own.close();
  });

  test('a use counts, also of a copy in memory', async () => {
    const own = await scratchEnvironment();
    const store = lmdbCacheStore({ environment: async () => own, clock, maxBytes: 60_000 });
    const [first, second, third] = ['first', 'second', 'third'].map(keyFor);
    await store.set(first ?? '', entry({ body: randomBytes(20_000) }));
    await store.set(second ?? '', entry({ body: randomBytes(20_000) }));
    store.touch?.(first ?? '');
    await store.set(third ?? '', entry({ body: randomBytes(20_000) }));
    expect(await store.get(second ?? '')).toBeUndefined();
    expect(await store.get(first ?? '')).toBeDefined();
    await own.close();
  });

  test('the least recently used go first, also where most were used since they were stored', async () => {
    const own = await scratchEnvironment();
    const store = lmdbCacheStore({ environment: async () => own, clock, maxBytes: 100_000 });
    const keys = Array.from({ length: 60 }, (_, index) => keyFor(`entry ${index}`));
    for (const key of keys) {
      await store.set(key, entry({ body: randomBytes(1_000) }));
      for (const used of keys.slice(0, 20)) store.touch?.(used);
    }
    const left = await Promise.all(keys.map((key) => store.get(key)));
    const kept = left.flatMap((found, index) => (found === undefined ? [] : [index]));
    expect(kept.length).toBeGreaterThan(30);
    expect(kept.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(kept.slice(20)).toEqual(keys.map((_, index) => index).slice(20 - kept.length));
    await own.close();
  });

  test('a store with a smaller bound than the last one makes room with its first change, and counts that', async () => {
    const own = await scratchEnvironment();
    const shared = async (): Promise<Environment> => own;
    const large = lmdbCacheStore({ environment: shared, clock });
    const keys = Array.from({ length: 20 }, (_, index) => keyFor(`entry ${index}`));
    for (const key of keys) await large.set(key, entry({ body: randomBytes(1_000) }));
    const small = lmdbCacheStore({ environment: shared, clock, maxBytes: 10_000 });
    expect(await small.delete(keyFor('nothing'))).toBe(false);
    const { entries, bytes } = await small.stats();
    expect(entries).toBeLessThan(10);
    expect(bytes).toBeLessThanOrEqual(10_000);
    const left: CacheListing[] = [];
    for await (const listing of small.list()) left.push(listing);
    expect([left.length, left.reduce((sum, one) => sum + one.bytes, 0)]).toEqual([entries, bytes]);
    await own.close();
  });

  test('one that was used goes before what was stored after that', async () => {
    const own = await scratchEnvironment();
    const store = lmdbCacheStore({ environment: async () => own, clock, maxBytes: 60_000 });
    const keys = Array.from({ length: 60 }, (_, index) => keyFor(`entry ${index}`));
    for (const [index, key] of keys.entries()) {
      await store.set(key, entry({ body: randomBytes(1_000) }));
      // Each second one of the first ten, and none of them again.
      if (index === 9) for (const used of keys.slice(0, 10)) if (keys.indexOf(used) % 2 === 0) store.touch?.(used);
    }
    const rows = await own.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
    const kept = keys.flatMap((key, index) => (rows.doesExist(['k', keyPlace(key)]) ? [index] : []));
    expect(kept.length).toBeLessThan(40);
    expect(kept).toEqual(keys.map((_, index) => index).slice(-kept.length));
    await own.close();
  });

  test('whatever is stored, used, deleted, evicted or expires: the rows tell of the same entries', async () => {
    const time = { nowMs: clock.now(), now: (): number => time.nowMs };
    const own = await scratchEnvironment();
    const store = lmdbCacheStore({ environment: async () => own, clock: time, maxBytes: 60_000 });
    const rows = await own.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
    const count = (kind: string): number =>
      rows.getKeysCount({ start: [kind], end: [String.fromCharCode(kind.charCodeAt(0) + 1)] });
    const seed = randomInt(2 ** 31);
    const pick = seeded(seed);
    const sets: Promise<boolean>[] = [];
    for (let step = 0; step < 1_500; step++) {
      const key = keyFor(`entry ${pick(80)}`);
      const body = randomBytes(pick(10) === 0 ? 5_000 : pick(1_400));
      const expiresAtMs = time.nowMs + pick(5_000);
      const verb = pick(10);
      if (verb < 6)
        sets.push(store.set(key, entry({ url: `https://a.test/${pick(5)}`, tags: ['t'], body, expiresAtMs })));
      else if (verb < 8) store.touch?.(key);
      else if (verb < 9) await store.get(key);
      else await store.delete(key);
      time.nowMs += pick(50);
    }
    await Promise.all(sets);
    const { entries, bytes, evicted } = await store.stats();
    const all: CacheListing[] = [];
    for await (const listing of store.list()) all.push(listing);
    expect({ seed, counts: ['k', 'e', 'u', 't'].map(count) }).toEqual({ seed, counts: Array(4).fill(entries) });
    expect({ seed, entries: all.length, bytes: all.reduce((sum, one) => sum + one.bytes, 0) }).toEqual({
      seed,
      entries,
      bytes,
    });
    expect(evicted).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(60_000);
    await store.clear();
    expect(['k', 'e', 'b', 'u', 't'].map(count)).toEqual([0, 0, 0, 0, 0]);
    await own.close();
  });
});
