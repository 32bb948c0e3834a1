import type { Database, Key } from 'lmdb';
import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { Environment } from '../embedded/environment.js';
import { arrived, giveBack, learn, read, rest, take } from '../pool/ledger.js';
import { LmdbLedger } from './lmdb-ledger.js';
import { noteIn, standingsIn, sweepStandings } from './lmdb-standings.js';
import { opened } from './opened.js';
import type { UsageStore } from './usage-store.js';

interface Opened {
  readonly environment: Environment;
  readonly database: Database<unknown, Key>;
  readonly ledgers: Map<string, LmdbLedger>;
}

/**
 * Counts in the lmdb environment of a `dataDir`, for all processes that share it. `environment` is called at the
 * first use and what it gives stays open.
 */
export function lmdbUsageStore(options: {
  readonly environment: () => Promise<Environment>;
  readonly clock?: Clock;
}): UsageStore {
  const { clock = systemClock } = options;
  async function open(): Promise<Opened> {
    const environment = await options.environment();
    return { environment, database: await environment.openDatabase({ name: 'usage', version: 1 }), ledgers: new Map() };
  }

  const using = opened('embedded usage store', open);

  function transact<T>(doing: string, endpoint: string, action: (ledger: LmdbLedger) => T): Promise<T> {
    return using(doing, (store) => {
      const ledger = ledgerOf(store, endpoint);
      return store.environment.transact(() => action(ledger));
    });
  }

  let swept = false;
  function sweepOnce({ database }: Opened): void {
    if (!swept) sweepStandings(database, clock.now());
    swept = true;
  }

  return {
    take: (demand) => transact('count a use', demand.pool.endpoint, (ledger) => take(ledger, demand, clock.now())),
    giveBack: (ticket) =>
      transact('give a use back', ticket.pool.endpoint, (ledger) => giveBack(ledger, ticket, clock.now())),
    arrived: (ticket) =>
      transact('note an arrival', ticket.pool.endpoint, (ledger) => arrived(ledger, ticket, clock.now())),
    rest: (pool, id, untilMs) =>
      transact('note a rest', pool.endpoint, (ledger) => rest(ledger, pool, id, untilMs, clock.now())),
    // In a transaction: what is read outside of one may be a moment old.
    read: (pool) => transact('read the counts', pool.endpoint, (ledger) => read(ledger, pool, clock.now())),
    learn: (pool, id, limits) =>
      transact('note a quota', pool.endpoint, (ledger) => learn(ledger, pool, id, limits, clock.now())),
    note: (book, id, event) =>
      using('note a standing', (store) =>
        store.environment.transact(() => {
          sweepOnce(store);
          return noteIn(store.database, { book, id }, event, clock.now());
        }),
      ),
    standings: (book) =>
      using('read the standings', ({ environment, database }) =>
        environment.transact(() => standingsIn(database, book)),
      ),
    close: async () => {},
  };
}

function ledgerOf({ ledgers, database }: Opened, endpoint: string): LmdbLedger {
  let ledger = ledgers.get(endpoint);
  if (ledger === undefined) {
    ledger = new LmdbLedger(database, endpoint);
    ledgers.set(endpoint, ledger);
  }
  return ledger;
}
