import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CacheEntry, CacheSelector, CacheStore } from '../cache/cache-store.js';
import type { LeaseStore, Take } from '../cache/lease-store.js';
import type { Clock } from '../clock.js';

export interface CacheContract {
  /** vitest's, node:test's or anyone's. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A store on the engine under test, which may hold other entries; called again, one that shares them where the engine keeps them. */
  readonly open: (clock: Clock) => Promise<CacheStore>;
  /** True where another store on the same engine finds what was set. */
  readonly durable: boolean;
  /** Where the engine has a bound: a store that holds at most so many bytes, on an engine that holds nothing else. */
  readonly openBounded?: (clock: Clock, maxBytes: number) => Promise<CacheStore>;
}

const NOW_MS = Date.UTC(2026, 0, 1);

/** What every CacheStore must do, as tests of any runner with a `test(name, body)`. */
export function cacheStoreContract({ test, open, durable, openBounded }: CacheContract): void {
  const check = (
    name: string,
    body: (store: CacheStore, clock: { nowMs: number; now(): number }) => Promise<void>,
  ): void => {
    test(name, async () => {
      const clock = { nowMs: NOW_MS, now: (): number => clock.nowMs };
      const store = await open(clock);
      try {
        await body(store, clock);
      } finally {
        await store.close();
      }
    });
  };

  check('what was never set is absent', async (store) => {
    assert.equal(await store.get(newKey()), undefined);
    assert.equal(await store.delete(newKey()), false);
  });

  for (const [what, entry] of samples()) {
    check(`gives back ${what} as it was set`, async (store) => {
      const key = newKey();
      await store.set(key, ownCopy(entry));
      assertEntry(await store.get(key), entry);
      assertEntry(await store.get(key), entry);
    });
  }

  check('a second set replaces the first', async (store) => {
    const key = newKey();
    await store.set(key, sample({ body: bytes('first, and longer') }));
    await store.set(key, sample({ status: 203, body: bytes('second') }));
    assertEntry(await store.get(key), sample({ status: 203, body: bytes('second') }));
  });

  check('an entry serves until it expires, and not at that moment', async (store, clock) => {
    const key = newKey();
    await store.set(key, sample({ expiresAtMs: NOW_MS + 1000 }));
    clock.nowMs = NOW_MS + 999;
    assert.notEqual(await store.get(key), undefined);
    clock.nowMs = NOW_MS + 1000;
    assert.equal(await store.get(key), undefined);
  });

  check('delete tells whether there was an entry', async (store) => {
    const key = newKey();
    await store.set(key, sample({}));
    assert.equal(await store.delete(key), true);
    assert.equal(await store.get(key), undefined);
    assert.equal(await store.delete(key), false);
  });

  check('an entry from the far future is a miss: nobody can say how old it is', async (store) => {
    const key = newKey();
    await store.set(key, sample({ storedAtMs: NOW_MS + 3_600_000, expiresAtMs: NOW_MS + 7_200_000 }));
    assert.equal(await store.get(key), undefined);
  });

  check('lists what is there, and what of it has an url, a beginning of it, or a tag', async (store) => {
    const { keys, site, entries } = someUrls();
    await Promise.all(entries.map((entry, index) => store.set(keys[index] ?? '', ownCopy(entry))));
    const found = async (which?: CacheSelector): Promise<number[]> => {
      const places: number[] = [];
      for await (const { key } of store.list(which)) if (keys.includes(key)) places.push(keys.indexOf(key));
      return places.toSorted((a, b) => a - b);
    };
    assert.deepEqual(await found(), [0, 1, 2, 3, 4]);
    assert.deepEqual(await found({ url: `${site}/a` }), [0, 1]);
    assert.deepEqual(await found({ prefix: `${site}/a` }), [0, 1, 2, 3]);
    assert.deepEqual(await found({ prefix: site }), [0, 1, 2, 3, 4]);
    assert.deepEqual(await found({ tag: `tag of ${site}` }), [1, 4]);
    assert.deepEqual(await found({ tag: 'x'.repeat(2000) + site }), [4]);
    for await (const { key, bytes: counted, ...listing } of store.list({ tag: 'x'.repeat(2000) + site })) {
      assert.equal(key, keys[4]);
      assert.ok(counted > 0);
      const { method, url, tags, expiresAtMs } = entries[4] ?? sample({});
      assert.deepEqual(listing, { method, url, tags, expiresAtMs });
    }
  });

  check('clears by url, beginning and tag, and leaves the others', async (store) => {
    const { keys, site, entries } = someUrls();
    const there = async (): Promise<number[]> => {
      const found = await Promise.all(keys.map((key) => store.get(key)));
      return found.flatMap((entry, index) => (entry === undefined ? [] : [index]));
    };
    await Promise.all(entries.map((entry, index) => store.set(keys[index] ?? '', ownCopy(entry))));
    assert.equal(await store.clear({ tag: `tag of ${site}` }), 2);
    assert.deepEqual(await there(), [0, 2, 3]);
    assert.equal(await store.clear({ url: `${site}/a` }), 1);
    assert.equal(await store.clear({ url: `${site}/a` }), 0);
    assert.equal(await store.clear({ prefix: `${site}/a/` }), 2);
    assert.deepEqual(await there(), []);
  });

  check('clears all there is, and counts what there is', async (store) => {
    const keys = Array.from({ length: 5 }, newKey);
    await Promise.all(keys.map((key) => store.set(key, sample({}))));
    const before = await store.stats();
    assert.ok(before.entries >= 5 && before.bytes > 0);
    await Promise.all([store.get(keys[0] ?? ''), store.get(keys[1] ?? ''), store.get(newKey())]);
    const { hits, misses } = await store.stats();
    assert.deepEqual([hits - before.hits, misses - before.misses], [2, 1]);
    assert.ok((await store.clear()) >= 5);
    const after = await store.stats();
    assert.deepEqual([after.entries, after.bytes], [0, 0]);
    assert.equal(await store.get(keys[0] ?? ''), undefined);
  });

  check('what a leader stores that another one has overtaken is refused', async (store, clock) => {
    if (store.leases === undefined) return;
    const key = newKey();
    const first = await store.leases.take(key, 1, false);
    const second = await takeAfter(store.leases, key, clock);
    assert.ok(first.state === 'taken' && second.state === 'taken' && second.token > first.token);
    assert.equal(await store.set(key, sample({ body: bytes('of the second') }), second.token), true);
    assert.equal(await store.set(key, sample({ body: bytes('of the first') }), first.token), false);
    assertEntry(await store.get(key), sample({ body: bytes('of the second') }));
    assert.equal(await store.set(key, sample({ body: bytes('of nobody') })), true);
  });

  if (openBounded !== undefined) {
    test('holds no more than its bytes, and lets go of the least recently used', async () => {
      const clock = { now: () => NOW_MS };
      const store = await openBounded(clock, 200_000);
      try {
        const keys = Array.from({ length: 30 }, newKey);
        for (const key of keys) {
          await store.set(key, sample({ body: randomBytes(20_000) }));
          assert.notEqual(await store.get(keys[0] ?? ''), undefined);
          assert.ok((await store.stats()).bytes <= 200_000);
        }
        const found = await Promise.all(keys.map((key) => store.get(key)));
        const kept = found.flatMap((entry, index) => (entry === undefined ? [] : [index]));
        assert.ok(kept.length >= 5, `${kept.length} entries are left`);
        const newest = keys.map((_, index) => index).slice(-(kept.length - 1));
        assert.deepEqual(kept, [0, ...newest]);
        assert.deepEqual((await store.stats()).evicted, keys.length - kept.length);

        await store.set(keys[0] ?? '', sample({ body: randomBytes(300_000) }));
        assert.equal(await store.get(keys[0] ?? ''), undefined);
        assert.notEqual(await store.get(keys.at(-1) ?? ''), undefined);
      } finally {
        await store.close();
      }
    });
  }

  check('what is known without waiting is what a get would give', async (store) => {
    const key = newKey();
    assert.ok((store.near?.(key) ?? undefined) === undefined);
    await store.set(key, sample({ body: bytes('here') }));
    assert.notEqual(store.near?.(key), null);
    await store.get(key);
    assert.notEqual(store.near?.(key), null);
    await store.delete(key);
    assert.ok((store.near?.(key) ?? undefined) === undefined);
  });

  check('altering a body that was got alters no later one', async (store) => {
    const key = newKey();
    await store.set(key, sample({ body: bytes('untouched') }));
    for (let round = 0; round < 3; round++) {
      const entry = await store.get(key);
      assertEntry(entry, sample({ body: bytes('untouched') }));
      entry?.body.fill(0);
      const near = store.near?.(key);
      if (near === undefined || near === null) continue;
      assertEntry(near, sample({ body: bytes('untouched') }));
      near.body.fill(0);
    }
  });

  check('concurrent sets and gets of many keys never mix', async (store) => {
    const keys = Array.from({ length: 24 }, newKey);
    const entryOf = (key: string): CacheEntry =>
      sample({ url: `https://api.example.com/${key}`, body: bytes(`reply to ${key}`) });
    await Promise.all(keys.map((key) => store.set(key, entryOf(key))));
    const got = await Promise.all(keys.map((key) => store.get(key)));
    got.forEach((entry, index) => assertEntry(entry, entryOf(keys[index] ?? '')));
  });

  check('a get beside sets of the same key gives one of them, whole', async (store) => {
    const key = newKey();
    const versions = Array.from({ length: 10 }, (_, index) => sample({ body: new Uint8Array(20_000).fill(index) }));
    const sets = versions.map((version) => store.set(key, ownCopy(version)));
    const got = await Promise.all(versions.map(() => store.get(key)));
    await Promise.all(sets);
    for (const entry of got) {
      if (entry !== undefined) assertEntry(entry, versions[entry.body[0] ?? 0] ?? sample({}));
    }
  });

  if (!durable) return;
  test('close waits until what was set is safe', async () => {
    const clock = { now: () => NOW_MS };
    const key = newKey();
    const first = await open(clock);
    void first.set(key, sample({ body: bytes('kept') }));
    await first.close();
    const second = await open(clock);
    assertEntry(await second.get(key), sample({ body: bytes('kept') }));
    await second.close();
  });
}

function samples(): [what: string, entry: CacheEntry][] {
  return [
    ['a text', sample({ body: bytes('{"price":"12 €","name":"日本"}') })],
    ['a text with a byte order mark', sample({ body: bytes('\uFEFFid;name\r\n1;a\0b') })],
    ['an empty body', sample({ status: 204, statusText: 'No Content', body: bytes('') })],
    ['bytes that are no text', sample({ body: Uint8Array.from({ length: 256 }, (_, index) => index) })],
    ['a part of a larger buffer', sample({ body: bytes('beforePARTafter').subarray(6, 10) })],
    ['a body of 1 MiB', sample({ body: randomBytes(1 << 20) })],
    [
      'repeated headers in their order',
      sample({
        headers: [
          ['link', 'a'],
          ['x', ''],
          ['link', 'b'],
          ['x-text', 'naïve "quotes" ☃'],
        ],
      }),
    ],
    ['text over 1 kB, which may be kept compressed', sample({ body: bytes('{"name":"日本"},'.repeat(20_000)) })],
    ['a body that came coded', sample({ headers: [['content-encoding', 'gzip']], body: randomBytes(2000) })],
    [
      'a stale one with age, variant and tags',
      sample({
        initialAgeMs: 1234,
        staleAtMs: NOW_MS,
        variant: { names: ['accept', 'accept-language'], family: 'f4m1ly', digest: 'd'.repeat(64) },
        tags: ['products', 'page:1'],
      }),
    ],
    ['the url after redirects', sample({ finalUrl: 'https://www.example.com/items?page=1&q=%7Bkey%7D' })],
  ];
}

/** Entries of a site of their own: two of one url, two below it, one elsewhere. */
function someUrls(): { keys: string[]; site: string; entries: CacheEntry[] } {
  const site = `https://${newKey().slice(0, 20)}.example`;
  const tags = [[], [`tag of ${site}`], [], [], [`tag of ${site}`, 'x'.repeat(2000) + site]];
  const paths = ['/a', '/a', '/a/b', `/a/${'long'.repeat(600)}`, '/c?d=/a'];
  const entries = paths.map((path, index) => sample({ url: site + path, tags: tags[index] ?? [] }));
  return { keys: entries.map(newKey), site, entries };
}

async function takeAfter(leases: LeaseStore, key: string, clock: { nowMs: number }): Promise<Take> {
  for (;;) {
    const answer = await leases.take(key, 1, true);
    if (answer.state !== 'held') return answer;
    // Some engines go by our clock, others by their own.
    clock.nowMs += 5;
    await sleep(5);
  }
}

function sample(different: Partial<CacheEntry>): CacheEntry {
  return {
    method: 'GET',
    url: 'https://api.example.com/items?page=1&appid={key}',
    finalUrl: undefined,
    httpVersion: '1.1',
    status: 200,
    statusText: 'OK',
    headers: [['content-type', 'application/json']],
    body: bytes('{}'),
    storedAtMs: NOW_MS,
    initialAgeMs: 0,
    staleAtMs: NOW_MS + 60_000,
    expiresAtMs: NOW_MS + 60_000,
    variant: undefined,
    tags: [],
    ...different,
  };
}

/** Stores own what they are given: the sample stays for the comparison. */
function ownCopy(entry: CacheEntry): CacheEntry {
  return { ...entry, body: new Uint8Array(entry.body) };
}

function assertEntry(actual: CacheEntry | undefined, expected: CacheEntry): void {
  assert.ok(actual, 'the entry is there');
  const plain = ({ body, ...head }: CacheEntry): unknown => ({ ...head, body: Buffer.from(body).toString('base64') });
  assert.deepEqual(plain(actual), plain(expected));
}

function newKey(): string {
  return randomBytes(32).toString('hex');
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
