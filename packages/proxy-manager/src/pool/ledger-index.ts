import type { NodeRecord, Place } from './node-record.js';

/** What a ledger remembers of one endpoint as a whole. */
export interface LedgerHead {
  /** The last number given: takes are numbered, and batches by the take they began with. */
  readonly takes: number;
  /** The latest time seen, in epoch ms: the ledger's clock goes back only where it was far ahead. */
  readonly nowMs: number;
  readonly key: SectionHead;
  readonly proxy: SectionHead;
}

export interface SectionHead {
  /** By which meters and limits the kind is indexed: where it is not the asker's, the asker indexes anew. */
  readonly stamp: string;
  /** Before this no node is to be looked at anew, in epoch ms. */
  readonly quietUntilMs: number;
}

/** A node with its record and its place in the orders. */
export interface Entry {
  readonly record: NodeRecord;
  readonly place: Place;
}

/**
 * The nodes of one endpoint and kind, by id and in two orders for each group ('': accounts, and meters without one; else
 * the meters of the account of that id). Synchronous and, while one ledger function runs, nobody else's: a store gives
 * it out inside its own lock or transaction.
 */
export interface Shelf {
  get(id: string): Entry | undefined;
  /** Of all nodes that were ever stored. */
  ids(): Iterable<string>;
  /** Stores the entry and moves it within the orders of `group` from the place it had, `from`, to its own. */
  put(id: string, group: string, entry: Entry, from: Place | undefined): void;
  /** Visits the ready ones of a group, lowest rank first, until `visit` gives true. It may not change the orders. */
  eachReady(group: string, visit: (id: string) => boolean): void;
  /** Visits those of a group with a wake time, earliest first, until `visit` gives true. It may not change the orders. */
  eachWaking(group: string, visit: (id: string, wakeAtMs: number) => boolean): void;
  /** Empties all orders and keeps the records. */
  clearPlaces(): void;
}

/** The ledger of one endpoint, as a store keeps it. */
export interface LedgerIndex {
  head(): LedgerHead | undefined;
  setHead(head: LedgerHead): void;
  shelf(kind: 'key' | 'proxy'): Shelf;
}
