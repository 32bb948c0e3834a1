import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { DatabaseName, Environment } from '../embedded/environment.js';
import type { CacheEntry, CacheListing, CacheSelector, CacheStore } from './cache-store.js';
import { gather } from './gather.js';
import { isAlive } from './lifetime.js';
import { LmdbCompany } from './lmdb-company.js';
import { lmdbLeaseStore } from './lmdb-lease-store.js';
import { LmdbLeases } from './lmdb-leases.js';
import { LmdbShelf } from './lmdb-shelf.js';
import { LmdbSnapshot } from './lmdb-snapshot.js';
import { Pending } from './pending.js';
import { recentUse } from './recent-use.js';
import { decodeEntry, encodeEntry } from './record.js';
import { Tally } from './tally.js';

export interface LmdbCacheOptions {
  /** Asked on first use; it stays open when the store closes. */
  readonly environment: () => Promise<Environment>;
  readonly clock: Clock;
  /**
   * Bound of all entries together in bytes, whoever stored them; the least recently used go first, a larger entry is not
   * kept. The file itself grows somewhat beyond, for pages that are free in between.
   * @default 1_073_741_824 (1 GiB)
   */
  readonly maxBytes?: number;
}

export const CACHE_DATABASE: DatabaseName = { name: 'cache', version: 5 };

interface Opened {
  readonly environment: Environment;
  readonly shelf: LmdbShelf;
  readonly leases: LmdbLeases;
  readonly company: LmdbCompany;
  /** The newest change at that time. */
  readonly openedAt: number;
}

type Stored<Record> = [key: string, record: Record, entry: CacheEntry, fence: number | undefined];

/** To decode a smaller body would take longer than all the rest of a hit; what fills a disk is larger. */
const COMPRESSED_FROM = 16 * 1024;

/** So many entries are looked through or deleted in one piece: other processes wait for a transaction. */
const PIECE = 200;

/**
 * Keeps replies in the embedded environment, shared by the processes that have it open. Expired entries are removed when
 * they are asked for, and some with each write.
 */
export function lmdbCacheStore(options: LmdbCacheOptions): CacheStore {
  const { clock, maxBytes = 2 ** 30 } = options;
  const by = randomBytes(9).toString('base64url');
  let opened: Opened | undefined;
  let opening: Promise<Opened> | undefined;
  const tally = new Tally();
  const pending = new Pending();
  const used = recentUse(() => void write(() => {}).catch(() => {}));

  async function openDatabase(): Promise<Opened> {
    const environment = await options.environment();
    const database = await environment.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
    const snapshot = new LmdbSnapshot(database);
    const shelf = new LmdbShelf(database, snapshot, by);
    // Whoever keeps copies has got none before this.
    const leases = new LmdbLeases(database);
    const company = new LmdbCompany(database, snapshot);
    await environment.transact(() => {
      leases.sweepAll(clock.now());
      company.join(clock.now());
    });
    opened = { environment, shelf, leases, company, openedAt: shelf.change };
    return opened;
  }

  function open(): Promise<Opened> {
    opening ??= openDatabase().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }

  async function transact<T>(change: (stores: Opened) => T): Promise<T> {
    const stores = opened ?? (await open());
    return stores.environment.transact(() => change(stores));
  }

  const gathered = gather(async (work) => {
    const keys = used.take();
    const alter = ({ shelf }: Opened): number =>
      shelf.alter(
        () => {
          shelf.use(keys);
          work();
        },
        { maxBytes, nowMs: clock.now() },
      );
    tally.evicted += await transact(alter);
  });

  /** A change at once, after those that are gathered. */
  async function write<T>(change: (stores: Opened) => T): Promise<T> {
    const stores = opened ?? (await open());
    return pending.track(gathered.now(() => change(stores)));
  }

  /** A change that nobody waits for long. */
  async function writeSoon<T>(change: (stores: Opened) => T): Promise<T> {
    const stores = opened ?? (await open());
    return pending.track(gathered.soon(() => change(stores)));
  }

  async function* list(which?: CacheSelector): AsyncGenerator<CacheListing> {
    const { shelf } = await open();
    let from;
    do {
      const { listings, next } = shelf.list(which, from, PIECE);
      yield* listings;
      from = next;
    } while (from !== undefined);
  }

  const leases = lmdbLeaseStore({
    clock,
    opened: () => opened ?? open(),
    transact,
    transactSoon: writeSoon,
  });

  return {
    near(key) {
      if (opened === undefined || opened.shelf.mayHave(key)) return undefined;
      tally.miss();
      return null;
    },
    get: async (key) => tally.lookup(await read(key)),
    set(key, entry, fence) {
      const record = encodeEntry(entry, COMPRESSED_FROM);
      const isAtHand = opened !== undefined && !(record instanceof Promise);
      if (isAtHand) return store(key, record, entry, fence);
      return pending.track(storeLater(key, record, entry, fence));
    },
    async delete(key) {
      return (await write(({ shelf }) => shelf.remove([key]))) > 0;
    },
    async clear(which) {
      let count = 0;
      let keys: string[] = [];
      for await (const { key } of list(which)) {
        keys.push(key);
        if (keys.length < PIECE) continue;
        count += await remove(keys);
        keys = [];
      }
      return count + (await remove(keys));
    },
    list,
    async stats() {
      const { shelf } = await open();
      const { entries, bytes } = shelf.newestTotals();
      return tally.with({ entries, bytes });
    },
    leases,
    watch(listener) {
      let seen: number | undefined;
      return {
        upToDate() {
          if (opened === undefined) return false;
          const { shelf, openedAt } = opened;
          const newest = shelf.change;
          seen ??= openedAt;
          if (newest === seen) return true;
          const changes = shelf.changesAfter(seen);
          seen = newest;
          if (changes === undefined) listener(undefined);
          else for (const change of changes) if (change.by !== by) change.keys.forEach(listener);
          return true;
        },
        close: async () => {},
      };
    },
    touch: (key) => used.note(key),
    async close() {
      leases.close();
      await pending.settled();
      // The last: it is committed after all that was asked for before.
      if (opening !== undefined) await write(({ company }) => company.leave()).catch(() => {});
    },
  };

  async function read(key: string): Promise<CacheEntry | undefined> {
    const { shelf } = opened ?? (await open());
    const record = shelf.newestRecord(key);
    if (record === undefined) return undefined;
    const entry = await decodeEntry(record);
    if (entry === undefined) {
      const isGone = await write((stores) => stores.shelf.record(key)?.equals(record) && stores.shelf.remove([key]));
      if (isGone) tally.damaged++;
      return undefined;
    }
    if (isAlive(entry, clock.now())) {
      used.note(key);
      return entry;
    }
    if (clock.now() >= entry.expiresAtMs) await write((stores) => stores.shelf.removeExpired(key, clock.now()));
    return undefined;
  }

  async function storeLater(...[key, record, entry, fence]: Stored<Buffer | Promise<Buffer>>): Promise<boolean> {
    await open();
    return store(key, await record, entry, fence);
  }

  /** Of an open database; false where another leader has stored it. */
  function store(...[key, record, { method, url, tags, expiresAtMs }, fence]: Stored<Buffer>): Promise<boolean> {
    return gathered.soon(() => {
      if (opened === undefined || (fence !== undefined && leases.isOvertaken(key, fence, opened))) return false;
      opened.shelf.put(key, record, { method, url, tags, expiresAtMs }, maxBytes);
      return true;
    });
  }

  function remove(keys: readonly string[]): Promise<number> {
    return keys.length === 0 ? Promise.resolve(0) : write(({ shelf }) => shelf.remove(keys));
  }
}
