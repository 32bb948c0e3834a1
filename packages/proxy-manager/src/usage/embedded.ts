import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Database, Key } from 'lmdb';
import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { Environment } from '../embedded/environment.js';
import { arrived, giveBack, learn, read, rest, take } from '../pool/ledger.js';
import { Journal } from './journal.js';
import { Generations } from './journal-generations.js';
import type { JournalLedger } from './journal-ledger.js';
import { noteIn, standingsIn, sweepStandings } from './embedded-standings.js';
import { opened } from './opened.js';
import type { UsageStore } from './usage-store.js';

export interface EmbeddedUsageOptions {
  /** Asked at the first use; what it gives stays open when the store closes. */
  readonly environment: () => Promise<Environment>;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /**
   * A journal that is longer, and several times as long as what it began with, is begun anew.
   * @default 1 MiB
   */
  readonly journalBytes?: number;
}

interface Opened {
  readonly environment: Environment;
  readonly database: Database<unknown, Key>;
}

const JOURNAL_BYTES = 1024 * 1024;
/** Of the standings, and of the journals: neither is of use to a release that keeps the other one differently. */
const VERSION = 2;

/**
 * Counts in a `dataDir`, for all processes that share it: those of each endpoint in a journal, and standings in lmdb.
 */
export function embeddedUsageStore(options: EmbeddedUsageOptions): UsageStore {
  const { clock = systemClock, journalBytes = JOURNAL_BYTES } = options;
  const journals = new Map<string, Journal>();
  async function open(): Promise<Opened> {
    const environment = await options.environment();
    return { environment, database: await environment.openDatabase({ name: 'usage', version: VERSION }) };
  }

  const using = opened('embedded usage store', open);

  function onLedger<T>(doing: string, endpoint: string, action: (ledger: JournalLedger) => T): Promise<T> {
    return using(doing, ({ environment }) => {
      let journal = journals.get(endpoint);
      if (journal === undefined) {
        const directory = join(environment.dataDir, 'counts', `usage-v${VERSION}`, directoryName(endpoint));
        journal = new Journal(new Generations(environment, directory), journalBytes);
        journals.set(endpoint, journal);
      }
      return journal.run(action);
    });
  }

  let swept = false;
  function sweepOnce({ database }: Opened): void {
    if (!swept) sweepStandings(database, clock.now());
    swept = true;
  }

  return {
    take: (demand) => onLedger('count a use', demand.pool.endpoint, (ledger) => take(ledger, demand, clock.now())),
    giveBack: (ticket) =>
      onLedger('give a use back', ticket.pool.endpoint, (ledger) => giveBack(ledger, ticket, clock.now())),
    arrived: (ticket) =>
      onLedger('note an arrival', ticket.pool.endpoint, (ledger) => arrived(ledger, ticket, clock.now())),
    rest: (pool, id, untilMs) =>
      onLedger('note a rest', pool.endpoint, (ledger) => rest(ledger, pool, id, untilMs, clock.now())),
    read: (pool) => onLedger('read the counts', pool.endpoint, (ledger) => read(ledger, pool, clock.now())),
    learn: (pool, id, limits) =>
      onLedger('note a quota', pool.endpoint, (ledger) => learn(ledger, pool, id, limits, clock.now())),
    note: (book, id, event) =>
      using('note a standing', (store) =>
        store.environment.transact(() => {
          sweepOnce(store);
          return noteIn(store.database, { book, id }, event, clock.now());
        }),
      ),
    // What is read outside of a transaction may be a moment old.
    standings: (book) =>
      using('read the standings', ({ environment, database }) => environment.locked(() => standingsIn(database, book))),
    async close() {
      const all = [...journals.values()];
      journals.clear();
      await Promise.all(all.map((journal) => journal.close()));
    },
  };
}

/** To be recognised by people, and one name for each endpoint wherever names are told apart by less. */
function directoryName(endpoint: string): string {
  const hash = createHash('sha256').update(endpoint).digest('hex').slice(0, 16);
  return `${endpoint.replaceAll(/[^\w-]/g, '_').slice(0, 40)}-${hash}`;
}
