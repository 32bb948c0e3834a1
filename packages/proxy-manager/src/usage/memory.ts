import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { Entry, LedgerHead, LedgerIndex, Shelf } from '../pool/ledger-index.js';
import { arrived, giveBack, learn, read, rest, take } from '../pool/ledger.js';
import type { Place, Rank } from '../pool/node-record.js';
import { Heap } from './heap.js';
import { memoryStandings } from './memory-standings.js';
import type { UsageStore } from './usage-store.js';

/** Counts in this process alone, for as long as it lives. */
export function memoryUsageStore({ clock = systemClock }: { readonly clock?: Clock } = {}): UsageStore {
  const ledgers = new Map<string, MemoryLedger>();
  const ledgerOf = (endpoint: string): MemoryLedger => {
    let ledger = ledgers.get(endpoint);
    if (ledger === undefined) {
      ledger = new MemoryLedger();
      ledgers.set(endpoint, ledger);
    }
    return ledger;
  };
  return {
    take: async (demand) => take(ledgerOf(demand.pool.endpoint), demand, clock.now()),
    giveBack: async (ticket) => giveBack(ledgerOf(ticket.pool.endpoint), ticket, clock.now()),
    arrived: async (ticket) => arrived(ledgerOf(ticket.pool.endpoint), ticket, clock.now()),
    rest: async (pool, id, untilMs) => rest(ledgerOf(pool.endpoint), pool, id, untilMs, clock.now()),
    learn: async (pool, id, limits) => learn(ledgerOf(pool.endpoint), pool, id, limits, clock.now()),
    read: async (pool) => read(ledgerOf(pool.endpoint), pool, clock.now()),
    ...memoryStandings(clock),
    close: async () => {},
  };
}

class MemoryLedger implements LedgerIndex {
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

class MemoryShelf implements Shelf {
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new Map<string, Group>();

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
    if (rank === undefined) ready.delete(id);
    else ready.set(id, rank);
    if (wakeAtMs === from?.wakeAtMs) return;
    if (wakeAtMs === undefined) waking.delete(id);
    else waking.set(id, wakeAtMs);
  }

  eachReady(group: string, visit: (id: string) => boolean): void {
    this.#group(group).ready.each((id) => visit(id));
  }

  eachWaking(group: string, visit: (id: string, wakeAtMs: number) => boolean): void {
    this.#group(group).waking.each(visit);
  }

  clearPlaces(): void {
    this.#groups.clear();
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
