import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

/** Beyond it nobody looks; the same is then to be taken for the worst. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * What compressed bytes hold: those that begin as gzip or zlib data do, and those of which `coding` says so. Undefined
 * where they are not compressed or not sound; `'too large'` where they hold more than 64 MiB.
 */
export function unpacked(content: Uint8Array, coding?: string): Uint8Array | 'too large' | undefined {
  const unpack = unpackerOf(content, coding);
  try {
    return unpack?.(content, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return isTooLarge ? 'too large' : undefined;
  }
}

function unpackerOf(content: Uint8Array, coding: string | undefined): typeof gunzipSync | undefined {
  const [first, second = 0] = content;
  if (first === 0x1f && second === 0x8b) return gunzipSync;
  // RFC 1950 §2.2: deflate with a window of up to 32 KiB, and a check over both bytes.
  if (first !== undefined && (first & 0x8f) === 0x08 && (first * 256 + second) % 31 === 0) return inflateSync;
  return coding === 'br' ? brotliDecompressSync : undefined;
}
