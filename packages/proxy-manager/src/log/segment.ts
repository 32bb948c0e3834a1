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
 * One file of the spool, `<id>.<owner>.ndjson`: only its owner appends to it, ships it and removes it. A rename gives
 * it to another owner in one step, so two never have it. Ids sort by time.
 */
export interface Segment {
  readonly id: string;
  path: string;
  /** Bytes of whole lines in it. */
  size: number;
  /** True while its owner still appends to it. */
  open: boolean;
}

const SUFFIX = '.ndjson';

export function segmentPath(directory: string, id: string, owner: string): string {
  return join(directory, `${id}.${owner}${SUFFIX}`);
}

/** Every segment in `directory` with its owner, oldest first; none where there is no directory. */
export function listSegments(
  directory: string,
): { readonly id: string; readonly owner: string; readonly path: string }[] {
  const segments = [];
  for (const name of names(directory).toSorted()) {
    const [id, owner, ...rest] = name.split('.');
    if (!name.endsWith(SUFFIX) || id === undefined || owner === undefined || rest.length !== 1) continue;
    segments.push({ id, owner, path: join(directory, name) });
  }
  return segments;
}

/** Gives the segment to `owner`; false where another one had it sooner. */
export function handOver(directory: string, segment: Segment, owner: string): boolean {
  const path = segmentPath(directory, segment.id, owner);
  try {
    renameSync(segment.path, path);
    segment.path = path;
    segment.size = segment.open ? segment.size : statSync(path).size;
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
