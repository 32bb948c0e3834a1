import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { HeaderList } from '../pipeline/headers.js';
import { header } from '../pipeline/headers.js';
import { LENIENT } from '../pipeline/lenient.js';
import type { CodedBody } from '../transport/transport.js';

type Transform = (bytes: Uint8Array, options: object) => Buffer | Promise<Buffer>;

/** In the place where the caller stands, and in a thread. */
type Ways = readonly [sync: Transform, async: Transform];

/** Up to here a body is coded where the caller stands: a thread takes three times as long for the same work. */
const MAX_SYNC_BYTES = 128 * 1024;

const COMPRESSIBLE = /^text\/|[/+](?:json|xml|javascript|ecmascript|graphql|yaml|x-ndjson|ndjson|wasm)\b/i;

const { BROTLI_PARAM_QUALITY } = zlib.constants;

/** Since Node 22.15; unknown to the types of Node 20. */
const zstd = zlib as {
  readonly zstdCompress?: typeof zlib.brotliCompress;
  readonly zstdCompressSync?: Transform;
  readonly zstdDecompress?: typeof zlib.brotliDecompress;
  readonly zstdDecompressSync?: Transform;
};

/** The coding that bodies are kept in which came without one. */
const OWN: { readonly name: string; readonly ways: Ways; readonly options: object } =
  zstd.zstdCompressSync && zstd.zstdCompress
    ? {
        name: 'zstd',
        ways: [zstd.zstdCompressSync, promisify<Uint8Array, object, Buffer>(zstd.zstdCompress)],
        options: { params: { [Number(Reflect.get(zlib.constants, 'ZSTD_c_compressionLevel'))]: 1 } },
      }
    : {
        name: 'br',
        ways: [zlib.brotliCompressSync, promisify<Uint8Array, object, Buffer>(zlib.brotliCompress)],
        options: { params: { [BROTLI_PARAM_QUALITY]: 1 } },
      };

/** Of the codings that a store may hold. */
const DECODERS: ReadonlyMap<string, { readonly ways: Ways; readonly options: object }> = new Map([
  decoderOf('br', zlib.brotliDecompressSync, zlib.brotliDecompress),
  decoderOf('gzip', zlib.gunzipSync, zlib.gunzip),
  ...(zstd.zstdDecompressSync && zstd.zstdDecompress
    ? [decoderOf('zstd', zstd.zstdDecompressSync, zstd.zstdDecompress)]
    : []),
]);

function decoderOf(
  coding: keyof typeof LENIENT,
  sync: Transform,
  async: typeof zlib.brotliDecompress,
): [string, { readonly ways: Ways; readonly options: object }] {
  return [coding, { ways: [sync, promisify<Uint8Array, object, Buffer>(async)], options: LENIENT[coding] }];
}

/** A body as a store keeps it. */
export interface StoredBody {
  readonly bytes: Uint8Array;
  /** Undefined: the bytes are the body. */
  readonly coding: string | undefined;
}

/**
 * The body as it is worth keeping where it has `minBytes` or more: as it came, where it came in a coding that this Node
 * reads; else coded by zstd or brotli, where it is text.
 */
export function storedBody(
  body: Uint8Array,
  coded: CodedBody | undefined,
  headers: HeaderList,
  minBytes: number,
): Promise<StoredBody> | StoredBody {
  const asItIs = { bytes: body, coding: undefined };
  if (body.byteLength < minBytes) return asItIs;
  if (coded !== undefined && DECODERS.has(coded.coding) && coded.bytes.byteLength < body.byteLength) return coded;
  if (header(headers, 'content-encoding') !== undefined) return asItIs;
  if (!COMPRESSIBLE.test(header(headers, 'content-type') ?? '')) return asItIs;
  return compressed(body);
}

async function compressed(body: Uint8Array): Promise<StoredBody> {
  const bytes = await OWN.ways[way(body.byteLength)](body, OWN.options);
  return bytes.byteLength < body.byteLength ? { bytes, coding: OWN.name } : { bytes: body, coding: undefined };
}

/** The body of `length` bytes again; undefined where this Node cannot read the coding, or the bytes are not coded so. */
export async function decompressBody(
  bytes: Uint8Array,
  coding: string,
  length: number,
): Promise<Uint8Array | undefined> {
  const decoder = DECODERS.get(coding);
  if (decoder === undefined) return undefined;
  const { ways, options } = decoder;
  try {
    const body = await ways[way(length)](bytes, { ...options, maxOutputLength: length });
    return body.byteLength === length ? body : undefined;
  } catch {
    return undefined;
  }
}

function way(length: number): 0 | 1 {
  return length <= MAX_SYNC_BYTES ? 0 : 1;
}
