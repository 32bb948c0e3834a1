import type { Database, Key } from 'lmdb';
import type { CacheListing, CacheSelector } from './cache-store.js';
import type { Reference } from './lmdb-reference.js';
import { packReference, readReference } from './lmdb-reference.js';
import type { Meta } from './lmdb-row.js';
import { isRowOf, readMeta, readRecord, toRow } from './lmdb-row.js';
import type { LmdbSnapshot } from './lmdb-snapshot.js';
import { keyPlace, MOST_INDEXED, tagPlace } from './places.js';
import { selects } from './selector.js';

/*
 * The cache's database in lmdb, one for all of it, so that each change is one transaction. PLACE is the key as a number
 * (places.ts); most of what a change costs is the pages that it touches, so entries lie in the order in which they are
 * stored, and only what finds them lies by its key:
 *
 * e NUMBER            an entry: what is known of it without reading its record, and the record (lmdb-row.ts)
 * b PLACE             the record, where it is too long for that row
 * k PLACE             the entry's number, that of its last use, and its end (lmdb-reference.ts)
 * u URL PLACE         nothing, with the beginning of the url: entries by url
 * t TAG PLACE         nothing: entries by tag
 * c NUMBER            a change: who made it and the keys, for those who keep copies
 * d                   the totals; beside the newest change, so that both are on one page
 */

export type NewEntry = Pick<Meta, 'expiresAtMs' | 'method' | 'tags' | 'url'>;

export interface Limits {
  readonly maxBytes: number;
  readonly nowMs: number;
}

interface Totals {
  bytes: number;
  entries: number;
  /** Of the newest entry or use. */
  number: number;
  /** The number of the newest change. */
  change: number;
  /** No entry ends before this, in epoch ms. */
  soonestMs: number;
  /** The place up to which this round has looked for expired entries, and the soonest end of those that it left. */
  swept: number;
  leftMs: number;
}

export interface Change {
  readonly by: string;
  readonly keys: readonly string[];
}

interface Found {
  readonly reference: Reference;
  readonly meta: Meta | undefined;
}

const PAGE_BYTES = 4096;
/** A longer record has a row of its own, on pages of its own. */
const MOST_INLINE = 1_500;
/** The keys of one entry in all lists, and lmdb's own words about them. */
const OVERHEAD_BYTES = 512;
/** Entries that a transaction looks at for expired ones, and how many for each that it stores. */
const SWEPT_AT_ONCE = 20;
const SWEPT_FOR_EACH = 2;
/** Who is further behind forgets all copies. */
const CHANGES_KEPT = 2_000;
const EVICTED_AT_ONCE = 16;
/** In one transaction: others wait for it. */
const MOST_MOVED = 200;

const NOTHING = Buffer.alloc(0);
const NO_TOTALS: Totals = {
  bytes: 0,
  entries: 0,
  number: 0,
  change: 0,
  soonestMs: Infinity,
  swept: 0,
  leftMs: Infinity,
};
const TOTALS: Key = ['d'];
const CHANGE_AT = 24;

/** What the cache's database holds and in which order. */
export class LmdbShelf {
  readonly #database: Database<Buffer, Key>;
  readonly #snapshot: LmdbSnapshot;
  readonly #by: string;
  #totals: Totals = NO_TOTALS;
  readonly #changed = new Set<string>();
  #stored = 0;

  /** `by` names who makes the changes. */
  constructor(database: Database<Buffer, Key>, snapshot: LmdbSnapshot, by: string) {
    this.#database = database;
    this.#snapshot = snapshot;
    this.#by = by;
  }

  record(key: string): Buffer | undefined {
    const place = keyPlace(key);
    const number = this.#reference(place)?.number;
    const row = number === undefined ? undefined : this.#database.getBinary(['e', number]);
    if (row === undefined || !isRowOf(key, row)) return undefined;
    return readRecord(row) ?? this.#database.getBinary(['b', place]) ?? NOTHING;
  }

  /** Whether there is an entry, as the processes have left it by now; another key of its place counts, too. */
  mayHave(key: string): boolean {
    this.#snapshot.renew();
    return this.#reference(keyPlace(key)) !== undefined;
  }

  /** The record as the processes have left it by now, and not as the present read transaction sees it. */
  newestRecord(key: string): Buffer | undefined {
    this.#snapshot.renew();
    return this.record(key);
  }

  /** The newest change; cheap, to be asked at every use of a copy. */
  get change(): number {
    return this.#database.getBinaryFast(TOTALS)?.readDoubleLE(CHANGE_AT) ?? 0;
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
    if (packed === undefined) return { ...NO_TOTALS };
    return {
      bytes: packed.readDoubleLE(0),
      entries: packed.readDoubleLE(8),
      number: packed.readDoubleLE(16),
      change: packed.readDoubleLE(CHANGE_AT),
      soonestMs: packed.readDoubleLE(32),
      swept: packed.readDoubleLE(40),
      leftMs: packed.readDoubleLE(48),
    };
  }

  /** The totals as the processes have left them by now. */
  newestTotals(): Totals {
    this.#snapshot.renew();
    return this.totals();
  }

  /**
   * Runs `action`, inside a transaction, and makes room for what it stores; how many entries had to go for that. Those of
   * the verbs below that change something are called by `action` alone.
   */
  alter(action: () => void, { maxBytes, nowMs }: Limits): number {
    this.#totals = this.totals();
    this.#changed.clear();
    this.#stored = 0;
    const { number } = this.#totals;
    action();
    if (this.#stored > 0) this.#sweep(nowMs);
    const evicted = this.#makeRoom(maxBytes);
    if (this.#changed.size > 0) this.#tell();
    if (this.#changed.size > 0 || evicted > 0 || this.#totals.number !== number) this.#save();
    return evicted;
  }

  /** Stores the record; one beyond `maxBytes` replaces nothing but itself. */
  put(key: string, record: Buffer, entry: NewEntry, maxBytes: number): void {
    const place = keyPlace(key);
    const bytes = bytesOf(record, entry);
    this.#drop(place);
    this.#changed.add(key);
    if (bytes > maxBytes) return;
    const { method, url, tags, expiresAtMs } = entry;
    const isInline = record.byteLength <= MOST_INLINE;
    this.#add(place, record, { key, method, url, tags, expiresAtMs, bytes, isInline });
  }

  removeExpired(key: string, nowMs: number): void {
    const reference = this.#reference(keyPlace(key));
    if (reference !== undefined && nowMs >= reference.expiresAtMs) this.remove([key]);
  }

  remove(keys: readonly string[]): number {
    const there = keys.filter((key) => this.#drop(keyPlace(key)));
    for (const key of there) this.#changed.add(key);
    return there.length;
  }

  /** The last of `keys` becomes the most recently used one. */
  use(keys: readonly string[]): void {
    for (const key of keys) {
      const place = keyPlace(key);
      const reference = this.#reference(place);
      if (reference !== undefined) this.#refer(place, { ...reference, used: ++this.#totals.number });
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
    const listings = places.flatMap((at) => {
      const meta = this.#find((at as readonly unknown[]).at(-1) as number)?.meta;
      if (meta === undefined || !selects(which, meta)) return [];
      const { key, method, url, tags, bytes, expiresAtMs } = meta;
      return [{ key, method, url, tags, bytes, expiresAtMs }];
    });
    return { listings, next: places.length < limit ? undefined : places.at(-1) };
  }

  #reference(place: number): Reference | undefined {
    const packed = this.#database.getBinaryFast(['k', place]);
    return packed && readReference(packed);
  }

  #refer(place: number, reference: Reference): void {
    this.#database.putSync(['k', place], packReference(reference));
  }

  #find(place: number): Found | undefined {
    const reference = this.#reference(place);
    if (reference === undefined) return undefined;
    const row = this.#database.getBinaryFast(['e', reference.number]);
    return { reference, meta: row && readMeta(row) };
  }

  #add(place: number, record: Buffer, meta: Meta): void {
    const database = this.#database;
    const number = ++this.#totals.number;
    this.#refer(place, { number, used: number, expiresAtMs: meta.expiresAtMs });
    database.putSync(['e', number], toRow(meta, record));
    if (!meta.isInline) database.putSync(['b', place], record);
    for (const at of listed(place, meta)) database.putSync(at, NOTHING);
    this.#stored += 1;
    const totals = this.#totals;
    totals.bytes += meta.bytes;
    totals.entries += 1;
    totals.soonestMs = Math.min(totals.soonestMs, meta.expiresAtMs);
    totals.leftMs = Math.min(totals.leftMs, meta.expiresAtMs);
  }

  #drop(place: number): boolean {
    const found = this.#find(place);
    if (found === undefined) return false;
    const { reference, meta } = found;
    const rows: Key[] = [
      ['k', place],
      ['e', reference.number],
    ];
    if (meta?.isInline !== true) rows.push(['b', place]);
    if (meta !== undefined) rows.push(...listed(place, meta));
    for (const row of rows) this.#database.removeSync(row);
    this.#totals.bytes -= meta?.bytes ?? 0;
    this.#totals.entries -= 1;
    return true;
  }

  /**
   * Once something may have expired it goes round, looking at more than are stored: an order by their ends would cost
   * each entry another row.
   */
  #sweep(nowMs: number): void {
    const totals = this.#totals;
    if (nowMs < totals.soonestMs) return;
    const limit = Math.max(SWEPT_AT_ONCE, this.#stored * SWEPT_FOR_EACH);
    const seen = Array.from(this.#database.getRange({ start: ['k', totals.swept], end: ['l'], limit }));
    for (const { key, value } of seen) {
      const [, place] = key as [string, number];
      const { expiresAtMs } = readReference(value);
      if (nowMs >= expiresAtMs) this.#drop(place);
      else totals.leftMs = Math.min(totals.leftMs, expiresAtMs);
      totals.swept = place + 1;
    }
    if (seen.length === limit) return;
    totals.soonestMs = totals.leftMs;
    totals.swept = 0;
    totals.leftMs = Infinity;
  }

  /** Those go that were stored the longest ago; one that was used since then is put where its last use is instead. */
  #makeRoom(maxBytes: number): number {
    let evicted = 0;
    let moved = 0;
    while (this.#totals.bytes > maxBytes) {
      const oldest = Array.from(this.#database.getRange({ start: ['e'], end: ['f'], limit: EVICTED_AT_ONCE }));
      // Damaged rows told no longer how much they counted.
      if (oldest.length === 0) Object.assign(this.#totals, { bytes: 0, entries: 0 });
      for (const { key: at, value: row } of oldest) {
        if (this.#totals.bytes <= maxBytes) break;
        const meta = readMeta(row);
        const place = meta === undefined ? 0 : keyPlace(meta.key);
        const reference = this.#reference(place);
        // Damaged: nobody finds it any more.
        if (reference?.number !== (at as [string, number])[1]) this.#database.removeSync(at);
        else if (reference.used > reference.number && moved < MOST_MOVED) {
          this.#move(place, reference, row);
          moved++;
          // Its turn may come among these.
          const next = oldest.findIndex(({ key }) => (key as [string, number])[1] > reference.used);
          if (next !== -1) oldest.splice(next, 0, { key: ['e', reference.used], value: row });
        } else if (this.#drop(place)) evicted++;
      }
    }
    return evicted;
  }

  #move(place: number, { number, used, expiresAtMs }: Reference, row: Buffer): void {
    this.#database.removeSync(['e', number]);
    this.#database.putSync(['e', used], row);
    this.#refer(place, { number: used, used, expiresAtMs });
  }

  #tell(): void {
    const number = ++this.#totals.change;
    this.#database.putSync(['c', number], Buffer.from([this.#by, ...this.#changed].join(' ')));
    this.#database.removeSync(['c', number - CHANGES_KEPT]);
  }

  #save(): void {
    const { bytes, entries, number, change, soonestMs, swept, leftMs } = this.#totals;
    const packed = Buffer.allocUnsafe(56);
    [bytes, entries, number, change, soonestMs, swept, leftMs].forEach((each, index) =>
      packed.writeDoubleLE(each, index * 8),
    );
    this.#database.putSync(TOTALS, packed);
  }
}

function listed(place: number, { url, tags }: NewEntry): Key[] {
  return [
    ['u', url.slice(0, MOST_INDEXED), place],
    ...[...new Set(tags)].map((tag): Key => ['t', tagPlace(tag), place]),
  ];
}

function rangeOf(which: CacheSelector | undefined): { start: Key; end: Key } {
  if (which === undefined) return { start: ['k'], end: ['l'] };
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
