import type { Client } from '@elastic/elasticsearch';
import type { Clock } from '../clock.js';
import { StoreError } from '../errors.js';
import { breaker } from '../breaker.js';
import type { CacheEntry, CacheListing, CacheSelector, CacheStore } from './cache-store.js';
import type { CacheDocument } from './elasticsearch-document.js';
import { fromDocument, toDocument } from './elasticsearch-document.js';
import type { Version } from './elasticsearch-leases.js';
import { elasticsearchLeases } from './elasticsearch-leases.js';
import { isAlive } from './lifetime.js';
import { Pending } from './pending.js';
import { selects } from './selector.js';
import { Tally } from './tally.js';
import { attempt } from './within-budget.js';

export interface ElasticsearchCacheOptions {
  /** Asked on first use; it stays open when the store closes. */
  readonly client: () => Promise<Client>;
  readonly clock: Clock;
  /** Run before each write, which fails with it: makes sure that the index has its mappings. Default: nothing. */
  readonly beforeWrite?: ((client: Client) => Promise<void>) | undefined;
  /**
   * A concrete index: an alias over several cannot serve a get by id.
   * @default 'proxy_manager-cache-v1'
   */
  readonly index?: string;
  /**
   * How long a lookup may take; past it, it is a miss.
   * @default 250
   */
  readonly lookupBudgetMs?: number;
}

const WRITE_BUDGET_MS = 10_000;
/** What a far Elasticsearch hands over within the budget: 1 MiB took 20 ms on a near one, 5 MiB up to 170 ms. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Bodies waiting to be written, all together: what comes faster than Elasticsearch takes it is not stored. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** How often a write is tried over what lies there by then. */
const MAX_TRIES = 3;
const PAGE = 500;
const LISTED = ['method', 'url', 'tags', 'bytes', 'expires_at'];

/**
 * Keeps replies in Elasticsearch, one document per entry, read by its id. `get`, `set` and `delete` never reject: what
 * fails, or takes longer to look up than its budget, is a miss, and while Elasticsearch is away it is tried only now and
 * then. Bodies over 1 MiB are not stored, and nothing bounds the index.
 */
export function elasticsearchCacheStore(options: ElasticsearchCacheOptions): CacheStore {
  const { client, clock, beforeWrite, index = 'proxy_manager-cache-v1', lookupBudgetMs = 250 } = options;
  // Apart, since an index that is full or read-only can still be read.
  const reading = breaker();
  const writing = breaker();
  const pending = new Pending();
  const leases = elasticsearchLeases({ client, beforeWrite, index, budgetMs: lookupBudgetMs, pending });
  let pendingBytes = 0;
  const tally = new Tally();

  const remove = async (id: string, over: object = {}): Promise<boolean> => {
    const removed = await attempt(writing, WRITE_BUDGET_MS, client, (elasticsearch, signal) =>
      elasticsearch.delete({ index, id, ...over }, { ...once(signal), ignore: [404, 409] }),
    );
    return removed?.result === 'deleted';
  };

  async function read(id: string): Promise<CacheEntry | undefined> {
    const found = await attempt(reading, lookupBudgetMs, client, (elasticsearch, signal) =>
      elasticsearch.get<CacheDocument>({ index, id }, { ...once(signal), ignore: [404] }),
    );
    if (found?.found !== true) return undefined;
    const entry = fromDocument(found._source);
    if (entry !== undefined && isAlive(entry, clock.now())) return entry;
    if (entry === undefined) tally.damaged++;
    // Not what somebody has stored there since.
    if (entry === undefined || clock.now() >= entry.expiresAtMs) void pending.track(remove(id, placeOf(found)));
    return undefined;
  }

  /** False where `over` is no longer what lies there; undefined where Elasticsearch does not take it. */
  async function write(id: string, entry: CacheEntry, over: object): Promise<boolean | undefined> {
    const written = await attempt(writing, WRITE_BUDGET_MS, client, async (elasticsearch, signal) => {
      await beforeWrite?.(elasticsearch);
      const document = toDocument(entry);
      return elasticsearch.index({ index, id, document, ...over }, { ...once(signal), ignore: [409] });
    });
    return written && written._seq_no !== undefined;
  }

  /** False where the lease of the token `fence` is not ours any more. What cannot be asked for is not written. */
  async function writeFenced(id: string, entry: CacheEntry, fence: number): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      // In this order: who takes the lease over after the second look writes after the first, and then ours fails.
      const there = await attempt(reading, lookupBudgetMs, client, (elasticsearch, signal) =>
        elasticsearch.get({ index, id, _source: false }, { ...once(signal), ignore: [404] }),
      );
      const isHeld = there && (await leases.isHeld(fence).catch(() => undefined));
      if (isHeld === undefined) return true;
      if (!isHeld) return false;
      // Refused, it may be for a removal of what had expired.
      if ((await write(id, entry, placeOf(there))) !== false) return true;
    }
    return true;
  }

  /** Unlike the others these reject: who manages a cache wants to know that it could not be done. */
  async function managing<T>(doing: string, work: (elasticsearch: Client) => Promise<T>): Promise<T> {
    try {
      return await work(await client());
    } catch (error) {
      throw new StoreError('elasticsearch cache store', doing, error);
    }
  }

  async function* search(which: CacheSelector | undefined): AsyncGenerator<CacheListing> {
    const elasticsearch = await client();
    // What was written a moment ago is to be found.
    await elasticsearch.indices.refresh({ index, ignore_unavailable: true });
    const pages = elasticsearch.helpers.scrollSearch<Partial<CacheDocument>>({
      index,
      ignore_unavailable: true,
      size: PAGE,
      sort: ['_doc'],
      query: queryOf(which),
      _source_includes: LISTED,
    });
    for await (const { body } of pages) {
      for (const { _id: key = '', _source } of body.hits.hits) {
        const { method = '', url = '', tags = [], bytes = 0, expires_at } = _source ?? {};
        if (!selects(which, { url, tags })) continue;
        yield { key, method, url, tags, bytes, expiresAtMs: Date.parse(String(expires_at)) };
      }
    }
  }

  async function* list(which?: CacheSelector): AsyncGenerator<CacheListing> {
    try {
      yield* search(which);
    } catch (error) {
      throw new StoreError('elasticsearch cache store', 'list the entries', error);
    }
  }

  return {
    get: async (id) => tally.lookup(await read(id)),
    async set(id, entry: CacheEntry, fence) {
      const { byteLength } = entry.body;
      if (byteLength > MAX_BODY_BYTES || pendingBytes + byteLength > MAX_PENDING_BYTES) return true;
      pendingBytes += byteLength;
      try {
        if (fence !== undefined) return await pending.track(writeFenced(id, entry, fence));
        await pending.track(write(id, entry, {}));
        return true;
      } finally {
        pendingBytes -= byteLength;
      }
    },
    delete: (id) => pending.track(remove(id)),
    clear: (which) =>
      managing('delete entries', async (elasticsearch) => {
        let count = 0;
        const deletes = elasticsearch.helpers.bulk({
          datasource: list(which),
          onDocument: ({ key }: CacheListing) => ({ delete: { _index: index, _id: key } }),
          onSuccess: ({ result: { delete: deletion } }) => {
            if (deletion?.result === 'deleted') count++;
          },
        });
        const { failed } = await deletes;
        if (failed > 0) throw new Error(`${failed} entries could not be deleted`);
        return count;
      }),
    list,
    stats: () =>
      managing('count the entries', async (elasticsearch) => {
        await elasticsearch.indices.refresh({ index, ignore_unavailable: true });
        const found = await elasticsearch.search<unknown, { bytes: { value: number } }>({
          index,
          ignore_unavailable: true,
          size: 0,
          track_total_hits: true,
          aggs: { bytes: { sum: { field: 'bytes' } } },
        });
        const { total } = found.hits;
        const entries = typeof total === 'number' ? total : (total?.value ?? 0);
        return tally.with({ entries, bytes: found.aggregations?.bytes.value ?? 0 });
      }),
    leases,
    async close() {
      await leases.close();
      await pending.settled();
    },
  };
}

/** Without a timeout of the client's, which would count the time in which this process was busy. */
function once(signal: AbortSignal): { readonly signal: AbortSignal; readonly maxRetries: 0 } {
  return { signal, maxRetries: 0 };
}

/** What makes a write fail where the document is no longer the one that was found. */
function placeOf({ found, _seq_no, _primary_term }: { found?: boolean } & Partial<Version>): object {
  return found === true ? { if_seq_no: _seq_no, if_primary_term: _primary_term } : { op_type: 'create' };
}

/** As near as the mapping comes to it: urls are not indexed, their hosts are. */
function queryOf(which: CacheSelector | undefined): object {
  if (which === undefined) return { match_all: {} };
  if ('tag' in which) return { term: { tags: which.tag } };
  const start = 'url' in which ? which.url : which.prefix;
  // A host that something follows is whole.
  const host = /^https?:\/\/[^/?#]+(?=[/?#])/.exec(start)?.[0];
  return host === undefined ? { match_all: {} } : { term: { host: new URL(host).hostname } };
}
