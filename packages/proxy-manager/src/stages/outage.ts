import { DeadlineError, PoolExhaustedError } from '../errors.js';
import { TimeoutReason } from '../pipeline/abort.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import { TransportFault } from '../transport/fault.js';

/** How a request ended that was sent on. */
export type Ending = { readonly reply: Reply } | { readonly error: unknown };

/**
 * True where a stored reply may stand in (RFC 5861 §4): the origin cannot be reached in time or fails, or would serve no
 * credential now. A key that is refused is none of this: somebody has to know.
 */
export function isOutage(ending: Ending, { signal }: Exchange): boolean {
  if ('reply' in ending) {
    const { status, verdict } = ending.reply;
    return status >= 500 || (verdict.kind !== 'good' && verdict.kind !== 'refused');
  }
  const { error } = ending;
  if (error instanceof TransportFault || error instanceof PoolExhaustedError) return true;
  return error === signal.reason && (error instanceof TimeoutReason || error instanceof DeadlineError);
}
