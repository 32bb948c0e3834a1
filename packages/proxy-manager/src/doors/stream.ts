import type { Readable } from 'node:stream';
import { canFire } from '../pipeline/abort.js';
import type { ExchangeAbort } from '../pipeline/abort.js';

/**
 * Cuts a streamed reply when the caller's signal fires before its end; timeout and deadline were for getting it.
 * `toError` makes what its reader is given out of the signal's reason.
 */
export function endWithCaller(
  body: Readable,
  abort: Omit<ExchangeAbort, 'abort'>,
  toError: (reason: unknown) => unknown,
): void {
  abort.stopTimer();
  const { signal } = abort;
  if (!canFire(signal)) return;
  const onAbort = (): void => {
    const error = toError(signal.reason);
    body.destroy(error instanceof Error ? error : new Error('aborted', { cause: error }));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  body.once('close', abort.dispose);
}
