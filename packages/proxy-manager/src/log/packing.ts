import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Segment } from './segment.js';
import { isPacked, PACKED_SUFFIX } from './segment.js';

/** A tenth of the bytes for a fifth of the time of the default level. */
const LEVEL = 1;

/** Read at once: each piece goes to another thread and back, which takes longer than to read and compress 64 KiB. */
const PIECE_BYTES = 1024 * 1024;

const busy = new WeakMap<Segment, Promise<unknown>>();

/** Compresses a closed segment. It is there whole, in one of the two forms, at any moment. */
export function pack(segment: Segment): Promise<void> {
  return oneByOne(segment, async () => {
    if (segment.open || isPacked(segment)) return;
    const plain = segment.path;
    await replace(segment, plain + PACKED_SUFFIX, createGzip({ level: LEVEL }));
    segment.packedBytes = statSync(segment.path).size;
  });
}

/** Makes a segment readable again, and its size known; one that is not packed stays as it is. */
export function unpack(segment: Segment): Promise<void> {
  return oneByOne(segment, async () => {
    if (!isPacked(segment)) return;
    await replace(segment, segment.path.slice(0, -PACKED_SUFFIX.length), createGunzip());
    segment.size = statSync(segment.path).size;
    delete segment.packedBytes;
  });
}

function oneByOne(segment: Segment, work: () => Promise<void>): Promise<void> {
  const done = (busy.get(segment) ?? Promise.resolve()).then(work);
  busy.set(
    segment,
    done.catch(() => {}),
  );
  return done;
}

async function replace(segment: Segment, path: string, through: NodeJS.ReadWriteStream): Promise<void> {
  const part = `${path}.part`;
  const from = segment.path;
  try {
    const read = createReadStream(from, { highWaterMark: PIECE_BYTES });
    await pipeline(read, through, createWriteStream(part, { mode: 0o600 }));
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  segment.path = path;
  rmSync(from, { force: true });
}
