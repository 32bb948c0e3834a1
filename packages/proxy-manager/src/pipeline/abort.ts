import { DeadlineError } from '../errors.js';

/** axios's `timeout` passed. Internal: the doors know it by its class and give the caller axios's own error. */
export class TimeoutReason extends Error {
  override readonly name = 'TimeoutReason';
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`timeout of ${timeoutMs}ms exceeded`);
    this.timeoutMs = timeoutMs;
  }
}

/** The one signal of an exchange: the caller's own, its timeout and its deadline, whichever comes first. */
export interface ExchangeAbort {
  readonly signal: AbortSignal;
  /** Ends the exchange with `reason`. */
  abort(reason: unknown): void;
  /** Takes timer and listener away; to be called when the exchange has ended. */
  dispose(): void;
}

export function exchangeAbort(limits: {
  readonly signal: AbortSignal | undefined;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly deadlineMs: number | undefined;
}): ExchangeAbort {
  const { signal: outer, timeoutMs, deadlineMs } = limits;
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(outer?.reason);
  if (outer?.aborted) onAbort();
  else outer?.addEventListener('abort', onAbort, { once: true });

  const deadlineFirst = deadlineMs !== undefined && (timeoutMs === 0 || deadlineMs < timeoutMs);
  const firstMs = deadlineFirst ? deadlineMs : timeoutMs;
  const timer =
    deadlineFirst || timeoutMs > 0
      ? setTimeout(
          () => controller.abort(deadlineFirst ? new DeadlineError(firstMs) : new TimeoutReason(firstMs)),
          firstMs,
        )
      : undefined;
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    dispose() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
    },
  };
}
