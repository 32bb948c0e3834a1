import type { Database, Key } from 'lmdb';
import type { Entry, LedgerHead, LedgerIndex, Shelf } from '../pool/ledger-index.js';
import type { Place } from '../pool/meter-record.js';
import { keyPart } from './lmdb-key.js';
import type { PackedEntry } from './packed-entry.js';
import { packEntry, unpackEntry } from './packed-entry.js';

/** The ledger of one endpoint in an lmdb database; its verbs stand inside a transaction. */
export class LmdbLedger implements LedgerIndex {
  readonly #database: Database<unknown, Key>;
  readonly #headKey: Key;
  readonly #shelves: { readonly key: Shelf; readonly proxy: Shelf };

  constructor(database: Database<unknown, Key>, endpoint: string) {
    const ledger = keyPart(endpoint);
    this.#database = database;
    this.#headKey = [ledger, 'head'];
    this.#shelves = {
      key: new LmdbShelf(database, ledger, 'key'),
      proxy: new LmdbShelf(database, ledger, 'proxy'),
    };
  }

  head(): LedgerHead | undefined {
    return this.#database.get(this.#headKey) as LedgerHead | undefined;
  }

  setHead(head: LedgerHead): void {
    this.#database.putSync(this.#headKey, head);
  }

  shelf(kind: 'key' | 'proxy'): Shelf {
    return this.#shelves[kind];
  }
}

class LmdbShelf implements Shelf {
  readonly #database: Database<unknown, Key>;
  readonly #meters: readonly [string, string];
  readonly #ready: readonly [string, string];
  readonly #waking: readonly [string, string];

  constructor(database: Database<unknown, Key>, ledger: string, kind: string) {
    this.#database = database;
    this.#meters = [ledger, `${kind}-meter`];
    this.#ready = [ledger, `${kind}-ready`];
    this.#waking = [ledger, `${kind}-waking`];
  }

  get(id: string): Entry | undefined {
    const packed = this.#database.get([...this.#meters, keyPart(id)]) as PackedEntry | undefined;
    return packed === undefined ? undefined : unpackEntry(packed);
  }

  put(id: string, entry: Entry, from: Place | undefined): void {
    const { rank, wakeAtMs } = entry.place;
    if (from?.rank !== undefined) this.#database.removeSync([...this.#ready, ...from.rank]);
    if (rank !== undefined) this.#database.putSync([...this.#ready, ...rank], id);
    if (from?.wakeAtMs !== wakeAtMs) {
      if (from?.wakeAtMs !== undefined) this.#database.removeSync([...this.#waking, from.wakeAtMs, keyPart(id)]);
      if (wakeAtMs !== undefined) this.#database.putSync([...this.#waking, wakeAtMs, keyPart(id)], id);
    }
    this.#database.putSync([...this.#meters, keyPart(id)], packEntry(entry));
  }

  eachReady(visit: (id: string) => boolean): void {
    for (const { value } of this.#database.getRange(within(this.#ready))) {
      if (visit(value as string)) return;
    }
  }

  eachWaking(visit: (id: string, wakeAtMs: number) => boolean): void {
    const at = this.#waking.length;
    for (const { key, value } of this.#database.getRange(within(this.#waking))) {
      if (visit(value as string, (key as Key[])[at] as number)) return;
    }
  }

  clearPlaces(): void {
    for (const order of [this.#ready, this.#waking]) {
      // Gathered first: a cursor does not stand still while its entries go.
      const keys = Array.from(this.#database.getKeys(within(order)));
      for (const key of keys) this.#database.removeSync(key);
    }
  }
}

/** The keys that continue `prefix`, whose last part is a name: no other name lies between it and itself with a `~`. */
function within(prefix: readonly [ledger: string, name: string]): { start: Key; end: Key } {
  return { start: [...prefix], end: [prefix[0], `${prefix[1]}~`] };
}
