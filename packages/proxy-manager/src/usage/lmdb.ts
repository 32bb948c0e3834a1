import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { Environment } from '../embedded/environment.js';
import type { ExactDatabase, ExactRoot } from '../embedded/exact-database.js';
import { ProxyManagerError, StoreError } from '../errors.js';
import { arrived, giveBack, read, rest, take } from '../pool/ledger.js';
import { LmdbLedger } from './lmdb-ledger.js';
import type { UsageStore } from './usage-store.js';

/**
 * Counts in the lmdb environment of a `dataDir`, for all processes that share it. `environment` is called at the
 * first use and what it gives stays open.
 */
export function lmdbUsageStore(options: {
  readonly environment: () => Promise<Environment>;
  readonly clock?: Clock;
}): UsageStore {
  const { clock = systemClock } = options;
  let opening: Promise<ExactDatabase> | undefined;

  async function using<T>(doing: string, work: (database: ExactDatabase) => Promise<T>): Promise<T> {
    try {
      opening ??= options.environment().then(
        (environment) => environment.openExact({ name: 'usage', version: 1 }),
        (error: unknown) => {
          opening = undefined;
          throw error;
        },
      );
      return await work(await opening);
    } catch (error) {
      throw error instanceof ProxyManagerError ? error : new StoreError('embedded usage store', doing, error);
    }
  }

  function transact<T>(doing: string, endpoint: string, action: (ledger: LmdbLedger) => T): Promise<T> {
    return using(doing, (database) => database.transact((root) => action(ledgerOf(root, endpoint))));
  }

  return {
    take: (demand) => transact('count a use', demand.pool.endpoint, (ledger) => take(ledger, demand, clock.now())),
    giveBack: (ticket) =>
      transact('give a use back', ticket.pool.endpoint, (ledger) => giveBack(ledger, ticket, clock.now())),
    arrived: (ticket) =>
      transact('note an arrival', ticket.pool.endpoint, (ledger) => arrived(ledger, ticket, clock.now())),
    rest: (pool, id, untilMs) =>
      transact('note a rest', pool.endpoint, (ledger) => rest(ledger, pool, id, untilMs, clock.now())),
    // Under the write lock, since a snapshot may be older than the newest commit: see ExactDatabase.
    read: (pool) => transact('read the counts', pool.endpoint, (ledger) => read(ledger, pool, clock.now())),
    close: async () => {},
  };
}

const ledgers = new WeakMap<ExactRoot, Map<string, LmdbLedger>>();

function ledgerOf(root: ExactRoot, endpoint: string): LmdbLedger {
  let known = ledgers.get(root);
  if (known === undefined) {
    known = new Map();
    ledgers.set(root, known);
  }
  let ledger = known.get(endpoint);
  if (ledger === undefined) {
    ledger = new LmdbLedger(root, endpoint);
    known.set(endpoint, ledger);
  }
  return ledger;
}
