import { readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { endianness } from 'node:os';

const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET = 24;
const FORMAT = 2;
const PAGE_SIZE_OFFSET = 48;
/** Of the number of the transaction that wrote a meta page; on 64-bit machines. */
const TRANSACTION_OFFSET = 152;
const LITTLE_ENDIAN: boolean = endianness() === 'LE';

/**
 * Rejects when `file` is there and is no lmdb data file of the format in use: lmdb itself ends the process on one.
 */
export async function assertStoreFile(file: string): Promise<void> {
  const header = await readHeader(file);
  if (header === undefined) return;
  const word = (offset: number): number | undefined =>
    header.length < offset + 4 ? undefined : readWord(header, offset);
  if (word(MAGIC_OFFSET) === MAGIC && word(MAGIC_OFFSET + 4) === FORMAT) return;
  throw new Error(`${file} is damaged or of another format; move it away to begin anew`);
}

/** Enough for both meta pages of the usual size. */
const metaPages = Buffer.alloc(4096 + TRANSACTION_OFFSET + 8);

/** The number of the newest transaction committed to an lmdb data file: the greater one of its two meta pages. */
export function newestTransaction(file: number): number {
  readSync(file, metaPages, 0, metaPages.length, 0);
  const first = readNumber(metaPages, TRANSACTION_OFFSET);
  let second = readWord(metaPages, PAGE_SIZE_OFFSET) + TRANSACTION_OFFSET;
  if (second + 8 > metaPages.length) {
    readSync(file, metaPages, 0, TRANSACTION_OFFSET + 8, second - TRANSACTION_OFFSET);
    second = TRANSACTION_OFFSET;
  }
  return Math.max(first, readNumber(metaPages, second));
}

function readWord(buffer: Buffer, offset: number): number {
  return LITTLE_ENDIAN ? buffer.readUInt32LE(offset) : buffer.readUInt32BE(offset);
}

function readNumber(buffer: Buffer, offset: number): number {
  return Number(LITTLE_ENDIAN ? buffer.readBigUInt64LE(offset) : buffer.readBigUInt64BE(offset));
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
