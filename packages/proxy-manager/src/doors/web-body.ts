import type { Readable } from 'node:stream';

/** A streamed reply as fetch's byte stream: read as it is asked for; cancelling it hangs up. */
export function webBody(body: Readable, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const next = await chunks.next().catch((error: unknown) => {
        // A reason need not be an error, and what breaks a stream of Node must be one.
        throw signal?.aborted ? signal.reason : error;
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
