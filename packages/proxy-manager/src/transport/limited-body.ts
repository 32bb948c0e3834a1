import { Readable } from 'node:stream';
import { TransportFault } from './fault.js';
import type { WireRequest } from './transport.js';

/** The request's body, which fails with ERR_BAD_REQUEST, as in axios, once it is longer than `maxRequestBytes`. */
export function limitedBody(
  { body, options: { maxRequestBytes } }: Pick<WireRequest, 'body' | 'options'>,
  sent: boolean,
): Uint8Array | string | Readable | null {
  if (body === undefined) return null;
  if (body instanceof Readable) {
    return maxRequestBytes === Number.POSITIVE_INFINITY ? body : counted(body, maxRequestBytes);
  }
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  if (length > maxRequestBytes) throw tooLarge(sent);
  return body;
}

function counted(body: Readable, maxBytes: number): Readable {
  let length = 0;
  const limited = Readable.from(
    (async function* () {
      for await (const chunk of body) {
        length += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength;
        if (length > maxBytes) throw tooLarge(true);
        yield chunk;
      }
    })(),
    { objectMode: false },
  );
  return limited;
}

function tooLarge(sent: boolean): TransportFault {
  const message = 'Request body larger than maxBodyLength limit';
  return new TransportFault('ERR_BAD_REQUEST', message, { phase: 'request', sent });
}
