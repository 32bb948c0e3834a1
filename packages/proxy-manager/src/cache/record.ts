import { crc32 } from 'node:zlib';
import type { CacheEntry } from './cache-store.js';

/**
 * One entry as bytes: format version (1 byte), CRC-32 of all that follows (4), length of the head (4), the head as
 * JSON, the body. To be raised with every change that an older release would misread.
 */
const FORMAT_VERSION = 1;
const CHECKSUM_AT = 1;
const COVERED_FROM = 5;
const HEAD_AT = 9;

type Head = Omit<CacheEntry, 'body' | 'finalUrl'> & { readonly finalUrl?: string };

export function encodeEntry({ body, ...head }: CacheEntry): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const record = Buffer.allocUnsafe(HEAD_AT + text.byteLength + body.byteLength);
  record.writeUInt8(FORMAT_VERSION, 0);
  record.writeUInt32LE(text.byteLength, COVERED_FROM);
  record.set(text, HEAD_AT);
  record.set(body, HEAD_AT + text.byteLength);
  record.writeUInt32LE(crc32(record.subarray(COVERED_FROM)), CHECKSUM_AT);
  return record;
}

/** The entry, or undefined for bytes that are damaged, cut short or of another format version. Its body is a part of `record`. */
export function decodeEntry(record: Buffer): CacheEntry | undefined {
  if (record.byteLength < HEAD_AT || record.readUInt8(0) !== FORMAT_VERSION) return undefined;
  if (record.readUInt32LE(CHECKSUM_AT) !== crc32(record.subarray(COVERED_FROM))) return undefined;
  const bodyAt = HEAD_AT + record.readUInt32LE(COVERED_FROM);
  // What the checksum covers is what `encodeEntry` wrote.
  const head: Head = JSON.parse(record.toString('utf8', HEAD_AT, bodyAt));
  return { ...head, finalUrl: head.finalUrl, body: record.subarray(bodyAt) };
}
