import type { NodeRecord } from '../pool/node-record.js';
import type { Batch, WindowState } from '../pool/window.js';
import { batchesOf, numbersOf } from './packed-record.js';

/**
 * What has become of a node's record. A window with uses is told by its batches from the first one on that is not as it
 * was; before these stay those known whose id is at least `fromId`. A window that is not told of holds nothing.
 */
export type RecordChange = readonly [
  id: string,
  total: number,
  lastTake: number,
  restUntilMs: number,
  ...windows: (readonly [name: string, fromId: number, ...batches: number[]])[],
];

export const FRESH: NodeRecord = { total: 0, lastTake: 0, restUntilMs: 0, windows: [] };

/** Undefined where both say the same, in whatever order they name their windows, and whichever are without uses. */
export function changeOf(id: string, before: NodeRecord, after: NodeRecord): RecordChange | undefined {
  return isSame(before, after) ? undefined : changeFrom(id, before, after);
}

/** The record whole, as a change of one that nothing is known of. */
export function wholeOf(id: string, record: NodeRecord): RecordChange {
  return changeFrom(id, FRESH, record);
}

export function changed(before: NodeRecord, [, total, lastTake, restUntilMs, ...windows]: RecordChange): NodeRecord {
  return {
    total,
    lastTake,
    restUntilMs,
    windows: windows.map(([name, fromId, ...numbers]) => {
      const told = batchesOf(numbers);
      const upTo = told[0]?.id ?? Infinity;
      const known = batchesIn(before.windows, name).filter((batch) => batch.id >= fromId && batch.id < upTo);
      return { name, batches: [...known, ...told] };
    }),
  };
}

export function isSame(before: NodeRecord, after: NodeRecord): boolean {
  return (
    before.total === after.total &&
    before.lastTake === after.lastTake &&
    before.restUntilMs === after.restUntilMs &&
    before.windows.every((state) => isSameIn(after.windows, state)) &&
    after.windows.every((state) => isSameIn(before.windows, state))
  );
}

function changeFrom(id: string, before: NodeRecord, after: NodeRecord): RecordChange {
  const { total, lastTake, restUntilMs } = after;
  const change: [string, number, number, number, ...[string, number, ...number[]][]] = [
    id,
    total,
    lastTake,
    restUntilMs,
  ];
  for (const { name, batches } of after.windows) {
    const [first] = batches;
    if (first === undefined) continue;
    change.push([name, first.id, ...numbersOf(toTell(batchesIn(before.windows, name), first, batches))]);
  }
  return change;
}

/** Those that are left when whoever knows `before` keeps of it what lies between `first` and them. */
function toTell(before: readonly Batch[], first: Batch, batches: readonly Batch[]): readonly Batch[] {
  const start = before.findIndex(({ id }) => id === first.id);
  if (start === -1) return batches;
  let same = 0;
  while (same < batches.length && isSameBatch(batches[same], before[start + same])) same += 1;
  const next = before[start + same];
  const told = batches[same];
  // One that is gone would be kept.
  if (next !== undefined && (told === undefined || next.id < told.id)) return batches;
  return batches.slice(same);
}

function batchesIn(windows: readonly WindowState[], name: string): readonly Batch[] {
  return windows.find((state) => state.name === name)?.batches ?? [];
}

function isSameIn(windows: readonly WindowState[], { name, batches }: WindowState): boolean {
  const others = batchesIn(windows, name);
  if (batches === others) return true;
  return batches.length === others.length && batches.every((batch, index) => isSameBatch(batch, others[index]));
}

function isSameBatch(batch: Batch | undefined, other: Batch | undefined): boolean {
  if (batch === other) return true;
  return (
    batch?.id === other?.id &&
    batch?.opener === other?.opener &&
    batch?.openedAtMs === other?.openedAtMs &&
    batch?.endsAtMs === other?.endsAtMs &&
    batch?.used === other?.used
  );
}
