import type { Database, Key } from 'lmdb';
import type { CacheListing, CacheSelector } from './cache-store.js';
import type { Meta } from './lmdb-row.js';
import { readMeta, readRecord, toRow, withOrder } from './lmdb-row.js';
import { MOST_INDEXED, tagPlace } from './places.js';
import { selects } from './selector.js';

/*
 * The cache's database in lmdb, one for all of it, so that each change is one transaction:
 *
 * e KEY               an entry: what is known of it without reading its record, and the record (lmdb-row.ts)
 * b KEY               the record, where it is too long for that row
 * o ORDER             the key; the smallest ORDER was used the longest ago
 * x EXPIRES_AT KEY    nothing: the order in which entries expire
 * u URL KEY           nothing, with the beginning of the url: entries by url
 * t TAG KEY           nothing: entries by tag
 * c NUMBER            a change: who made it and the keys, for those who keep copies
 * d                   the totals; beside the newest change, so that both are on one page
 */

export type NewEntry = Pick<Meta, 'expiresAtMs' | 'method' | 'tags' | 'url'>;

interface Totals {
  bytes: number;
  entries: number;
  /** Of the newest use. */
  order: number;
  /** The number of the newest change. */
  change: number;
}

export interface Change {
  readonly by: string;
  readonly keys: readonly string[];
}

const PAGE_BYTES = 4096;
/** A longer record has a row of its own, on pages of its own. */
const MOST_INLINE = 1_500;
/** The keys of one entry in all lists, and lmdb's own words about them. */
const OVERHEAD_BYTES = 768;
/** Expired entries that a write takes away with it. */
const SWEPT_AT_ONCE = 20;
/** Who is further behind forgets all copies. */
const CHANGES_KEPT = 2_000;
const EVICTED_AT_ONCE = 16;

const NOTHING = Buffer.alloc(0);
const TOTALS: Key = ['d'];

/** What the cache's database holds and in which order. */
export class LmdbShelf {
  readonly #database: Database<Buffer, Key>;
  readonly #by: string;
  #totals: Totals = { bytes: 0, entries: 0, order: 0, change: 0 };
  readonly #changed = new Set<string>();
  #mayBeExpired = true;

  /** `by` names who makes the changes. */
  constructor(database: Database<Buffer, Key>, by: string) {
    this.#database = database;
    this.#by = by;
  }

  record(key: string): Buffer | undefined {
    const row = this.#database.getBinary(['e', key]);
    return row && (readRecord(row) ?? this.#database.getBinary(['b', key]) ?? NOTHING);
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
      const [by = '', ...keys] = value.toString().split(' ');
      return { by, keys };
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
    const row = this.#database.getBinaryFast(['e', key]);
    return row && readMeta(row);
  }

  /** Runs `action`, inside a transaction; those of the verbs below that change something are called by it alone. */
  alter<T>(action: () => T): T {
    this.#totals = this.totals();
    this.#changed.clear();
    this.#mayBeExpired = true;
    const { order } = this.#totals;
    const result = action();
    if (this.#changed.size > 0) this.#tell();
    if (this.#changed.size > 0 || this.#totals.order !== order) this.#save();
    return result;
  }

  /** Stores the record and makes room for it; how many entries had to go for that. A record beyond `maxBytes` replaces nothing but itself. */
  put(
    key: string,
    record: Buffer,
    entry: NewEntry,
    limits: { readonly maxBytes: number; readonly nowMs: number },
  ): number {
    this.#drop(key);
    if (this.#mayBeExpired) this.#mayBeExpired = this.#sweep(limits.nowMs) === SWEPT_AT_ONCE;
    const { method, url, tags, expiresAtMs } = entry;
    const bytes = bytesOf(record, entry);
    let evicted = 0;
    if (bytes <= limits.maxBytes) {
      evicted = this.#makeRoom(limits.maxBytes - bytes);
      const isInline = record.byteLength <= MOST_INLINE;
      this.#add(key, record, { method, url, tags, expiresAtMs, bytes, order: ++this.#totals.order, isInline });
    }
    this.#changed.add(key);
    return evicted;
  }

  removeExpired(key: string, nowMs: number): void {
    const meta = this.meta(key);
    if (meta !== undefined && nowMs >= meta.expiresAtMs) this.remove([key]);
  }

  remove(keys: readonly string[]): number {
    const there = keys.filter((key) => this.#drop(key));
    for (const key of there) this.#changed.add(key);
    return there.length;
  }

  /** The last of `keys` becomes the most recently used one. */
  use(keys: readonly string[]): void {
    for (const key of keys) {
      const row = this.#database.getBinary(['e', key]);
      const meta = row && readMeta(row);
      if (row === undefined || meta === undefined) continue;
      this.#database.removeSync(['o', meta.order]);
      const order = ++this.#totals.order;
      this.#database.putSync(['o', order], Buffer.from(key));
      this.#database.putSync(['e', key], withOrder(row, order));
    }
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

  #add(key: string, record: Buffer, meta: Meta): void {
    const database = this.#database;
    database.putSync(['e', key], toRow(meta, record));
    if (!meta.isInline) database.putSync(['b', key], record);
    database.putSync(['o', meta.order], Buffer.from(key));
    for (const place of placesOf(key, meta)) database.putSync(place, NOTHING);
    this.#totals.bytes += meta.bytes;
    this.#totals.entries += 1;
  }

  #drop(key: string): boolean {
    const row = this.#database.getBinaryFast(['e', key]);
    if (row === undefined) return false;
    const meta = readMeta(row);
    const places: Key[] = meta === undefined ? [] : [['o', meta.order], ...placesOf(key, meta)];
    for (const place of [['e', key], ...places]) this.#database.removeSync(place);
    if (meta?.isInline !== true) this.#database.removeSync(['b', key]);
    this.#totals.bytes -= meta?.bytes ?? 0;
    this.#totals.entries -= 1;
    return true;
  }

  /** How many it were. */
  #sweep(nowMs: number): number {
    const end = ['x', nowMs, '~'];
    const expired = Array.from(this.#database.getKeys({ start: ['x'], end, limit: SWEPT_AT_ONCE }));
    for (const place of expired)
      if (!this.#drop(String((place as readonly unknown[])[2]))) this.#database.removeSync(place);
    return expired.length;
  }

  #makeRoom(bytes: number): number {
    let evicted = 0;
    while (this.#totals.bytes > bytes) {
      const oldest = [...this.#database.getRange({ start: ['o'], end: ['p'], limit: EVICTED_AT_ONCE })];
      if (oldest.length === 0) break;
      for (const { key: place, value } of oldest) {
        if (this.#totals.bytes <= bytes) break;
        if (this.#drop(value.toString())) evicted++;
        else this.#database.removeSync(place);
      }
    }
    return evicted;
  }

  #tell(): void {
    const number = ++this.#totals.change;
    this.#database.putSync(['c', number], Buffer.from([this.#by, ...this.#changed].join(' ')));
    this.#database.removeSync(['c', number - CHANGES_KEPT]);
  }

  #save(): void {
    const { bytes, entries, order, change } = this.#totals;
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
  if (which === undefined) return { start: ['e'], end: ['f'] };
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
