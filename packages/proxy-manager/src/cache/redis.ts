import { randomBytes } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Clock } from '../clock.js';
import { StoreError } from '../errors.js';
import { breaker } from '../breaker.js';
import type { CacheEntry, CacheListing, CacheSelector, CacheStore } from './cache-store.js';
import { LANDING_TOLD_MS } from './lease-store.js';
import { isAlive } from './lifetime.js';
import { Pending } from './pending.js';
import { recentUse } from './recent-use.js';
import { decodeEntry, encodeEntry } from './record.js';
import { CHANGES, redisWatch } from './redis-changes.js';
import { RELEASE, REMOVE, RENEW, run, SET, TAKE, TOUCH } from './redis-script.js';
import { MOST_INDEXED, tagPlace } from './places.js';
import { selects } from './selector.js';
import { Tally } from './tally.js';
import { attempt, within } from './within-budget.js';

export interface RedisCacheOptions {
  /** Asked on first use; it stays open when the store closes. */
  readonly client: () => Promise<Redis | Cluster>;
  readonly clock: Clock;
  /**
   * Bound of all entries together in bytes, whoever stored them; the least recently used go first, a larger entry is not
   * kept.
   * @default 268_435_456 (256 MiB)
   */
  readonly maxBytes?: number;
  /**
   * Names this cache in Redis; with a hash tag, since a Cluster has to keep all of it in one place.
   * @default '{proxy-manager:cache-v1}'
   */
  readonly base?: string;
  /**
   * How long a lookup may take; past it, it is a miss.
   * @default 250
   */
  readonly lookupBudgetMs?: number;
}

/** A body goes to the server and back, and lies in its memory: smaller ones gain less than the time takes. */
const COMPRESSED_FROM = 1024;

interface Meta {
  /** Bytes, url, method, tags, expiry. */
  readonly b: number;
  readonly u: string;
  readonly m: string;
  readonly t: readonly string[];
  readonly x: number;
}

const WRITE_BUDGET_MS = 10_000;
/** Records waiting to be written, all together: what comes faster than Redis takes it is not stored. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** Redis's own words about an entry and its places in the lists. */
const OVERHEAD_BYTES = 768;
const PIECE = 200;

/**
 * Keeps replies in Redis (5.0 or newer; in a Cluster on one node), for all machines that share it. `get`, `set` and
 * `delete` never reject: what fails, or takes longer to look up than its budget, is a miss, and while Redis is away it is
 * tried only now and then.
 */
export function redisCacheStore(options: RedisCacheOptions): CacheStore {
  const { client, clock, maxBytes = 2 ** 28, base = '{proxy-manager:cache-v1}', lookupBudgetMs = 250 } = options;
  const by = randomBytes(9).toString('base64url');
  const reading = breaker();
  const writing = breaker();
  const leasing = breaker();
  const pending = new Pending();
  let pendingBytes = 0;
  const tally = new Tally();
  const used = recentUse(() => {
    const keys = JSON.stringify(used.take());
    void pending.track(attempt(writing, WRITE_BUDGET_MS, client, (redis) => run(redis, TOUCH, base, [keys])));
  });

  const remove = async (redis: Redis | Cluster, keys: readonly string[]): Promise<number> =>
    Number(await run(redis, REMOVE, base, [by, CHANGES, JSON.stringify(keys)]));

  async function removeLater(key: string): Promise<boolean> {
    const work = attempt(writing, WRITE_BUDGET_MS, client, (redis) => remove(redis, [key]));
    return (await pending.track(work)) === 1;
  }

  async function read(key: string): Promise<CacheEntry | undefined> {
    const record = await attempt(reading, lookupBudgetMs, client, async (redis) => redis.getBuffer(`${base}:e:${key}`));
    if (record === undefined || record === null) return undefined;
    const entry = await decodeEntry(record);
    if (entry === undefined) {
      tally.damaged++;
      void removeLater(key);
      return undefined;
    }
    if (!isAlive(entry, clock.now())) return undefined;
    used.note(key);
    return entry;
  }

  async function store(key: string, entry: CacheEntry, fence: number | undefined): Promise<boolean> {
    const record = await encodeEntry(entry, COMPRESSED_FROM);
    const packed = JSON.stringify(toMeta(record, entry, fence));
    const usedKeys = JSON.stringify(used.take());
    const lifetimeMs = Math.ceil(entry.expiresAtMs - clock.now());
    const answer = await attempt(writing, WRITE_BUDGET_MS, client, (redis) =>
      run(redis, SET, base, [key, record, packed, lifetimeMs, maxBytes, fence ?? '', by, CHANGES, usedKeys]),
    );
    tally.evicted += Math.max(0, Number(answer ?? 0));
    return answer !== -1;
  }

  /** Rejects also while Redis rests: who asks for a lease does without. */
  async function lease<T>(work: (redis: Redis | Cluster) => Promise<T>): Promise<T> {
    const redis = await client();
    const answer = await leasing.call(() => within(lookupBudgetMs, () => work(redis)));
    if (answer === undefined) throw new Error('Redis rests');
    return answer;
  }

  /** Unlike the others these reject: who manages a cache wants to know that it could not be done. */
  async function managing<T>(doing: string, work: (redis: Redis | Cluster) => Promise<T>): Promise<T> {
    try {
      return await work(await client());
    } catch (error) {
      throw new StoreError('redis cache store', doing, error);
    }
  }

  async function* keysOf(which: CacheSelector | undefined, redis: Redis | Cluster): AsyncGenerator<string[]> {
    if (which !== undefined && !('tag' in which)) {
      const start = ('url' in which ? which.url : which.prefix).slice(0, MOST_INDEXED);
      const end = `(${start}${'url' in which ? '\u0001' : '\u007F'}`;
      for (let from = `[${start}`; ;) {
        const places = await redis.zrangebylex(`${base}:urls`, from, end, 'LIMIT', 0, PIECE);
        yield places.map((place) => place.slice(place.indexOf('\0') + 1));
        if (places.length < PIECE) return;
        from = `(${String(places.at(-1))}`;
      }
    }
    for (let cursor = '0'; ;) {
      const [next, found] =
        which === undefined
          ? await redis.hscan(`${base}:meta`, cursor, 'COUNT', PIECE)
          : await redis.sscan(`${base}:tag:${tagPlace(which.tag)}`, cursor, 'COUNT', PIECE);
      yield which === undefined ? found.filter((_, index) => index % 2 === 0) : found;
      if (next === '0') return;
      cursor = next;
    }
  }

  async function* list(which?: CacheSelector): AsyncGenerator<CacheListing> {
    const redis = await managing('list the entries', async (connected) => connected);
    const seen = new Set<string>();
    for await (const keys of keysOf(which, redis)) {
      const fresh = keys.filter((key) => !seen.has(key) && seen.add(key));
      const found = fresh.length === 0 ? [] : await redis.hmget(`${base}:meta`, ...fresh);
      for (const [index, packed] of found.entries()) {
        if (packed === null) continue;
        const { m: method, u: url, t: tags, b: bytes, x: expiresAtMs } = JSON.parse(packed) as Meta;
        if (selects(which, { url, tags })) yield { key: fresh[index] ?? '', method, url, tags, bytes, expiresAtMs };
      }
    }
  }

  return {
    get: async (key) => tally.lookup(await read(key)),
    async set(key, entry, fence) {
      const { byteLength } = entry.body;
      if (pendingBytes + byteLength > MAX_PENDING_BYTES) return true;
      pendingBytes += byteLength;
      try {
        return await pending.track(store(key, entry, fence));
      } finally {
        pendingBytes -= byteLength;
      }
    },
    delete: removeLater,
    clear: (which) =>
      managing('delete entries', async (redis) => {
        let count = 0;
        let keys: string[] = [];
        for await (const { key } of list(which)) {
          if (keys.push(key) < PIECE) continue;
          count += await remove(redis, keys);
          keys = [];
        }
        return keys.length === 0 ? count : count + (await remove(redis, keys));
      }),
    list,
    stats: () =>
      managing('count the entries', async (redis) => {
        const [entries, bytes] = await Promise.all([redis.hlen(`${base}:meta`), redis.hget(`${base}:totals`, 'bytes')]);
        return tally.with({ entries, bytes: Number(bytes ?? 0) });
      }),
    leases: {
      retryMs: { first: 10, last: 100 },
      take: (key, ttlMs, waited) =>
        lease(async (redis) => {
          const answer = await run(redis, TAKE, base, [key, ttlMs, waited ? '1' : '0']);
          const [state, word, recent] = answer as readonly string[];
          if (state === 'taken') return { state, token: Number(word), recent: recent === '1' };
          if (state === 'landed' && (word === 'stored' || word === 'fruitless')) return { state, landing: word };
          return { state: 'held' };
        }),
      renew: (key, token, ttlMs) => lease(async (redis) => (await run(redis, RENEW, base, [key, token, ttlMs])) === 1),
      async release(key, token, landing) {
        await lease((redis) => run(redis, RELEASE, base, [key, token, landing, LANDING_TOLD_MS]));
      },
    },
    watch: (listener) => redisWatch(client, by, listener),
    touch: (key) => used.note(key),
    close: () => pending.settled(),
  };
}

function toMeta(record: Buffer, { url, method, tags, expiresAtMs }: CacheEntry, fence: number | undefined): object {
  const places = [...new Set(tags)].map(tagPlace);
  const texts = 2 * url.length + tags.reduce((length, tag) => length + 2 * tag.length + 100, 0);
  return {
    b: record.byteLength + OVERHEAD_BYTES + texts,
    u: url,
    m: method,
    t: tags,
    x: expiresAtMs,
    f: fence ?? 0,
    i: url.slice(0, MOST_INDEXED),
    k: places,
  };
}
