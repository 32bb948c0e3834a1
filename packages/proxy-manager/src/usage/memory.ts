import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import { arrived, giveBack, learn, read, rest, take } from '../pool/ledger.js';
import { MemoryLedger } from './memory-ledger.js';
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
