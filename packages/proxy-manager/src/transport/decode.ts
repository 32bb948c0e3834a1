import { constants as bufferLimits } from 'node:buffer';
import { Duplex, pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import {
  brotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  gunzip,
  inflate,
  inflateRaw,
} from 'node:zlib';
import { header, type HeaderList } from '../pipeline/headers.js';
import { LENIENT } from '../pipeline/lenient.js';

export type Coding = 'br' | 'deflate' | 'gzip' | 'zstd';

/** Node's own since 22.15; its types here are of an older one. */
const zstd = zlib as unknown as {
  readonly createZstdDecompress?: () => Transform;
  readonly zstdDecompress?: (
    body: Uint8Array,
    options: object,
    done: (error: Error | null, decoded: Uint8Array) => void,
  ) => void;
};

export const DECODES_ZSTD: boolean = zstd.zstdDecompress !== undefined && zstd.createZstdDecompress !== undefined;

const names: ReadonlyMap<string, Coding> = new Map([
  ['br', 'br'],
  ['deflate', 'deflate'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  // As axios: what is called so today is gzip.
  ['compress', 'gzip'],
  ['x-compress', 'gzip'],
  ...(DECODES_ZSTD ? [['zstd', 'zstd'] as const] : []),
]);
/** More layers than anybody sends in good faith; each costs a decoder. */
const MAX_CODINGS = 5;

const unzip = {
  br: promisify<Uint8Array, object, Uint8Array>(brotliDecompress),
  gzip: promisify<Uint8Array, object, Uint8Array>(gunzip),
  deflate: promisify<Uint8Array, object, Uint8Array>(inflate),
  raw: promisify<Uint8Array, object, Uint8Array>(inflateRaw),
  zstd: promisify<Uint8Array, object, Uint8Array>((body, options, done) => zstd.zstdDecompress?.(body, options, done)),
};

/** The codings of a body in the order of undoing; undefined where there is none, or one that we do not know. */
export function codingsOf(headers: HeaderList): readonly Coding[] | undefined {
  const value = header(headers, 'content-encoding');
  if (value === undefined) return undefined;
  const codings: Coding[] = [];
  for (const name of value.toLowerCase().split(',')) {
    const trimmed = name.trim();
    if (trimmed === '' || trimmed === 'identity') continue;
    const coding = names.get(trimmed);
    if (coding === undefined) return undefined;
    codings.unshift(coding);
  }
  return codings.length > 0 && codings.length <= MAX_CODINGS ? codings : undefined;
}

/** The most that `maxBytes` can be coded into by anyone who means well. */
export function codedLimit(maxBytes: number): number {
  return maxBytes + maxBytes / 100 + 65_536;
}

/** The whole body decoded; rejects with zlib's own error, `ERR_BUFFER_TOO_LARGE` beyond `maxBytes` of any layer. */
export async function decodeBuffer(
  body: Uint8Array,
  codings: readonly Coding[],
  maxBytes: number,
): Promise<Uint8Array> {
  const maxOutputLength = Math.max(1, Math.min(maxBytes, bufferLimits.MAX_LENGTH));
  let bytes = body;
  for (const coding of codings) {
    // Oddly enough, servers announce a coding on empty bodies.
    if (bytes.length === 0) return bytes;
    const kind = coding === 'deflate' && !isZlib(bytes) ? 'raw' : coding;
    bytes = await unzip[kind](bytes, { ...LENIENT[coding], maxOutputLength });
  }
  return bytes;
}

/**
 * The body decoded as it arrives, with back-pressure; destroying it destroys `source`. `count` sees the bytes that come
 * out and throws to end the stream; `translate` turns a decoder's error into the one the reader is to see.
 */
export function decodeStream(
  source: Readable,
  codings: readonly Coding[],
  count: (bytes: number) => void,
  translate: (error: Error) => Error,
): Readable {
  const end = new Counted(count, translate);
  const decoders = codings.map((coding) => {
    if (coding === 'gzip') return createGunzip(LENIENT.gzip);
    if (coding === 'br') return createBrotliDecompress(LENIENT.br);
    if (coding === 'zstd' && zstd.createZstdDecompress) return zstd.createZstdDecompress();
    return Duplex.from(inflateEither);
  });
  pipeline([source, ...decoders, end], () => {});
  return end;
}

class Counted extends Transform {
  readonly #count: (bytes: number) => void;
  readonly #translate: (error: Error) => Error;

  constructor(count: (bytes: number) => void, translate: (error: Error) => Error) {
    super();
    this.#count = count;
    this.#translate = translate;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#count(chunk.length);
      done(null, chunk);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error && this.#translate(error));
  }
}

/** `deflate` is zlib's format by the standard and raw deflate from servers that misread it: the first byte tells. */
async function* inflateEither(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const inflater = isZlib(first.value) ? createInflate(LENIENT.deflate) : createInflateRaw(LENIENT.deflate);
  const all = async function* (): AsyncIterable<Buffer> {
    yield first.value;
    for (let next; !(next = await chunks.next()).done;) yield next.value;
  };
  yield* pipeline(Readable.from(all()), inflater, () => {});
}

function isZlib(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 0x0f) === 8;
}
