import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { CacheEntry, CacheStore } from '../cache/cache-store.js';
import type { Clock } from '../clock.js';

export interface CacheContract {
  /** vitest's, node:test's or anyone's. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A store on the engine under test, which may hold other entries; called again, one that shares them where the engine keeps them. */
  readonly open: (clock: Clock) => Promise<CacheStore>;
  /** True where another store on the same engine finds what was set. */
  readonly durable: boolean;
}

const NOW_MS = Date.UTC(2026, 0, 1);

/** What every CacheStore must do, as tests of any runner with a `test(name, body)`. */
export function cacheStoreContract({ test, open, durable }: CacheContract): void {
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

  check('altering a body that was got alters no later one', async (store) => {
    const key = newKey();
    await store.set(key, sample({ body: bytes('untouched') }));
    for (let round = 0; round < 3; round++) {
      const entry = await store.get(key);
      assertEntry(entry, sample({ body: bytes('untouched') }));
      entry?.body.fill(0);
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
