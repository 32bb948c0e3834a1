import type { Transport } from './transport.js';
import { undiciTransport } from './undici.js';

/** The built-in transport. */
export function createTransport(): Transport {
  return undiciTransport();
}
