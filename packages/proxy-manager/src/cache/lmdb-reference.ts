/*
 * What lies under an entry's place in lmdb, as doubles: the number of its row, of its last use, and its end.
 */
const USED_AT = 8;
const EXPIRES_AT = 16;
const BYTES = 24;

/** Where an entry lies, and what is asked most often of it. */
export interface Reference {
  /** Of its row; a smaller one was stored earlier. */
  readonly number: number;
  /** The same number, or of its last use after that. */
  readonly used: number;
  readonly expiresAtMs: number;
}

export function packReference({ number, used, expiresAtMs }: Reference): Buffer {
  const packed = Buffer.allocUnsafe(BYTES);
  packed.writeDoubleLE(number, 0);
  packed.writeDoubleLE(used, USED_AT);
  packed.writeDoubleLE(expiresAtMs, EXPIRES_AT);
  return packed;
}

export function readReference(packed: Buffer): Reference {
  return {
    number: packed.readDoubleLE(0),
    used: packed.readDoubleLE(USED_AT),
    expiresAtMs: packed.readDoubleLE(EXPIRES_AT),
  };
}
