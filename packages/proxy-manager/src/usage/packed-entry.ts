import type { Entry } from '../pool/ledger-index.js';
import type { Rank } from '../pool/meter-record.js';
import type { WindowState } from '../pool/window.js';

/** An entry as the embedded store keeps it: without its property names, that is a third of the bytes. */
export type PackedEntry = readonly [
  total: number,
  lastTake: number,
  restUntilMs: number,
  rank: Rank | null,
  wakeAtMs: number | null,
  windows: readonly (readonly [openedAtMs: number, openedBy: number, used: number, everyMs: number])[],
];

export function packEntry({ record, place }: Entry): PackedEntry {
  return [
    record.total,
    record.lastTake,
    record.restUntilMs,
    place.rank ?? null,
    place.wakeAtMs ?? null,
    record.windows.map(({ openedAtMs, openedBy, used, everyMs }) => [openedAtMs, openedBy, used, everyMs]),
  ];
}

export function unpackEntry([total, lastTake, restUntilMs, rank, wakeAtMs, packed]: PackedEntry): Entry {
  const windows = packed.map(([openedAtMs, openedBy, used, everyMs]): WindowState => ({
    openedAtMs,
    openedBy,
    used,
    everyMs,
  }));
  return {
    record: { total, lastTake, restUntilMs, windows },
    place: { rank: rank ?? undefined, wakeAtMs: wakeAtMs ?? undefined },
  };
}
