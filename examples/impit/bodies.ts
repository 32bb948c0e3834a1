import { Readable } from 'node:stream';
import { TransportFault } from 'proxy-manager';
import type { WireRequest } from 'proxy-manager';

/** The request's body as impit takes it: bytes, so that it adds no content type, or a stream that ends where it is too long. */
export function sentBody(
  { body, options: { maxRequestBytes } }: WireRequest,
  on: { readonly bytes: (count: number) => void; readonly failed: (error: unknown) => void; readonly sent: boolean },
): Uint8Array | ReadableStream | undefined {
  if (body === undefined) return undefined;
  if (body instanceof Readable) return ReadableStream.from(counted(body, maxRequestBytes, on)) as ReadableStream;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (bytes.byteLength > maxRequestBytes) throw tooLarge(on.sent);
  on.bytes(bytes.byteLength);
  return bytes;
}

async function* counted(
  body: Readable,
  maxBytes: number,
  on: { readonly bytes: (count: number) => void; readonly failed: (error: unknown) => void },
): AsyncGenerator<Uint8Array> {
  let length = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array | string>) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      length += bytes.byteLength;
      if (length > maxBytes) throw tooLarge(true);
      on.bytes(bytes.byteLength);
      yield bytes;
    }
  } catch (error) {
    // impit knows only that a body failed, and not why.
    on.failed(error);
    throw error;
  }
}

function tooLarge(sent: boolean): TransportFault {
  const message = 'Request body larger than maxBodyLength limit';
  return new TransportFault('ERR_BAD_REQUEST', message, { phase: 'request', sent });
}

/** The reply's body: read as it is asked for, bounded, and hung up on where it is destroyed before its end. */
export function receivedBody(
  source: ReadableStream<Uint8Array>,
  on: {
    readonly bytes: (total: number) => void;
    readonly fault: (error: unknown) => Error;
    readonly hangUp: () => void;
  },
): Readable {
  const reader = source.getReader();
  let length = 0;
  const body = new Readable({
    read() {
      reader
        .read()
        .then(
          ({ done, value }) => {
            if (done || body.destroyed) return body.push(null);
            on.bytes((length += value.byteLength));
            return body.push(value);
          },
          (error: unknown) => body.destroy(on.fault(error)),
        )
        .catch((error: Error) => body.destroy(error));
    },
    destroy(error, done) {
      if (!body.readableEnded) on.hangUp();
      void released(reader);
      done(error);
    },
  });
  // It can fail before whoever asked has it in hand; then reading it tells, and not the end of the process.
  return body.on('error', () => {});
}

async function released(reader: ReadableStreamDefaultReader): Promise<void> {
  await reader.cancel().catch(() => {});
}

/** The body, waited for to its end. */
export async function whole(body: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
