import type { Database, Key } from 'lmdb';
import type { CacheListing, CacheSelector } from './cache-store.js';
import { MOST_INDEXED, tagPlace } from './places.js';
import { selects } from './selector.js';

/*
 * The cache's database in lmdb, one for all of it, so that each change is one transaction:
 *
 * e KEY               the entry, as record.ts writes it
 * m KEY               what is known of it without reading it (Meta, JSON)
 * o ORDER             the key; the smallest ORDER was used the longest ago
 * x EXPIRES_AT KEY    nothing: the order in which entries expire
 * u URL KEY           nothing, with the beginning of the url: entries by url
 * t TAG KEY           nothing: entries by tag
 * c NUMBER            a change: who made it and the key, for those who keep copies
 * s                   the totals
 */

interface Meta {
  readonly method: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly bytes: number;
  readonly expiresAtMs: number;
  readonly order: number;
}

export type NewEntry = Pick<Meta, 'expiresAtMs' | 'method' | 'tags' | 'url'>;

interface Totals {
  bytes: number;
  entries: number;
  /** Of the newest use. */
  order: number;
  /** Of the newest change. */
  change: number;
}

export interface Change {
  readonly by: string;
  readonly key: string;
}

const PAGE_BYTES = 4096;
/** Larger values take pages of their own. */
const MOST_INLINE = 2_000;
/** The keys of one entry in all lists, and lmdb's own words about them. */
const OVERHEAD_BYTES = 768;
/** Expired entries that a write takes away with it. */
const SWEPT_AT_ONCE = 20;
/** Who is further behind forgets all copies. */
const CHANGES_KEPT = 2_000;
const EVICTED_AT_ONCE = 16;

const NOTHING = Buffer.alloc(0);
const TOTALS: Key = ['s'];

/** What the cache's database holds and in which order; changes are made inside a transaction, by the one named `by`. */
export class LmdbShelf {
  readonly #database: Database<Buffer, Key>;
  readonly #by: string;

  constructor(database: Database<Buffer, Key>, by: string) {
    this.#database = database;
    this.#by = by;
  }

  record(key: string): Buffer | undefined {
    return this.#database.getBinary(['e', key]);
  }

  /** The record as the processes have left it by now, and not as the present read transaction sees it. */
  newestRecord(key: string): Buffer | undefined {
    this.#database.resetReadTxn();
    return this.record(key);
  }

  /** The newest change; cheap, to be asked at every use of a copy. */
  get change(): number {
    return this.#database.getBinaryFast(TOTALS)?.readDoubleLE(24) ?? 0;
  }

  /** The changes after `since`, or undefined where they are forgotten. */
  changesAfter(since: number): Change[] | undefined {
    const found = [...this.#database.getRange({ start: ['c', since + 1], end: ['d'] })];
    const [first] = found;
    if (first === undefined || (first.key as [string, number])[1] !== since + 1) return undefined;
    return found.map(({ value }) => {
      const [by = '', key = ''] = value.toString().split(' ');
      return { by, key };
    });
  }

  totals(): Totals {
    const packed = this.#database.getBinaryFast(TOTALS);
    const at = (index: number): number => packed?.readDoubleLE(index * 8) ?? 0;
    return { bytes: at(0), entries: at(1), order: at(2), change: at(3) };
  }

  /** The totals as the processes have left them by now. */
  newestTotals(): Totals {
    this.#database.resetReadTxn();
    return this.totals();
  }

  meta(key: string): Meta | undefined {
    const found = this.#database.getBinary(['m', key]);
    return found && (JSON.parse(found.toString()) as Meta);
  }

  /** Stores the record and makes room for it; how many entries had to go for that. A record beyond `maxBytes` replaces nothing but itself. */
  put(
    key: string,
    record: Buffer,
    entry: NewEntry,
    limits: { readonly maxBytes: number; readonly nowMs: number },
  ): number {
    const totals = this.totals();
    this.#drop(key, totals);
    this.#sweep(limits.nowMs, totals);
    const bytes = bytesOf(record, entry);
    let evicted = 0;
    if (bytes <= limits.maxBytes) {
      evicted = this.#makeRoom(limits.maxBytes - bytes, totals);
      this.#add(key, record, { ...entry, bytes, order: ++totals.order }, totals);
    }
    this.#changed(key, totals);
    this.#save(totals);
    return evicted;
  }

  removeExpired(key: string, nowMs: number): void {
    const meta = this.meta(key);
    if (meta !== undefined && nowMs >= meta.expiresAtMs) this.remove([key]);
  }

  remove(keys: readonly string[]): number {
    const totals = this.totals();
    const there = keys.filter((key) => this.#drop(key, totals));
    for (const key of there) this.#changed(key, totals);
    if (there.length > 0) this.#save(totals);
    return there.length;
  }

  /** The last of `keys` becomes the most recently used one. */
  use(keys: readonly string[]): void {
    const totals = this.totals();
    for (const key of keys) {
      const meta = this.meta(key);
      if (meta === undefined) continue;
      this.#database.removeSync(['o', meta.order]);
      const order = ++totals.order;
      this.#database.putSync(['o', order], Buffer.from(key));
      this.#database.putSync(['m', key], Buffer.from(JSON.stringify({ ...meta, order })));
    }
    this.#save(totals);
  }

  /** Up to `limit` entries after `from` (a place that an earlier answer told), and the place to go on from. */
  list(
    which: CacheSelector | undefined,
    from: Key | undefined,
    limit: number,
  ): { listings: CacheListing[]; next: Key | undefined } {
    const { start, end } = rangeOf(which);
    const options = { start: from ?? start, end, limit, ...(from === undefined ? {} : { exclusiveStart: true }) };
    const places = [...this.#database.getKeys(options)];
    const listings = places.flatMap((place) => {
      const key = String((place as readonly unknown[]).at(-1));
      const meta = this.meta(key);
      if (meta === undefined || !selects(which, meta)) return [];
      const { method, url, tags, bytes, expiresAtMs } = meta;
      return [{ key, method, url, tags, bytes, expiresAtMs }];
    });
    return { listings, next: places.length < limit ? undefined : places.at(-1) };
  }

  #add(key: string, record: Buffer, meta: Meta, totals: Totals): void {
    const database = this.#database;
    database.putSync(['e', key], record);
    database.putSync(['m', key], Buffer.from(JSON.stringify(meta)));
    database.putSync(['o', meta.order], Buffer.from(key));
    for (const place of placesOf(key, meta)) database.putSync(place, NOTHING);
    totals.bytes += meta.bytes;
    totals.entries += 1;
  }

  #drop(key: string, totals: Totals): boolean {
    const meta = this.meta(key);
    if (meta === undefined) return false;
    const places: Key[] = [['e', key], ['m', key], ['o', meta.order], ...placesOf(key, meta)];
    for (const place of places) this.#database.removeSync(place);
    totals.bytes -= meta.bytes;
    totals.entries -= 1;
    return true;
  }

  #sweep(nowMs: number, totals: Totals): void {
    const expired = [...this.#database.getKeys({ start: ['x'], end: ['x', nowMs, '~'], limit: SWEPT_AT_ONCE })];
    for (const place of expired) this.#drop(String((place as readonly unknown[])[2]), totals);
  }

  #makeRoom(bytes: number, totals: Totals): number {
    let evicted = 0;
    while (totals.bytes > bytes) {
      const oldest = [...this.#database.getRange({ start: ['o'], end: ['p'], limit: EVICTED_AT_ONCE })];
      if (oldest.length === 0) break;
      for (const { value } of oldest) {
        if (totals.bytes <= bytes) break;
        if (this.#drop(value.toString(), totals)) evicted++;
      }
    }
    return evicted;
  }

  #changed(key: string, totals: Totals): void {
    totals.change += 1;
    this.#database.putSync(['c', totals.change], Buffer.from(`${this.#by} ${key}`));
    this.#database.removeSync(['c', totals.change - CHANGES_KEPT]);
  }

  #save({ bytes, entries, order, change }: Totals): void {
    const packed = Buffer.allocUnsafe(32);
    [bytes, entries, order, change].forEach((number, index) => packed.writeDoubleLE(number, index * 8));
    this.#database.putSync(TOTALS, packed);
  }
}

function placesOf(key: string, { url, tags, expiresAtMs }: NewEntry): Key[] {
  return [
    ['x', expiresAtMs, key],
    ['u', url.slice(0, MOST_INDEXED), key],
    ...[...new Set(tags)].map((tag): Key => ['t', tagPlace(tag), key]),
  ];
}

function rangeOf(which: CacheSelector | undefined): { start: Key; end: Key } {
  if (which === undefined) return { start: ['m'], end: ['n'] };
  if ('tag' in which) return { start: ['t', tagPlace(which.tag)], end: ['t', tagPlace(which.tag), '~'] };
  if ('url' in which) {
    const url = which.url.slice(0, MOST_INDEXED);
    return { start: ['u', url], end: ['u', url, '~'] };
  }
  const prefix = which.prefix.slice(0, MOST_INDEXED);
  return { start: ['u', prefix], end: ['u', `${prefix}\uFFFF`] };
}

/** What the entry takes on the disk. */
function bytesOf(record: Buffer, { url, tags }: NewEntry): number {
  const own = record.byteLength <= MOST_INLINE ? record.byteLength : pages(record.byteLength);
  return own + OVERHEAD_BYTES + 2 * url.length + tags.reduce((length, tag) => length + 2 * tag.length + 100, 0);
}

function pages(bytes: number): number {
  return Math.ceil((bytes + 16) / PAGE_BYTES) * PAGE_BYTES;
}
