import { createHash } from 'node:crypto';
import type { Client } from '@elastic/elasticsearch';
import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import { lastUsed } from '../last-used.js';
import { arrived, giveBack, learn, read, rest, take } from '../pool/ledger.js';
import type { Standing } from '../pool/standing.js';
import { afterEvent, FORGOTTEN_MS } from '../pool/standing.js';
import { elasticsearchPlace } from './elasticsearch-place.js';
import { ledgerForm } from './ledger-document.js';
import { assertFits } from './ledger-size.js';
import type { MemoryLedger } from './memory-ledger.js';
import type { Effect } from './shared-document.js';
import { SharedDocument } from './shared-document.js';
import { standingsForm } from './standings-document.js';
import { opened } from './opened.js';
import type { Pool, UsageStore } from './usage-store.js';

export interface ElasticsearchUsageOptions {
  /** Asked at the first use; it stays open when the store closes. */
  readonly client: () => Promise<Client>;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Run before the first use, and again where it failed: makes sure that the index has its mappings. Default: nothing. */
  readonly prepare?: ((client: Client) => Promise<void>) | undefined;
  /**
   * A concrete index: an alias over several cannot serve a get by id.
   * @default 'proxy_manager-usage-v1'
   */
  readonly index?: string;
}

/** So many endpoints and books are kept at hand; of another one the document is read first. */
const KEPT = 1_000;

/**
 * Counts in Elasticsearch, one document per endpoint, for all machines that share it, each by its own clock. Every change
 * is a write of the whole document over just the version that it was made from. A pool whose counts could come to more
 * than 1 MiB is a `ConfigError`.
 */
export function elasticsearchUsageStore(options: ElasticsearchUsageOptions): UsageStore {
  const { clock = systemClock, prepare, index = 'proxy_manager-usage-v1' } = options;
  const ledgers = lastUsed<SharedDocument<MemoryLedger>>(KEPT);
  const books = lastUsed<SharedDocument<Map<string, Standing>>>(KEPT);
  async function open(): Promise<Client> {
    const client = await options.client();
    await prepare?.(client);
    return client;
  }

  const using = opened('elasticsearch usage store', open);

  async function onLedger<T>(doing: string, pool: Pool, verb: (ledger: MemoryLedger) => Effect<T>): Promise<T> {
    assertFits(pool);
    return using(doing, (client) => {
      let ledger = ledgers.get(pool.endpoint);
      if (ledger === undefined) {
        const place = elasticsearchPlace(client, index, idOf('ledger', pool.endpoint));
        ledger = new SharedDocument(place, ledgerForm(pool.endpoint));
        ledgers.set(pool.endpoint, ledger);
      }
      return ledger.apply(verb);
    });
  }

  function onBook<T>(doing: string, name: string, verb: (book: Map<string, Standing>) => Effect<T>): Promise<T> {
    return using(doing, (client) => {
      let book = books.get(name);
      if (book === undefined) {
        book = new SharedDocument(elasticsearchPlace(client, index, idOf('book', name)), standingsForm(name));
        books.set(name, book);
      }
      return book.apply(verb);
    });
  }

  return {
    take: (demand) =>
      onLedger('count a use', demand.pool, (ledger) => {
        const beforeMs = ledger.head()?.nowMs ?? 0;
        const answer = take(ledger, demand, clock.now());
        // A clock that was set right is worth a write too: windows are brought back once, and run from then.
        return { answer, changed: answer.granted || (ledger.head()?.nowMs ?? 0) < beforeMs };
      }),
    giveBack: (ticket) =>
      onLedger('give a use back', ticket.pool, (ledger) => changed(giveBack(ledger, ticket, clock.now()))),
    arrived: (ticket) =>
      onLedger('note an arrival', ticket.pool, (ledger) => changed(arrived(ledger, ticket, clock.now()))),
    rest: (pool, id, untilMs) =>
      onLedger('note a rest', pool, (ledger) => changed(rest(ledger, pool, id, untilMs, clock.now()))),
    learn: (pool, id, limits) =>
      onLedger('note a quota', pool, (ledger) => changed(learn(ledger, pool, id, limits, clock.now()))),
    read: (pool) =>
      onLedger('read the counts', pool, (ledger) => ({ answer: read(ledger, pool, clock.now()), changed: false })),
    note: (name, id, event) =>
      onBook('note a standing', name, (book) => {
        const noted = afterEvent(book.get(id), event, clock.now());
        if (!noted.changed) return { answer: noted, changed: false };
        forget(book, clock.now());
        if (noted.standing === undefined) book.delete(id);
        else book.set(id, noted.standing);
        return { answer: noted, changed: true };
      }),
    standings: (name) => onBook('read the standings', name, (book) => ({ answer: new Map(book), changed: false })),
    close: async () => {},
  };
}

function changed<T>(answer: T): Effect<T> {
  return { answer, changed: true };
}

function forget(book: Map<string, Standing>, nowMs: number): void {
  for (const [id, { untilMs }] of book) if (untilMs + FORGOTTEN_MS <= nowMs) book.delete(id);
}

/** Names may be longer than an id, of at most 512 bytes. */
function idOf(kind: string, name: string): string {
  return `${kind}:${createHash('sha256').update(name).digest('hex')}`;
}
