import { createReadStream, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../clock.js';
import type { HeldSegments } from './held-segments.js';
import { pack } from './packing.js';
import type { Problems } from './problems.js';
import type { Segment } from './segment.js';
import { begunAtMs, isPacked, listSegments } from './segment.js';
import { SEGMENT_MAX_AGE_MS } from './spool.js';

const DAY_MS = 86_400_000;

/** How much the spool may hold, all processes on its directory together. */
export interface SpoolBounds {
  readonly maxBytes: number;
  readonly maxDays: number;
}

/** Records that a bound has cost: those that some sink does not have, or all where there is no sink. */
export interface Loss {
  readonly records: number;
  readonly bytes: number;
  readonly bound: keyof SpoolBounds;
}

/** Keeps the spool within its bounds. */
export interface Housekeeping {
  /** Packs what waits, and removes the oldest segments beyond the bounds; one run at a time. Never rejects. */
  run(): Promise<void>;
  /** Ends it after the segment that it is at. */
  stop(): Promise<void>;
}

export function housekeeping(options: {
  readonly directory: string;
  readonly held: HeldSegments;
  readonly bounds: SpoolBounds;
  readonly clock: Clock;
  readonly problems: Problems;
  /** True where a segment is about to be shipped: it is left as it is. */
  readonly isInUse: (segment: Segment) => boolean;
  /** `own`: closed segments of this log will lie for long; `all`: those that ended processes left will, too. */
  readonly packs: () => 'all' | 'none' | 'own';
  /** How many bytes of a segment are safe with every sink. */
  readonly shippedBytes: (segment: Segment) => number;
  readonly onLoss: (loss: Loss) => void;
}): Housekeeping {
  const { directory, held, bounds, clock, problems, isInUse, packs, shippedBytes, onLoss } = options;
  let running: Promise<void> | undefined;
  let isAskedAgain = false;
  let isStopped = false;

  async function keep(): Promise<void> {
    const which = packs();
    if (which !== 'none') for (const segment of held.all()) await packSafely(segment);
    if (which === 'all') await packOrphans();
    // What is on its way to a sink may be as old as it is.
    const tooMuch = new Map(overdue(which === 'none' ? -Infinity : clock.now() - bounds.maxDays * DAY_MS));
    // What has no living owner is taken over, to be removed as one's own; what others hold is theirs to remove.
    held.adopt((id) => tooMuch.has(id));
    for (const segment of held.all()) {
      const bound = tooMuch.get(segment.id);
      if (bound !== undefined && !isStopped) await remove(segment, bound);
    }
  }

  async function packSafely(segment: Segment): Promise<void> {
    if (isStopped || segment.open || isPacked(segment) || isInUse(segment)) return;
    try {
      await pack(segment);
    } catch (error) {
      problems.report('pack', `could not compress ${segment.path}`, error);
    }
  }

  /** What ended processes left is given free again: one that ships may come. */
  async function packOrphans(): Promise<void> {
    const youngestMs = clock.now() - SEGMENT_MAX_AGE_MS;
    const isDue = (id: string, path: string): boolean => !isPacked({ path }) && (begunAtMs(id) ?? 0) < youngestMs;
    for (const segment of held.adopt(isDue)) {
      await packSafely(segment);
      held.release(segment);
    }
  }

  /** The ids of what is too much, or was begun before `oldestMs`. */
  function overdue(oldestMs: number): [id: string, bound: Loss['bound']][] {
    let bytes = 0;
    const found: [string, Loss['bound']][] = [];
    for (const { id, path } of listSegments(directory).toReversed()) {
      bytes += sizeOf(path);
      if ((begunAtMs(id) ?? oldestMs) < oldestMs) found.push([id, 'maxDays']);
      else if (bytes > bounds.maxBytes) found.push([id, 'maxBytes']);
    }
    return found;
  }

  async function remove(segment: Segment, bound: Loss['bound']): Promise<void> {
    if (segment.open) return;
    const bytes = sizeOf(segment.path);
    const records = await recordsIn(segment, shippedBytes(segment)).catch(() => 0);
    held.remove(segment);
    if (held.all().includes(segment)) return;
    const what = bound === 'maxBytes' ? `its bound of ${bounds.maxBytes} bytes` : `${bounds.maxDays} days`;
    problems.report(bound, `${directory} has reached ${what}: the oldest records are removed, now ${records}`);
    if (records > 0) onLoss({ records, bytes, bound });
  }

  async function runAll(): Promise<void> {
    await keep().catch((error: unknown) => {
      problems.report('bounds', `could not keep ${directory} within its bounds`, error);
    });
    running = undefined;
    if (!isAskedAgain || isStopped) return;
    isAskedAgain = false;
    running = runAll();
    await running;
  }

  return {
    async run() {
      if (isStopped) return;
      if (running === undefined) running = runAll();
      else isAskedAgain = true;
      await running;
    },
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

/** The lines behind the first `from` bytes. */
async function recordsIn(segment: Segment, from: number): Promise<number> {
  const file = createReadStream(segment.path);
  const bytes: AsyncIterable<Buffer> = isPacked(segment) ? file.pipe(createGunzip()) : file;
  let lines = 0;
  let offset = 0;
  for await (const chunk of bytes) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
      if (offset + at >= from) lines += 1;
    }
    offset += chunk.length;
  }
  return lines;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
