import type { LedgerIndex, Shelf } from '../pool/ledger-index.js';
import { factsOf } from '../pool/node.js';
import type { NodeRecord } from '../pool/node-record.js';
import type { Batch } from '../pool/window.js';
import type { MeterReading, Pool, Refusal, Ticket, WindowReading } from './usage-store.js';

/** In a ticket: its number, and for each section the meter and, node by node, the batches it was counted in. */
export interface RedisReceipt {
  readonly take: number;
  readonly counted: readonly { readonly id: string; readonly nodes: readonly Readonly<Record<string, number>>[] }[];
}

type TakenSection = readonly [
  id: string,
  total: number,
  restUntil: number,
  readings: readonly number[],
  nodes: readonly (readonly (number | string)[])[],
];

/** What the script answers to a take. */
export function toTaken(pool: Pool, cost: number, answer: readonly unknown[]): Ticket | Refusal {
  if (answer[0] === 'refused') {
    const [, number, retryAt] = answer as readonly [string, number, number];
    return { granted: false, kind: pool.sections[number]?.kind ?? 'key', retryAtMs: orNever(retryAt) };
  }
  const [, nowMs, take, matters, ...sections] = answer as readonly [string, number, number, number, ...TakenSection[]];
  const taken = sections.map(([id, total, restUntil, readings], number): MeterReading => {
    const kind = pool.sections[number]?.kind ?? 'key';
    return {
      id,
      kind,
      restingUntilMs: restUntil > nowMs ? restUntil : undefined,
      total,
      windows: toReadings(readings),
    };
  });
  const counted = sections.map(([id, , , , nodes]) => ({ id, nodes: nodes.map((flat) => toBatchIds(flat)) }));
  const receipt: RedisReceipt = { take, counted };
  return { granted: true, pool, cost, taken, arrivalMattersFromMs: orNever(matters), receipt };
}

const orNever = (ms: number): number => (ms === -1 ? Infinity : ms);

function toReadings(flat: readonly number[]): WindowReading[] {
  const readings: WindowReading[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const [limit = 0, used = 0, resetsAtMs] = flat.slice(at, at + 3);
    readings.push({ limit, used, resetsAtMs });
  }
  return readings;
}

function toBatchIds(flat: readonly (number | string)[]): Record<string, number> {
  const ids: Record<string, number> = {};
  for (let at = 0; at < flat.length; at += 2) ids[String(flat[at])] = Number(flat[at + 1]);
  return ids;
}

type Found = readonly [
  total: number,
  last: number,
  rest: number,
  ...(readonly [window: string, batches: readonly (readonly [number, number, number, number, number])[]])[],
];

/** What the reading script found, as a ledger that is only read. */
export function toIndex(
  pool: Pool,
  answer: readonly unknown[],
): { readonly index: LedgerIndex; readonly nowMs: number } {
  const [nowMs, ledgerMs, ...sections] = answer as readonly [number, number, ...(readonly (Found | null)[])[]];
  const records = new Map<string, ReadonlyMap<string, NodeRecord>>();
  for (const [number, section] of pool.sections.entries()) {
    const ids = [...factsOf(section).nodes.keys()];
    const found = ids.flatMap((id, at): [string, NodeRecord][] => {
      const node = sections[number]?.[at] ?? undefined;
      return node === undefined ? [] : [[id, toRecord(node)]];
    });
    records.set(section.kind, new Map(found));
  }
  const none = { stamp: '', quietUntilMs: Infinity };
  const index: LedgerIndex = {
    head: () => ({ takes: 0, nowMs: ledgerMs, key: none, proxy: none }),
    setHead: readOnly,
    shelf: (kind) => readOnlyShelf(records.get(kind) ?? new Map<string, NodeRecord>()),
  };
  return { index, nowMs };
}

function readOnlyShelf(records: ReadonlyMap<string, NodeRecord>): Shelf {
  return {
    get: (id) => {
      const record = records.get(id);
      return record && { record, place: { rank: undefined, wakeAtMs: undefined } };
    },
    ids: () => records.keys(),
    put: readOnly,
    eachReady: readOnly,
    eachWaking: readOnly,
    clearPlaces: readOnly,
  };
}

function readOnly(): never {
  throw new Error('what was read from Redis is only read');
}

function toRecord([total, lastTake, restUntilMs, ...windows]: Found): NodeRecord {
  return {
    total,
    lastTake,
    restUntilMs,
    windows: windows.map(([name, batches]) => ({
      name,
      batches: batches.map(([id, opener, openedAtMs, endsAtMs, used]): Batch => ({
        id,
        opener,
        openedAtMs,
        endsAtMs,
        used,
      })),
    })),
  };
}
