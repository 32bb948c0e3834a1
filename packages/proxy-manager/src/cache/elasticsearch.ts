import type { Client } from '@elastic/elasticsearch';
import type { Clock } from '../clock.js';
import type { Breaker } from './breaker.js';
import { breaker } from './breaker.js';
import type { CacheEntry, CacheStore } from './cache-store.js';
import type { CacheDocument } from './elasticsearch-document.js';
import { fromDocument, toDocument } from './elasticsearch-document.js';

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

/**
 * Keeps replies in Elasticsearch, one document per entry, read by its id. No verb ever rejects: what fails, or takes
 * longer to look up than its budget, is a miss, and while Elasticsearch is away it is tried only now and then. Bodies over
 * 1 MiB are not stored.
 */
export function elasticsearchCacheStore({
  client,
  clock,
  beforeWrite,
  index = 'proxy_manager-cache-v1',
  lookupBudgetMs = 250,
}: ElasticsearchCacheOptions): CacheStore {
  // Apart, since an index that is full or read-only can still be read.
  const reading = breaker();
  const writing = breaker();
  const pending = new Set<Promise<unknown>>();
  let pendingBytes = 0;

  const remove = async (id: string): Promise<boolean> => {
    const removed = await attempt(writing, WRITE_BUDGET_MS, client, (elasticsearch, options) =>
      elasticsearch.delete({ index, id }, { ...options, ignore: [404] }),
    );
    return removed?.result === 'deleted';
  };
  return {
    async get(id) {
      const found = await attempt(reading, lookupBudgetMs, client, (elasticsearch, options) =>
        elasticsearch.get<CacheDocument>({ index, id }, { ...options, ignore: [404] }),
      );
      if (found?.found !== true) return undefined;
      const entry = fromDocument(found._source);
      if (entry !== undefined && clock.now() < entry.expiresAtMs) return entry;
      void track(pending, remove(id));
      return undefined;
    },
    async set(id, entry: CacheEntry) {
      const { byteLength } = entry.body;
      if (byteLength > MAX_BODY_BYTES || pendingBytes + byteLength > MAX_PENDING_BYTES) return;
      pendingBytes += byteLength;
      try {
        await track(
          pending,
          attempt(writing, WRITE_BUDGET_MS, client, async (elasticsearch, options) => {
            await beforeWrite?.(elasticsearch);
            return elasticsearch.index({ index, id, document: toDocument(entry) }, options);
          }),
        );
      } finally {
        pendingBytes -= byteLength;
      }
    },
    delete: (id) => track(pending, remove(id)),
    async close() {
      await Promise.all(pending);
    },
  };
}

interface CallOptions {
  readonly signal: AbortSignal;
  readonly requestTimeout: number;
  readonly maxRetries: 0;
}

/** What `ask` gives within its budget; undefined where it fails, is late, or Elasticsearch rests. Never rejects. */
async function attempt<T>(
  service: Breaker,
  budgetMs: number,
  client: () => Promise<Client>,
  ask: (elasticsearch: Client, options: CallOptions) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await service.call(async () => {
      // Outside the budget: the first use loads the client, which Elasticsearch is not to blame for.
      const elasticsearch = await client();
      return within(budgetMs, (signal) => ask(elasticsearch, { signal, requestTimeout: budgetMs, maxRetries: 0 }));
    });
  } catch {
    return undefined;
  }
}

/** A timer of our own: the client's timeouts are coarse and leave out the way to a socket. */
async function within<T>(budgetMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => {
      reject(new Error(`no answer within ${budgetMs} ms`));
      controller.abort();
    };
    // One turn later: an answer that arrived while this process was busy still counts.
    timer = setTimeout(() => setImmediate(giveUp), budgetMs);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function track<T>(pending: Set<Promise<unknown>>, work: Promise<T>): Promise<T> {
  pending.add(work);
  try {
    return await work;
  } finally {
    pending.delete(work);
  }
}
