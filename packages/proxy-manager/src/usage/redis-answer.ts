import type { LedgerIndex, Shelf } from '../pool/ledger-index.js';
import { factsOf, pathTo } from '../pool/node.js';
import type { NodeRecord } from '../pool/node-record.js';
import { unpackWindow } from './packed-record.js';
import type { MeterReading, Pool, Refusal, Section, Ticket, WindowReading } from './usage-store.js';

/** What is kept of other windows than those of the pool: by node of the path, the window and its batch. */
type Kept = readonly (number | string)[];
/** `extra` is to be added to the uses of each window. */
type TakenSection = readonly [
  total: number,
  extra: number,
  id: string,
  mattersFrom: number,
  ...(readonly (Kept | number)[]),
];

/** In a ticket: its number, and for each section what was counted. */
interface RedisReceipt {
  readonly take: number;
  readonly sections: readonly TakenSection[];
}

const WINDOWS_AT = 4;
/** Numbers of one window. */
const PER_WINDOW = 3;

/** What the script answers to a take. */
export function toTaken(pool: Pool, cost: number, answer: readonly unknown[]): Ticket | Refusal {
  if (answer[0] === 'refused') {
    const [, number, retryAt] = answer as readonly [string, number, number];
    return { granted: false, kind: pool.sections[number]?.kind ?? 'key', retryAtMs: orNever(retryAt) };
  }
  const [, take, ...sections] = answer as readonly [string, number, ...TakenSection[]];
  const matters = Math.min(...sections.map(([, , , from]) => orNever(from)));
  const taken = sections.map((counted, number) => toReading(pool.sections[number], counted, take));
  const receipt: RedisReceipt = { take, sections };
  return { granted: true, pool, cost, taken, arrivalMattersFromMs: matters, receipt };
}

const orNever = (ms: number): number => (ms === -1 ? Infinity : ms);

/** What is taken does not rest. */
function toReading(section: Section | undefined, counted: TakenSection, take: number): MeterReading {
  if (section === undefined) throw new Error('Redis counted in a section that the pool has not');
  const [total, extra, id] = counted;
  const windows: WindowReading[] = [];
  let at = WINDOWS_AT;
  for (const { rules } of pathTo(factsOf(section), id)) {
    for (const { limit } of rules) {
      windows.push({ limit, used: Number(counted[at]) + extra, resetsAtMs: Number(counted[at + 1]) });
      at += PER_WINDOW;
    }
  }
  return { id, kind: section.kind, restingUntilMs: undefined, total, lastTake: take, windows };
}

/** A ticket as the script wants to be told of it: for each section the meter and, node by node, the batches by window. */
export function countedIn({ pool, cost, receipt }: Ticket): object {
  const { take, sections } = receipt as RedisReceipt;
  const counted = sections.map((section, number) => {
    const [, , id] = section;
    const known = pool.sections[number];
    let at = WINDOWS_AT;
    const nodes = (known === undefined ? [] : pathTo(factsOf(known), id)).map(({ rules }) => {
      const batches: Record<string, unknown> = {};
      for (const { name } of rules) {
        batches[name] = section[at + 2];
        at += PER_WINDOW;
      }
      return batches;
    });
    const kept = Array.isArray(section[at]) ? (section[at] as Kept) : [];
    for (let of = 0; of < kept.length; of += PER_WINDOW) {
      const batches = nodes[Number(kept[of])];
      if (batches !== undefined) batches[String(kept[of + 1])] = kept[of + 2];
    }
    return { id, nodes };
  });
  return { take, cost, counted };
}

type Found = readonly [
  total: number,
  last: number,
  rest: number,
  ...(readonly [window: string, ...batches: number[]])[],
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
    windows: windows.map(unpackWindow),
  };
}
