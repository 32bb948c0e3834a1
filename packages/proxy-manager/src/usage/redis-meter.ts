import type { Meter } from '../config/resolve.js';
import { readingOf, recordAt } from '../pool/meter-record.js';
import type { WindowState } from '../pool/window.js';
import type { MeterReading } from './usage-store.js';

/** Words before the windows, and words for each window, as redis-script.ts writes a meter. */
const HEAD = 6;
const PER_WINDOW = 5;

/** A meter as the scripts write it, read by the limits of `meter`. */
export function toReading(
  packed: string | undefined,
  meter: Meter,
  kind: 'key' | 'proxy',
  nowMs: number,
): MeterReading {
  const words = packed?.split(' ') ?? [];
  const record = {
    total: Number(words[0] ?? 0),
    lastTake: Number(words[1] ?? 0),
    restUntilMs: Number(words[2] ?? 0),
    windows: windowsOf(words),
  };
  return readingOf(recordAt(record, meter, nowMs), meter, kind, nowMs);
}

/** The number of the last take of a packed meter. */
export function lastTake(packed: string): number {
  return Number(packed.split(' ')[1]);
}

/** The takes that opened the windows of a packed meter. */
export function openedBy(packed: string): number[] {
  return windowsOf(packed.split(' ')).map((state) => state.openedBy);
}

function windowsOf(words: readonly string[]): WindowState[] {
  const windows: WindowState[] = [];
  for (let at = HEAD; at < words.length; at += PER_WINDOW) {
    windows.push({
      everyMs: Number(words[at + 1]),
      openedAtMs: Number(words[at + 2]),
      openedBy: Number(words[at + 3]),
      used: Number(words[at + 4]),
    });
  }
  return windows;
}
