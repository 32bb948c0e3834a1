import type { Database, Key } from 'lmdb';
import type { Entry, LedgerHead, LedgerIndex, Shelf } from '../pool/ledger-index.js';
import type { Place } from '../pool/node-record.js';
import { keyPart } from './lmdb-key.js';
import type { PackedEntry, PackedHead } from './packed-entry.js';
import { packEntry, packHead, unpackEntry, unpackHead } from './packed-entry.js';

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
    const packed = this.#database.get(this.#headKey) as PackedHead | undefined;
    return packed === undefined ? undefined : unpackHead(packed);
  }

  setHead(head: LedgerHead): void {
    this.#database.putSync(this.#headKey, packHead(head));
  }

  shelf(kind: 'key' | 'proxy'): Shelf {
    return this.#shelves[kind];
  }
}

class LmdbShelf implements Shelf {
  readonly #database: Database<unknown, Key>;
  readonly #nodes: readonly [string, string];
  readonly #ready: readonly [string, string];
  readonly #waking: readonly [string, string];

  constructor(database: Database<unknown, Key>, ledger: string, kind: string) {
    this.#database = database;
    this.#nodes = [ledger, `${kind}-node`];
    this.#ready = [ledger, `${kind}-ready`];
    this.#waking = [ledger, `${kind}-waking`];
  }

  get(id: string): Entry | undefined {
    const packed = this.#database.get([...this.#nodes, keyPart(id)]) as PackedEntry | undefined;
    return packed === undefined ? undefined : unpackEntry(packed);
  }

  *ids(): Generator<string> {
    for (const key of this.#database.getKeys(within(this.#nodes))) yield (key as string[])[this.#nodes.length] ?? '';
  }

  put(id: string, group: string, entry: Entry, from: Place | undefined): void {
    const { rank, wakeAtMs } = entry.place;
    const name = keyPart(group);
    if (from?.rank !== undefined) this.#database.removeSync([...this.#ready, name, ...from.rank]);
    if (rank !== undefined) this.#database.putSync([...this.#ready, name, ...rank], id);
    if (from?.wakeAtMs !== wakeAtMs) {
      if (from?.wakeAtMs !== undefined) this.#database.removeSync([...this.#waking, name, from.wakeAtMs, keyPart(id)]);
      if (wakeAtMs !== undefined) this.#database.putSync([...this.#waking, name, wakeAtMs, keyPart(id)], id);
    }
    this.#database.putSync([...this.#nodes, keyPart(id)], packEntry(entry));
  }

  eachReady(group: string, visit: (id: string) => boolean): void {
    for (const { value } of this.#database.getRange(within([...this.#ready, keyPart(group)]))) {
      if (visit(value as string)) return;
    }
  }

  eachWaking(group: string, visit: (id: string, wakeAtMs: number) => boolean): void {
    const prefix = [...this.#waking, keyPart(group)];
    for (const { key, value } of this.#database.getRange(within(prefix))) {
      if (visit(value as string, (key as Key[])[prefix.length] as number)) return;
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

/** The keys that continue `prefix`: a NUL parts it from what follows, and no name lies between that and a \x01. */
function within(prefix: readonly string[]): { start: Key; end: Key } {
  return { start: [...prefix], end: [...prefix.slice(0, -1), `${prefix.at(-1)}\x01`] };
}
