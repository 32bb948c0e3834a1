import { open } from 'node:fs/promises';
import { endianness } from 'node:os';

const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET = 24;
const FORMAT = 2;

/**
 * Rejects when `file` is there and is no lmdb data file of the format in use: lmdb itself ends the process on one.
 */
export async function assertStoreFile(file: string): Promise<void> {
  const header = await readHeader(file);
  if (header === undefined) return;
  const little = endianness() === 'LE';
  const word = (offset: number): number | undefined => {
    if (header.length < offset + 4) return undefined;
    return little ? header.readUInt32LE(offset) : header.readUInt32BE(offset);
  };
  if (word(MAGIC_OFFSET) === MAGIC && word(MAGIC_OFFSET + 4) === FORMAT) return;
  throw new Error(`${file} is damaged or of another format; move it away to begin anew`);
}

/** The newest of `names` (`NAME-vVERSION`) that belongs to `name` and is above `version`, if any. */
export function newerVersion(name: string, version: number, names: Iterable<unknown>): string | undefined {
  let newest = version;
  for (const candidate of names) {
    const match = typeof candidate === 'string' ? /^(.+)-v(\d+)$/.exec(candidate) : null;
    if (match?.[1] === name) newest = Math.max(newest, Number(match[2]));
  }
  return newest > version ? `${name}-v${newest}` : undefined;
}

async function readHeader(file: string): Promise<Buffer | undefined> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
