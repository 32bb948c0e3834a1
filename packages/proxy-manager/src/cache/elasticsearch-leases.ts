import type { Client } from '@elastic/elasticsearch';
import { breaker } from '../breaker.js';
import type { Landing, LeaseStore } from './lease-store.js';
import { LANDING_TOLD_MS } from './lease-store.js';
import type { Pending } from './pending.js';
import { within } from './within-budget.js';

export interface ElasticsearchLeases extends LeaseStore {
  /** True while the lease of this token is this process's own. Rejects where that cannot be asked. */
  isHeld(token: number): Promise<boolean>;
  close(): Promise<void>;
}

interface LeaseDocument {
  readonly token: number | null;
  readonly landing?: Landing;
  /** Epoch ms of the writer: only to be read by people. */
  readonly renewed_at: number;
}

interface Seen {
  readonly version: string;
  readonly sinceMs: number;
}

/** Of a document: a write over it fails where another one came before. */
export type Version = { readonly _seq_no: number; readonly _primary_term: number };

/** So many leases of others are watched at most. */
const MOST_SEEN = 10_000;
/** How often a lease of somebody else is asked for while others wait in this process. */
const RETRY_MS = { first: 25, last: 250 };

/**
 * Leases as documents in an index beside the cache's. No clock is compared with another machine's: a lease is anybody's
 * when this process has seen it unchanged for its whole time. The token is the sequence number of the document's creation.
 */
export function elasticsearchLeases(options: {
  readonly client: () => Promise<Client>;
  readonly beforeWrite: ((client: Client) => Promise<void>) | undefined;
  readonly index: string;
  readonly budgetMs: number;
  readonly pending: Pending;
}): ElasticsearchLeases {
  const { client, beforeWrite, budgetMs, pending } = options;
  const index = options.index.replace(/cache/, 'leases');
  const service = breaker();
  const held = new Map<string, Version & { readonly token: number }>();
  /** What each token was given for, until it is let go: a lost lease is among them. */
  const keys = new Map<number, string>();
  const seen = new Map<string, Seen>();
  const told = new Map<NodeJS.Timeout, () => Promise<void>>();

  /** Rejects also while Elasticsearch rests: who asks for a lease does without. */
  async function ask<T>(work: (elasticsearch: Client, options: object) => Promise<T>): Promise<T> {
    const elasticsearch = await client();
    const answer = await service.call(() =>
      // The client's own timeout would count the time in which this process was busy.
      within(budgetMs, (signal) => work(elasticsearch, { signal, maxRetries: 0 })),
    );
    if (answer === undefined) throw new Error('Elasticsearch rests');
    return answer;
  }

  const read = (id: string): Promise<{ found: boolean; _source?: LeaseDocument } & Partial<Version>> =>
    ask((elasticsearch, once) => elasticsearch.get<LeaseDocument>({ index, id }, { ...once, ignore: [404] }));

  /** Writes where nobody else has written since `over`, or where there is nothing yet; undefined where somebody has. */
  async function write(id: string, document: LeaseDocument, over?: Version): Promise<Version | undefined> {
    const condition =
      over === undefined
        ? { op_type: 'create' as const }
        : { if_seq_no: over._seq_no, if_primary_term: over._primary_term };
    if (beforeWrite !== undefined) {
      const elasticsearch = await client();
      // Apart from the breaker: what is still being prepared is not away.
      await within(budgetMs, () => beforeWrite(elasticsearch));
    }
    const { _seq_no, _primary_term } = await ask((elasticsearch, once) =>
      elasticsearch.index({ index, id, document, ...condition }, { ...once, ignore: [409] }),
    );
    return _seq_no === undefined || _primary_term === undefined ? undefined : { _seq_no, _primary_term };
  }

  function wasSeenFor(id: string, { _seq_no, _primary_term }: Version, ms: number): boolean {
    const version = `${_primary_term}:${_seq_no}`;
    const nowMs = performance.now();
    const known = seen.get(id);
    if (known?.version === version) return nowMs - known.sinceMs >= ms;
    const [oldest] = seen.keys();
    if (seen.size >= MOST_SEEN && oldest !== undefined) seen.delete(oldest);
    seen.set(id, { version, sinceMs: nowMs });
    return false;
  }

  async function own(id: string, written: Version | undefined, recent: boolean): ReturnType<LeaseStore['take']> {
    if (written === undefined) return { state: 'held' };
    seen.delete(id);
    held.set(id, { ...written, token: written._seq_no });
    keys.set(written._seq_no, id);
    return { state: 'taken', token: written._seq_no, recent };
  }

  const isVersion = (found: Partial<Version>): found is Version =>
    found._seq_no !== undefined && found._primary_term !== undefined;

  async function forget(id: string, version: Version): Promise<void> {
    const { _seq_no: if_seq_no, _primary_term: if_primary_term } = version;
    await ask((elasticsearch, once) =>
      elasticsearch.delete({ index, id, if_seq_no, if_primary_term }, { ...once, ignore: [404, 409] }),
    ).catch(() => {});
  }

  return {
    retryMs: RETRY_MS,
    async take(id, ttlMs, waited) {
      const document = { token: null, renewed_at: Date.now() };
      if (!waited) {
        const created = await write(id, document);
        if (created !== undefined) return own(id, created, false);
      }
      const found = await read(id);
      if (!found.found || !isVersion(found)) return own(id, await write(id, document), true);
      const landing = found._source?.landing;
      if (waited && (landing === 'stored' || landing === 'fruitless')) return { state: 'landed', landing };
      if (landing === undefined && !wasSeenFor(id, found, ttlMs)) return { state: 'held' };
      return own(id, await write(id, document, found), true);
    },
    async renew(id, token) {
      const mine = held.get(id);
      if (mine?.token !== token) return false;
      const written = await write(id, { token, renewed_at: Date.now() }, mine);
      if (written === undefined) held.delete(id);
      else held.set(id, { ...written, token });
      return written !== undefined;
    },
    async release(id, token, landing) {
      keys.delete(token);
      const mine = held.get(id);
      if (mine?.token !== token) return;
      held.delete(id);
      if (landing === 'left') return pending.track(forget(id, mine));
      const written = await write(id, { token, landing, renewed_at: Date.now() }, mine);
      if (written === undefined) return;
      const timer = setTimeout(() => void told.get(timer)?.(), LANDING_TOLD_MS).unref();
      told.set(timer, () => {
        told.delete(timer);
        clearTimeout(timer);
        return pending.track(forget(id, written));
      });
    },
    async isHeld(token) {
      const id = keys.get(token);
      if (id === undefined) return false;
      const { found, _seq_no, _source } = await read(id);
      // One that is gone was taken over, too: a landing is told for a moment only.
      return found && (_seq_no === token || _source?.token === token);
    },
    async close() {
      await Promise.all([...told.values()].map((forgetNow) => forgetNow()));
    },
  };
}
