import { crc32 } from 'node:zlib';
import type { CacheEntry } from './cache-store.js';
import type { StoredBody } from './compress.js';
import { decompressBody, storedBody } from './compress.js';

/**
 * One entry as bytes: format version (1 byte), CRC-32 of all that follows (4), length of the head (4), the head as
 * JSON, the body. To be raised with every change that an older release would misread.
 */
const FORMAT_VERSION = 2;
const CHECKSUM_AT = 1;
const COVERED_FROM = 5;
const HEAD_AT = 9;

type Optional = 'finalUrl' | 'variant';

/** What is not there is not written. */
type Head = Omit<CacheEntry, Optional | 'body' | 'coded'> &
  Partial<Pick<CacheEntry, Optional>> & {
    /** How the body is coded, and its length before. */
    readonly coded?: readonly [coding: string, length: number];
  };

/** The entry as bytes, its body compressed where it has `compressedFrom` bytes or more and that is worth it. */
export function encodeEntry({ body, coded, ...head }: CacheEntry, compressedFrom: number): Buffer | Promise<Buffer> {
  const stored = storedBody(body, coded, head.headers, compressedFrom);
  const length = body.byteLength;
  return stored instanceof Promise ? stored.then((it) => toRecord(head, it, length)) : toRecord(head, stored, length);
}

function toRecord(entryHead: Head, { bytes, coding }: StoredBody, length: number): Buffer {
  const text = JSON.stringify(coding === undefined ? entryHead : { ...entryHead, coded: [coding, length] });
  const textBytes = Buffer.byteLength(text);
  const record = Buffer.allocUnsafe(HEAD_AT + textBytes + bytes.byteLength);
  record.writeUInt8(FORMAT_VERSION, 0);
  record.writeUInt32LE(textBytes, COVERED_FROM);
  record.write(text, HEAD_AT);
  record.set(bytes, HEAD_AT + textBytes);
  record.writeUInt32LE(crc32(record.subarray(COVERED_FROM)), CHECKSUM_AT);
  return record;
}

/**
 * The entry, or undefined for bytes that are damaged, cut short, of another format version, or coded as this Node cannot
 * read. Its body may be a part of `record`.
 */
export async function decodeEntry(record: Buffer): Promise<CacheEntry | undefined> {
  if (record.byteLength < HEAD_AT || record.readUInt8(0) !== FORMAT_VERSION) return undefined;
  if (record.readUInt32LE(CHECKSUM_AT) !== crc32(record.subarray(COVERED_FROM))) return undefined;
  const bodyAt = HEAD_AT + record.readUInt32LE(COVERED_FROM);
  // What the checksum covers is what `encodeEntry` wrote.
  const head: Head = JSON.parse(record.toString('utf8', HEAD_AT, bodyAt));
  const bytes = record.subarray(bodyAt);
  const body = head.coded === undefined ? bytes : await decompressBody(bytes, ...head.coded);
  return body && entryOf(head, body);
}

/** Name by name: to spread what JSON.parse made takes several times as long. */
function entryOf(head: Head, body: Uint8Array): CacheEntry {
  return {
    method: head.method,
    url: head.url,
    finalUrl: head.finalUrl,
    httpVersion: head.httpVersion,
    status: head.status,
    statusText: head.statusText,
    headers: head.headers,
    body,
    storedAtMs: head.storedAtMs,
    initialAgeMs: head.initialAgeMs,
    staleAtMs: head.staleAtMs,
    expiresAtMs: head.expiresAtMs,
    variant: head.variant,
    tags: head.tags,
  };
}
