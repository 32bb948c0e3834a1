import { Readable } from 'node:stream';
import { canFire } from '../pipeline/abort.js';
import type { ExchangeAbort } from '../pipeline/abort.js';

/**
 * The streamed reply for its reader, cut when the caller's signal fires before its end; timeout and deadline were for
 * getting it. `toError` makes what the reader is given out of whatever breaks it.
 */
export function endWithCaller(
  body: Readable,
  abort: Omit<ExchangeAbort, 'abort'>,
  toError: (reason: unknown) => unknown,
): Readable {
  abort.stopTimer();
  const told = (reason: unknown): Error => {
    const error = toError(reason);
    return error instanceof Error ? error : new Error('aborted', { cause: error });
  };
  if (body.errored) {
    abort.dispose();
    return broken(told(body.errored));
  }
  // Every way that a stream breaks leads through here, and none of them costs a further stream.
  const destroy = body.destroy.bind(body);
  body.destroy = (reason?: unknown) => destroy(reason === undefined || reason === null ? undefined : told(reason));
  const { signal } = abort;
  if (!canFire(signal)) return body;
  const onAbort = (): void => void body.destroy(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  return body.once('close', abort.dispose);
}

/** A stream that breaks as soon as it is read. */
function broken(error: Error): Readable {
  return new Readable({
    read() {
      this.destroy(error);
    },
  });
}
