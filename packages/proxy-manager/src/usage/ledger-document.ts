import type { Place } from '../pool/node-record.js';
import type { SectionHead } from '../pool/ledger-index.js';
import { MemoryLedger } from './memory-ledger.js';
import type { PackedNode } from './packed-record.js';
import { packNode, unpackRecord } from './packed-record.js';
import { heldBytes, MAX_BYTES } from './ledger-size.js';
import type { DocumentForm } from './shared-document.js';

/** The ledger of one endpoint as a document. The orders are not in it: whoever loads it makes them anew. */
interface LedgerDocument {
  /** To be read by people, as `updated_at` is. */
  readonly endpoint: string;
  readonly updated_at: string;
  readonly takes: number;
  readonly now_ms: number;
  readonly key: readonly PackedNode[];
  readonly proxy: readonly PackedNode[];
}

const NOWHERE: Place = { rank: undefined, wakeAtMs: undefined };
const NOT_INDEXED: SectionHead = { stamp: '', quietUntilMs: Infinity };

export function ledgerForm(endpoint: string): DocumentForm<MemoryLedger> {
  return {
    read(source) {
      const ledger = new MemoryLedger();
      if (source === undefined) return ledger;
      if (!isLedgerDocument(source)) throw new Error(`the document of endpoint "${endpoint}" holds no counts`);
      const { takes, now_ms: nowMs } = source;
      ledger.setHead({ takes, nowMs, key: NOT_INDEXED, proxy: NOT_INDEXED });
      for (const kind of ['key', 'proxy'] as const) {
        const shelf = ledger.shelf(kind);
        for (const [id, ...packed] of source[kind]) {
          shelf.put(id, '', { record: unpackRecord(packed), place: NOWHERE }, undefined);
        }
      }
      return ledger;
    },
    write(ledger): LedgerDocument {
      const { takes = 0, nowMs = 0 } = ledger.head() ?? {};
      const nodes = { key: nodesOf(ledger, 'key'), proxy: nodesOf(ledger, 'proxy') };
      // What is long gone from secrets.json goes from here where it would be too much.
      const isTooMuch = heldBytes([...nodes.key, ...nodes.proxy]) > MAX_BYTES;
      const kept = (packed: readonly PackedNode[]): readonly PackedNode[] =>
        isTooMuch ? packed.filter((node) => holds(node, nowMs)) : packed;
      const updated_at = new Date(nowMs).toISOString();
      return { endpoint, updated_at, takes, now_ms: nowMs, key: kept(nodes.key), proxy: kept(nodes.proxy) };
    },
  };
}

function nodesOf(ledger: MemoryLedger, kind: 'key' | 'proxy'): PackedNode[] {
  const shelf = ledger.shelf(kind);
  return Array.from(shelf.ids(), (id) => {
    const entry = shelf.get(id);
    if (entry === undefined) throw new Error('a ledger names a node that it does not have');
    return packNode(id, entry.record);
  });
}

/** Whether anything in it still counts. */
function holds([, ...packed]: PackedNode, nowMs: number): boolean {
  const { restUntilMs, windows } = unpackRecord(packed);
  return restUntilMs > nowMs || windows.some(({ batches }) => batches.some(({ endsAtMs }) => endsAtMs > nowMs));
}

function isLedgerDocument(source: unknown): source is LedgerDocument {
  if (typeof source !== 'object' || source === null) return false;
  const { takes, now_ms: nowMs, key, proxy } = source as Partial<Record<keyof LedgerDocument, unknown>>;
  return typeof takes === 'number' && typeof nowMs === 'number' && Array.isArray(key) && Array.isArray(proxy);
}
