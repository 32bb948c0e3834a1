import type { Reply } from '../pipeline/exchange.js';

/** A whole body for the caller, who may alter it: the reply's own bytes unless somebody else keeps them. */
export function ownBytes(body: Uint8Array, { isShared }: Pick<Reply, 'isShared'>): Buffer {
  return isShared === true ? Buffer.from(body) : viewOf(body);
}

/** The same bytes as a Buffer. */
export function viewOf(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
