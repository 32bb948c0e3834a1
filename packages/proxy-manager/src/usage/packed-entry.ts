import type { Entry, LedgerHead } from '../pool/ledger-index.js';
import type { Rank } from '../pool/node-record.js';
import type { Batch, WindowState } from '../pool/window.js';

/** An entry as the embedded store keeps it: without its property names, that is a third of the bytes. */
export type PackedEntry = readonly [
  total: number,
  lastTake: number,
  restUntilMs: number,
  rank: Rank | null,
  wakeAtMs: number | null,
  ...windows: (readonly [name: string, ...batches: number[]])[],
];

export type PackedHead = readonly [
  takes: number,
  nowMs: number,
  keyStamp: string,
  keyQuietUntilMs: number,
  proxyStamp: string,
  proxyQuietUntilMs: number,
];

/** Numbers of one batch. */
const PER_BATCH = 5;

export function packEntry({ record, place }: Entry): PackedEntry {
  const { total, lastTake, restUntilMs, windows } = record;
  return [total, lastTake, restUntilMs, place.rank ?? null, place.wakeAtMs ?? null, ...windows.map(packWindow)];
}

export function unpackEntry([total, lastTake, restUntilMs, rank, wakeAtMs, ...windows]: PackedEntry): Entry {
  return {
    record: { total, lastTake, restUntilMs, windows: windows.map(unpackWindow) },
    place: { rank: rank ?? undefined, wakeAtMs: wakeAtMs ?? undefined },
  };
}

export function packHead({ takes, nowMs, key, proxy }: LedgerHead): PackedHead {
  return [takes, nowMs, key.stamp, key.quietUntilMs, proxy.stamp, proxy.quietUntilMs];
}

export function unpackHead([takes, nowMs, keyStamp, keyQuiet, proxyStamp, proxyQuiet]: PackedHead): LedgerHead {
  return {
    takes,
    nowMs,
    key: { stamp: keyStamp, quietUntilMs: keyQuiet },
    proxy: { stamp: proxyStamp, quietUntilMs: proxyQuiet },
  };
}

function packWindow({ name, batches }: WindowState): [string, ...number[]] {
  const packed: [string, ...number[]] = [name];
  for (const { id, opener, openedAtMs, endsAtMs, used } of batches) packed.push(id, opener, openedAtMs, endsAtMs, used);
  return packed;
}

/** A window's name, and five numbers for each of its batches. */
export function unpackWindow(packed: readonly [string, ...number[]]): WindowState {
  const [name] = packed;
  const numbers = packed as readonly unknown[] as readonly number[];
  const batches: Batch[] = [];
  for (let at = 1; at < numbers.length; at += PER_BATCH) {
    batches.push({
      id: numbers[at] ?? 0,
      opener: numbers[at + 1] ?? 0,
      openedAtMs: numbers[at + 2] ?? 0,
      endsAtMs: numbers[at + 3] ?? 0,
      used: numbers[at + 4] ?? 0,
    });
  }
  return { name, batches };
}
