import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * One file of the spool, `<id>.<owner>.ndjson`, or `.ndjson.gz` once it is packed: only its owner appends to it, packs
 * it, ships it and removes it. A rename gives it to another owner in one step, so two never have it. Ids sort by time.
 */
export interface Segment {
  readonly id: string;
  path: string;
  /** Bytes of whole lines in it; of a packed one whose lines nobody has seen yet, Infinity. */
  size: number;
  /** Bytes on disk while it is packed. */
  packedBytes?: number;
  /** True while its owner still appends to it. */
  open: boolean;
  /** True where another log wrote it. */
  readonly takenOver?: boolean;
}

const SUFFIX = '.ndjson';

const FORMS: ReadonlySet<string> = new Set(['ndjson', 'ndjson.gz']);

const BEGUN = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z-/;

/** What a packed segment's name ends with, behind the name that it has otherwise. */
export const PACKED_SUFFIX = '.gz';

export function isPacked({ path }: Pick<Segment, 'path'>): boolean {
  return path.endsWith(PACKED_SUFFIX);
}

export function segmentPath(directory: string, id: string, owner: string): string {
  return join(directory, `${id}.${owner}${SUFFIX}`);
}

/** Every segment in `directory` with its owner, oldest first; none where there is no directory. */
export function listSegments(
  directory: string,
): { readonly id: string; readonly owner: string; readonly path: string }[] {
  const segments = new Map<string, { id: string; owner: string; path: string }>();
  for (const name of names(directory).toSorted()) {
    const [id, owner, ...rest] = name.split('.');
    if (id === undefined || owner === undefined || !FORMS.has(rest.join('.'))) continue;
    const path = join(directory, name);
    // Where a crash left both forms they hold the same, and the plain one counts.
    if (!segments.has(id) || !isPacked({ path })) segments.set(id, { id, owner, path });
  }
  return [...segments.values()];
}

/** When a segment was begun, epoch ms; undefined where its id does not tell. */
export function begunAtMs(id: string): number | undefined {
  const [, day, hours, minutes, seconds, ms] = BEGUN.exec(id) ?? [];
  const time = day === undefined ? Number.NaN : Date.parse(`${day}T${hours}:${minutes}:${seconds}.${ms}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** Gives the segment to `owner`; false where another one had it sooner. */
export function handOver(directory: string, segment: Segment, owner: string): boolean {
  const path = segmentPath(directory, segment.id, owner) + (isPacked(segment) ? PACKED_SUFFIX : '');
  try {
    renameSync(segment.path, path);
    segment.path = path;
    const { size } = statSync(path);
    if (isPacked(segment)) segment.packedBytes = size;
    else if (!segment.open) segment.size = size;
    return true;
  } catch {
    return false;
  }
}

/** How many bytes of the segment are safe with the sink of this name, in a file of its own beside the segment. */
export function readCursor(directory: string, id: string, sink: string): number {
  try {
    return Number(readFileSync(cursorPath(directory, id, sink), 'latin1')) || 0;
  } catch {
    return 0;
  }
}

/** One write of a fixed length, so that a kill leaves the old number or the new one. */
export function writeCursor(directory: string, id: string, sink: string, offset: number): void {
  const fd = openSync(cursorPath(directory, id, sink), constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    writeSync(fd, String(offset).padStart(16, '0'), 0);
  } finally {
    closeSync(fd);
  }
}

/** Removes the segment, then what was noted about it: the other way round a crash would ship all of it again. */
export function removeSegment(directory: string, segment: Segment): void {
  rmSync(segment.path, { force: true });
  for (const name of names(directory)) {
    if (name.startsWith(`${segment.id}.`)) rmSync(join(directory, name), { force: true });
  }
}

function cursorPath(directory: string, id: string, sink: string): string {
  return join(directory, `${id}.${sink.replaceAll(/[^\w-]/g, '_')}.cursor`);
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
