import { constants } from 'node:zlib';

interface Flushing {
  readonly flush?: number;
  readonly finishFlush?: number;
}

const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = constants;
const ofZlib = { flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH };

/**
 * The options of Node's decoders, by coding, with which what there is of a body cut short is given, as axios and browsers
 * do it, and not an error. The one of zstd has none. The cache decodes again what the transport has decoded: alike.
 */
export const LENIENT: Readonly<Record<'br' | 'deflate' | 'gzip' | 'zstd', Flushing>> = {
  br: { flush: BROTLI_OPERATION_FLUSH, finishFlush: BROTLI_OPERATION_FLUSH },
  deflate: ofZlib,
  gzip: ofZlib,
  zstd: {},
};
