import { open } from 'node:fs/promises';

/** What is given to a sink at once, at most: so many lines, and so many bytes unless a single line is longer. */
export const BATCH_MAX_LINES = 1000;
export const BATCH_MAX_BYTES: number = 2 * 1024 * 1024;

/** Whole lines of a segment, and the offset behind the last of them. */
export interface Batch {
  readonly lines: readonly string[];
  readonly end: number;
}

const NEWLINE = 0x0a;

/** The batches between the byte offsets `start` and `size`, one after the other: while one is in use the next is read. */
export async function* readBatches(path: string, start: number, size: number): AsyncGenerator<Batch, void> {
  let next = start < size ? readBatch(path, start, size) : undefined;
  while (next !== undefined) {
    const batch = await next;
    next = batch.end < size ? readBatch(path, batch.end, size) : undefined;
    // It rejects where it is awaited; nobody may come to do so.
    next?.catch(() => {});
    yield batch;
  }
}

/** What follows the last newline counts as a line. */
async function readBatch(path: string, start: number, size: number): Promise<Batch> {
  const file = await open(path);
  try {
    for (let length = BATCH_MAX_BYTES; ; length *= 2) {
      const bytes = Buffer.allocUnsafe(Math.min(length, size - start));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      const read = bytes.subarray(0, bytesRead);
      const isAll = bytesRead < bytes.length || start + bytesRead >= size;
      const end = endOfBatch(read);
      if (end > 0) return { lines: linesOf(read.subarray(0, end)), end: start + end };
      if (isAll) return { lines: linesOf(read), end: size };
    }
  } finally {
    await file.close();
  }
}

function endOfBatch(bytes: Buffer): number {
  let end = 0;
  for (let count = 0; count < BATCH_MAX_LINES; count++) {
    const newline = bytes.indexOf(NEWLINE, end);
    if (newline === -1) break;
    end = newline + 1;
  }
  return end;
}

/** Without the fragments that a full disk or a power cut leaves of a line. */
function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'));
}
