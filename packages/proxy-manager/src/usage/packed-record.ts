import type { NodeRecord } from '../pool/node-record.js';
import type { Batch, WindowState } from '../pool/window.js';

/** A node's record as it is written down: without its property names, that is a third of the bytes. */
export type PackedRecord = readonly [
  total: number,
  lastTake: number,
  restUntilMs: number,
  ...windows: (readonly [name: string, ...batches: number[]])[],
];

/** A record by the id of its node. */
export type PackedNode = readonly [id: string, ...record: PackedRecord];

/** Numbers of one batch. */
const PER_BATCH = 5;

export function packNode(id: string, { total, lastTake, restUntilMs, windows }: NodeRecord): PackedNode {
  const packed: [string, number, number, number, ...[string, ...number[]][]] = [id, total, lastTake, restUntilMs];
  // A window without uses is as good as none.
  for (const state of windows) if (state.batches.length > 0) packed.push(packWindow(state));
  return packed;
}

export function unpackRecord([total, lastTake, restUntilMs, ...windows]: PackedRecord): NodeRecord {
  return { total, lastTake, restUntilMs, windows: windows.map(unpackWindow) };
}

function packWindow({ name, batches }: WindowState): [string, ...number[]] {
  return [name, ...numbersOf(batches)];
}

/** A window's name, and the numbers of its batches. */
export function unpackWindow([name, ...numbers]: readonly [string, ...number[]]): WindowState {
  return { name, batches: batchesOf(numbers) };
}

export function numbersOf(batches: readonly Batch[]): number[] {
  const numbers: number[] = [];
  for (const { id, opener, openedAtMs, endsAtMs, used } of batches) {
    numbers.push(id, opener, openedAtMs, endsAtMs, used);
  }
  return numbers;
}

export function batchesOf(numbers: readonly number[]): Batch[] {
  const batches: Batch[] = [];
  for (let at = 0; at < numbers.length; at += PER_BATCH) {
    batches.push({
      id: numbers[at] ?? 0,
      opener: numbers[at + 1] ?? 0,
      openedAtMs: numbers[at + 2] ?? 0,
      endsAtMs: numbers[at + 3] ?? 0,
      used: numbers[at + 4] ?? 0,
    });
  }
  return batches;
}
