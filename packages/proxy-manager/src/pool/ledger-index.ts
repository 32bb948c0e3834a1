import type { MeterRecord, Place } from './meter-record.js';

/** What a ledger remembers of one endpoint as a whole. */
export interface LedgerHead {
  /** The number of the last take. */
  readonly takes: number;
  /** The latest time seen, in epoch ms: the ledger's clock goes back only where it was far ahead. */
  readonly nowMs: number;
  /** By which meters and limits each kind is indexed: where it is not the asker's, the asker indexes anew. */
  readonly stamps: { readonly [kind: string]: string | undefined };
}

/** A meter with its record and its place in the indexes. */
export interface Entry {
  readonly record: MeterRecord;
  readonly place: Place;
}

/**
 * The meters of one endpoint and kind, by id and in two orders. Synchronous and, while one ledger function runs,
 * nobody else's: a store gives it out inside its own lock or transaction.
 */
export interface Shelf {
  get(id: string): Entry | undefined;
  /** Stores the entry and moves it from the place it had, `from`, to its own. */
  put(id: string, entry: Entry, from: Place | undefined): void;
  /** Visits the ready ones, lowest rank first, until `visit` gives true. */
  eachReady(visit: (id: string) => boolean): void;
  /** Visits those with a wake time, earliest first, until `visit` gives true. */
  eachWaking(visit: (id: string, wakeAtMs: number) => boolean): void;
  /** Empties both orders and keeps the records. */
  clearPlaces(): void;
}

/** The ledger of one endpoint, as a store keeps it. */
export interface LedgerIndex {
  head(): LedgerHead | undefined;
  setHead(head: LedgerHead): void;
  shelf(kind: 'key' | 'proxy'): Shelf;
}
