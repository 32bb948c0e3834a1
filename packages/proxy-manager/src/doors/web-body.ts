import type { Readable } from 'node:stream';

/** A streamed reply as fetch's byte stream: read as it is asked for; cancelling it hangs up. */
export function webBody(body: Readable, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const next = await chunks.next().catch((error: unknown) => {
        throw broken(error, signal);
      });
      if (next.done === true) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else {
        // A copy, since a byte stream takes the memory of what it is given, and Node's buffers share theirs.
        controller.enqueue(new Uint8Array(next.value));
      }
    },
    async cancel() {
      body.destroy();
    },
  });
}

/** All of a streamed reply. */
export async function bytesOf(body: Readable, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  } catch (error) {
    throw broken(error, signal);
  }
  return Buffer.concat(chunks);
}

/** A reason need not be an error, and what breaks a stream of Node must be one. */
function broken(error: unknown, signal: AbortSignal | undefined): unknown {
  return signal?.aborted ? signal.reason : error;
}
