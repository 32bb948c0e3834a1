/*
 * An entry's row in lmdb: its end and the bytes that it counts (doubles), length of the words (32 bits), length of the key
 * and whether the record follows (8 bits each); the key; the words, method, url and tags, as JSON; the record, or nothing.
 */
const BYTES_AT = 8;
const WORDS_LENGTH_AT = 16;
const KEY_LENGTH_AT = 20;
const INLINE_AT = 21;
const KEY_AT = 22;

const NOTHING = Buffer.alloc(0);

/** What is known of an entry without reading its record. */
export interface Meta {
  readonly key: string;
  readonly method: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly bytes: number;
  readonly expiresAtMs: number;
  /** False where the record has a row of its own. */
  readonly isInline: boolean;
}

export function toRow({ key, method, url, tags, bytes, expiresAtMs, isInline }: Meta, record: Buffer): Buffer {
  const words = JSON.stringify([method, url, ...tags]);
  const length = Buffer.byteLength(words);
  const recordAt = KEY_AT + key.length + length;
  const row = Buffer.allocUnsafe(recordAt + (isInline ? record.byteLength : 0));
  row.writeDoubleLE(expiresAtMs, 0);
  row.writeDoubleLE(bytes, BYTES_AT);
  row.writeUInt32LE(length, WORDS_LENGTH_AT);
  row.writeUInt8(key.length, KEY_LENGTH_AT);
  row.writeUInt8(isInline ? 1 : 0, INLINE_AT);
  row.write(key, KEY_AT, 'latin1');
  row.write(words, KEY_AT + key.length);
  if (isInline) row.set(record, recordAt);
  return row;
}

/** Undefined where the row is damaged. */
export function readMeta(row: Buffer): Meta | undefined {
  if (row.byteLength < KEY_AT) return undefined;
  const wordsAt = KEY_AT + row.readUInt8(KEY_LENGTH_AT);
  try {
    const words: unknown = JSON.parse(row.toString('utf8', wordsAt, wordsAt + row.readUInt32LE(WORDS_LENGTH_AT)));
    const [method = '', url = '', ...tags] = words as readonly string[];
    return {
      key: row.toString('latin1', KEY_AT, wordsAt),
      method,
      url,
      tags,
      bytes: row.readDoubleLE(BYTES_AT),
      expiresAtMs: row.readDoubleLE(0),
      isInline: row.readUInt8(INLINE_AT) === 1,
    };
  } catch {
    return undefined;
  }
}

/** False where the row is another key's; a damaged one may be anybody's. */
export function isRowOf(key: string, row: Buffer): boolean {
  return row.byteLength < KEY_AT || row.toString('latin1', KEY_AT, KEY_AT + row.readUInt8(KEY_LENGTH_AT)) === key;
}

/** The record in the row; undefined where it has a row of its own. */
export function readRecord(row: Buffer): Buffer | undefined {
  if (row.byteLength < KEY_AT) return NOTHING;
  const wordsAt = KEY_AT + row.readUInt8(KEY_LENGTH_AT);
  return row.readUInt8(INLINE_AT) === 1 ? row.subarray(wordsAt + row.readUInt32LE(WORDS_LENGTH_AT)) : undefined;
}
