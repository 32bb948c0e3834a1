import { closeSync, mkdirSync, openSync, rmSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { Problems } from './problems.js';
import type { Segment } from './segment.js';
import { segmentPath } from './segment.js';

/** The size at which a segment is closed where the spool's bound is no smaller matter. */
export const SEGMENT_MAX_BYTES: number = 16 * 1024 * 1024;

/** As for the size: a segment older than this is closed by the next record or sign of life. */
export const SEGMENT_MAX_AGE_MS = 3_600_000;

/** Where most texts become bytes: to know how many these are costs as much as to make them. */
const SHORT = Buffer.allocUnsafeSlow(256 * 1024);
/** UTF-8 takes three bytes for one UTF-16 code unit, and four for two. */
const MOST_BYTES_A_UNIT = 3;

/** Appends records to segments, one line of JSON each, handed to the operating system before `write` returns. */
export interface Spool {
  /** Bytes written, in one call; 0 where the records could not be kept, which is counted and reported. Never throws. */
  write(records: readonly string[]): number;
  /** Ends the open segment: nothing is appended to it any more. */
  rotate(): void;
  /** A sign of life on the open segment, for processes that cannot look this one up; ends one that is old. */
  touch(): void;
  /** Ends the open segment, and no other is opened: a later record is lost, which is counted and reported. */
  close(): void;
}

/** Nothing is touched on disk before the first record. Each new segment is handed to `onOpen`. */
export function openSpool(options: {
  readonly directory: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly onOpen: (segment: Segment) => void;
  /** A segment of this size is closed, and the next record opens a new one. */
  readonly segmentMaxBytes?: number;
}): Spool {
  const { directory, owner, clock, problems, onOpen, segmentMaxBytes = SEGMENT_MAX_BYTES } = options;
  let file: { readonly fd: number; readonly segment: Segment; readonly openedMs: number } | undefined;
  /** True while the last line lies there in part. */
  let isTorn = false;
  let opened = 0;
  let lost = 0;
  let isClosed = false;
  let late = 0;

  function open(nowMs: number): NonNullable<typeof file> {
    if (mkdirSync(directory, { recursive: true }) !== undefined) writeFileSync(join(directory, '.gitignore'), '*\n');
    opened += 1;
    const stamp = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
    const id = `${stamp}-${owner}-${opened}`;
    const path = segmentPath(directory, id, owner);
    // A log tells who asked whom for what: it is for its owner's eyes.
    const fd = openSync(path, 'ax', 0o600);
    const segment: Segment = { id, path, size: 0, open: true };
    file = { fd, segment, openedMs: nowMs };
    isTorn = false;
    onOpen(segment);
    return file;
  }

  function rotate(): void {
    if (file === undefined) return;
    const { fd, segment } = file;
    file = undefined;
    segment.open = false;
    try {
      closeSync(fd);
    } catch (error) {
      problems.report('spool', `could not close ${segment.path}`, error);
    }
  }

  function append(lines: string, nowMs: number): number {
    if (file !== undefined && (file.segment.size >= segmentMaxBytes || nowMs - file.openedMs >= SEGMENT_MAX_AGE_MS)) {
      rotate();
    }
    const { fd, segment } = file ?? open(nowMs);
    const text = isTorn ? `\n${lines}` : lines;
    const isShort = text.length * MOST_BYTES_A_UNIT <= SHORT.length;
    const bytes = isShort ? SHORT : Buffer.from(text);
    const length = isShort ? SHORT.write(text) : bytes.length;
    const written = writeSync(fd, bytes, 0, length);
    segment.size += written;
    isTorn = written < length;
    if (isTorn) throw new NoSpace(`the disk took ${written} of ${length} bytes`);
    return written;
  }

  /** A file that fails for another reason than space is given up, and a new one tried at once. */
  function appendSafely(lines: string, nowMs: number): number {
    try {
      return append(lines, nowMs);
    } catch (error) {
      const failed = file?.segment;
      if (failed === undefined || isFull(error)) throw error;
      rotate();
      if (failed.size === 0) {
        rmSync(failed.path, { force: true });
        throw error;
      }
      return append(lines, nowMs);
    }
  }

  return {
    write(records) {
      if (isClosed) return refuse(records.length);
      try {
        const written = appendSafely(`${records.join('\n')}\n`, clock.now());
        if (lost > 0) recover();
        return written;
      } catch (error) {
        lost += records.length;
        problems.report('spool', `could not write to ${directory}, records are being lost`, error);
        return 0;
      }
    },
    rotate,
    touch() {
      if (file !== undefined && clock.now() - file.openedMs >= SEGMENT_MAX_AGE_MS) rotate();
      if (file === undefined) return;
      const now = new Date();
      try {
        utimesSync(file.segment.path, now, now);
      } catch {
        // Someone took it away: what comes next goes where it can be seen.
        rotate();
      }
    },
    close() {
      isClosed = true;
      rotate();
    },
  };

  /** Those that come together, as replies that are cut off do, are told together. */
  function refuse(records: number): number {
    late += records;
    if (late === records) {
      setImmediate(() => {
        problems.report('late', `records that came after ${directory} was closed are lost: ${late}`);
        problems.mended('late');
        late = 0;
      });
    }
    return 0;
  }

  function recover(): void {
    problems.mended('spool');
    problems.report('lost', `${lost} records were lost; ${directory} can be written again`);
    problems.mended('lost');
    lost = 0;
  }
}

class NoSpace extends Error {
  readonly code = 'ENOSPC';
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
