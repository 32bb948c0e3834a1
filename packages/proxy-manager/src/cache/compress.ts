import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { HeaderList } from '../pipeline/headers.js';
import { header } from '../pipeline/headers.js';

type Transform = (bytes: Uint8Array, options: object) => Buffer | Promise<Buffer>;

/** One coding of stored bodies: where the caller stands, and in a thread. */
interface Codec {
  readonly name: string;
  readonly options: object;
  readonly encode: readonly [sync: Transform, async: Transform];
  readonly decode: readonly [sync: Transform, async: Transform];
}

/** Up to here a body is coded where the caller stands: a thread takes three times as long for the same work. */
const MAX_SYNC_BYTES = 128 * 1024;

const COMPRESSIBLE = /^text\/|[/+](?:json|xml|javascript|ecmascript|graphql|yaml|x-ndjson|ndjson|wasm)\b/i;

const CODECS: readonly Codec[] = [
  ...zstd(),
  {
    name: 'br',
    options: { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } },
    encode: [zlib.brotliCompressSync, promisify<Uint8Array, object, Buffer>(zlib.brotliCompress)],
    decode: [zlib.brotliDecompressSync, promisify<Uint8Array, object, Buffer>(zlib.brotliDecompress)],
  },
];

/** Since Node 22.15; unknown to the types of Node 20. */
function zstd(): Codec[] {
  type Callback = typeof zlib.brotliCompress;
  const { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } = zlib as {
    zstdCompress?: Callback;
    zstdCompressSync?: Transform;
    zstdDecompress?: Callback;
    zstdDecompressSync?: Transform;
  };
  const level: unknown = Reflect.get(zlib.constants, 'ZSTD_c_compressionLevel');
  if (!zstdCompress || !zstdCompressSync || !zstdDecompress || !zstdDecompressSync) return [];
  return [
    {
      name: 'zstd',
      options: { params: { [Number(level)]: 1 } },
      encode: [zstdCompressSync, promisify<Uint8Array, object, Buffer>(zstdCompress)],
      decode: [zstdDecompressSync, promisify<Uint8Array, object, Buffer>(zstdDecompress)],
    },
  ];
}

/** A body as a store keeps it. */
export interface StoredBody {
  readonly bytes: Uint8Array;
  /** Undefined: the bytes are the body. */
  readonly coding: string | undefined;
}

/** The body as it is worth keeping: coded by zstd or brotli where it is text of `minBytes` or more that came without a coding. */
export async function compressBody(body: Uint8Array, headers: HeaderList, minBytes: number): Promise<StoredBody> {
  const asItIs = { bytes: body, coding: undefined };
  const [codec] = CODECS;
  if (codec === undefined || body.byteLength < minBytes) return asItIs;
  if (header(headers, 'content-encoding') !== undefined) return asItIs;
  if (!COMPRESSIBLE.test(header(headers, 'content-type') ?? '')) return asItIs;
  const bytes = await codec.encode[way(body.byteLength)](body, codec.options);
  return bytes.byteLength < body.byteLength ? { bytes, coding: codec.name } : asItIs;
}

/** The body of `length` bytes again; undefined where this Node cannot read the coding, or the bytes are not coded so. */
export async function decompressBody(
  bytes: Uint8Array,
  coding: string,
  length: number,
): Promise<Uint8Array | undefined> {
  const codec = CODECS.find(({ name }) => name === coding);
  if (codec === undefined) return undefined;
  try {
    const body = await codec.decode[way(length)](bytes, { maxOutputLength: length });
    return body.byteLength === length ? body : undefined;
  } catch {
    return undefined;
  }
}

function way(length: number): 0 | 1 {
  return length <= MAX_SYNC_BYTES ? 0 : 1;
}
