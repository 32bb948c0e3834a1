import type { Entry, LedgerHead, LedgerIndex, Shelf } from '../pool/ledger-index.js';
import type { NodeRecord, Place, Rank } from '../pool/node-record.js';
import { Heap } from './heap.js';

/** The ledger of one endpoint in the memory of this process. */
export class MemoryLedger implements LedgerIndex {
  #head: LedgerHead | undefined;
  readonly #shelves = { key: new MemoryShelf(), proxy: new MemoryShelf() };

  head(): LedgerHead | undefined {
    return this.#head;
  }

  setHead(head: LedgerHead): void {
    this.#head = head;
  }

  shelf(kind: 'key' | 'proxy'): Shelf {
    return this.#shelves[kind];
  }
}

/** The two orders of one group. */
class Group {
  readonly ready: Heap<Rank> = new Heap<Rank>(ranksBefore);
  readonly waking: Heap<number> = new Heap<number>((a, b) => a < b);
}

const NOWHERE: Place = { rank: undefined, wakeAtMs: undefined };
const DUE: Place = { rank: undefined, wakeAtMs: 0 };

export class MemoryShelf implements Shelf {
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new Map<string, Group>();
  /** Of each node that stands in the orders. */
  readonly #groupOf = new Map<string, string>();

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  ids(): Iterable<string> {
    return this.#entries.keys();
  }

  put(id: string, group: string, entry: Entry, from: Place | undefined): void {
    const { rank, wakeAtMs } = entry.place;
    const { ready, waking } = this.#group(group);
    this.#entries.set(id, entry);
    if (from === undefined) this.#groupOf.set(id, group);
    if (rank === undefined) ready.delete(id);
    else ready.set(id, rank);
    if (wakeAtMs === from?.wakeAtMs) return;
    if (wakeAtMs === undefined) waking.delete(id);
    else waking.set(id, wakeAtMs);
  }

  /** The record as others have left it: where the node stands in the orders it is due, and so is its account. */
  replace(id: string, record: NodeRecord): void {
    const group = this.#groupOf.get(id);
    this.#entries.set(id, { record, place: group === undefined ? NOWHERE : DUE });
    if (group === undefined) return;
    const { ready, waking } = this.#group(group);
    ready.delete(id);
    waking.set(id, 0);
    const account = this.#entries.get(group);
    if (account !== undefined) this.replace(group, account.record);
  }

  eachReady(group: string, visit: (id: string) => boolean): void {
    this.#group(group).ready.each((id) => visit(id));
  }

  eachWaking(group: string, visit: (id: string, wakeAtMs: number) => boolean): void {
    this.#group(group).waking.each(visit);
  }

  clearPlaces(): void {
    this.#groups.clear();
    this.#groupOf.clear();
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new Group();
      this.#groups.set(name, group);
    }
    return group;
  }
}

function ranksBefore(a: Rank, b: Rank): boolean {
  return (a[0] - b[0] || a[1] - b[1] || a[2] - b[2]) < 0;
}
