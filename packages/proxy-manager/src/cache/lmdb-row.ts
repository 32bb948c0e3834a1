/*
 * An entry's row in lmdb: order of its last use, end, bytes that it counts (doubles), length of the words (32 bits) and
 * whether the record follows them (8 bits); the words, method, url and tags, as JSON; the record, or nothing.
 */
const EXPIRES_AT = 8;
const BYTES_AT = 16;
const LENGTH_AT = 24;
const INLINE_AT = 28;
const WORDS_AT = 29;

const NOTHING = Buffer.alloc(0);

/** What is known of an entry without reading its record. */
export interface Meta {
  readonly method: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly bytes: number;
  readonly expiresAtMs: number;
  readonly order: number;
  /** False where the record has a row of its own. */
  readonly isInline: boolean;
}

export function toRow({ method, url, tags, bytes, expiresAtMs, order, isInline }: Meta, record: Buffer): Buffer {
  const words = JSON.stringify([method, url, ...tags]);
  const length = Buffer.byteLength(words);
  const row = Buffer.allocUnsafe(WORDS_AT + length + (isInline ? record.byteLength : 0));
  row.writeDoubleLE(order, 0);
  row.writeDoubleLE(expiresAtMs, EXPIRES_AT);
  row.writeDoubleLE(bytes, BYTES_AT);
  row.writeUInt32LE(length, LENGTH_AT);
  row.writeUInt8(isInline ? 1 : 0, INLINE_AT);
  row.write(words, WORDS_AT);
  if (isInline) row.set(record, WORDS_AT + length);
  return row;
}

/** Undefined where the row is damaged. */
export function readMeta(row: Buffer): Meta | undefined {
  if (row.byteLength < WORDS_AT) return undefined;
  try {
    const words: unknown = JSON.parse(row.toString('utf8', WORDS_AT, WORDS_AT + row.readUInt32LE(LENGTH_AT)));
    const [method = '', url = '', ...tags] = words as readonly string[];
    const isInline = row.readUInt8(INLINE_AT) === 1;
    const [order, expiresAtMs, bytes] = [0, EXPIRES_AT, BYTES_AT].map((at) => row.readDoubleLE(at)) as [
      number,
      number,
      number,
    ];
    return { method, url, tags, bytes, expiresAtMs, order, isInline };
  } catch {
    return undefined;
  }
}

/** The record in the row; undefined where it has a row of its own. */
export function readRecord(row: Buffer): Buffer | undefined {
  if (row.byteLength < WORDS_AT) return NOTHING;
  return row.readUInt8(INLINE_AT) === 1 ? row.subarray(WORDS_AT + row.readUInt32LE(LENGTH_AT)) : undefined;
}

/** The row, used last at `order`. */
export function withOrder(row: Buffer, order: number): Buffer {
  const used = Buffer.from(row);
  used.writeDoubleLE(order, 0);
  return used;
}
