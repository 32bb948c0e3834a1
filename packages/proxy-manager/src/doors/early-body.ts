import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

/** How much of a Request's body is kept, to be sent again by a retry or a redirect, in bytes. */
const KEPT_BYTES = 1024 * 1024;
/** A body that is there gives its next piece within so many turns of the event loop. */
const PATIENCE_TURNS = 3;

/**
 * The body of a `Request`. It comes as a stream, whatever the Request was made of: what is there at once is read, and
 * can be sent again; what takes longer, or is large, is sent as the stream that it may be.
 */
export async function bodyOfRequest(request: Request): Promise<Uint8Array | Readable | undefined> {
  if (request.body === null) return undefined;
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const reading = reader.read();
    // Who reads it later is told.
    reading.catch(() => {});
    const next = await soon(reading);
    if (next === undefined || length > KEPT_BYTES)
      return Readable.from(rest(chunks, reading, reader), { objectMode: false });
    if (next.done) return Buffer.concat(chunks, length);
    chunks.push(next.value);
    length += next.value.byteLength;
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Reading = ReturnType<Reader['read']>;

async function soon(reading: Reading): Promise<Awaited<Reading> | undefined> {
  const read: { result?: Awaited<Reading> } = {};
  void reading.then((result) => (read.result = result)).catch(() => {});
  for (let turns = 0; turns < PATIENCE_TURNS; turns++) {
    await turn();
    if (read.result !== undefined) return read.result;
  }
  return undefined;
}

async function* rest(chunks: readonly Uint8Array[], reading: Reading, reader: Reader): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
    for (let next = await reading; !next.done; next = await reader.read()) yield next.value;
  } finally {
    // After its end this does nothing.
    await reader.cancel().catch(() => {});
  }
}
