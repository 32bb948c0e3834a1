import { setMaxListeners } from 'node:events';
import { DeadlineError } from '../errors.js';

/** axios's `timeout` passed. Internal: the doors know it by its class and give the caller axios's own error. */
export class TimeoutReason extends Error {
  override readonly name = 'TimeoutError';
  readonly code = 'ETIMEDOUT';
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
  /** From now on only the caller ends it. */
  stopTimer(): void;
  /** Takes timer and listeners away; to be called when nothing of the exchange is left to end. */
  readonly dispose: () => void;
}

/** Exchanges that share one signal that never fires: a listener that somebody forgets on it is kept only so long. */
const EXCHANGES_PER_ENDLESS = 1000;

const endless = new WeakSet<AbortSignal>();
let shared: ExchangeAbort | undefined;
let sharedBy = 0;

/** False for the signal of an exchange that nothing can end: to listen to it would be for nothing. */
export function canFire(signal: AbortSignal): boolean {
  return !endless.has(signal);
}

/** As `exchangeAbort`, for an exchange that only its limits end: without any, it costs nothing. */
export function limitedAbort(limits: Parameters<typeof exchangeAbort>[0]): Omit<ExchangeAbort, 'abort'> {
  const { signal, alsoOn, timeoutMs, deadlineMs } = limits;
  if (signal !== undefined || alsoOn !== undefined || timeoutMs !== 0 || deadlineMs !== undefined) {
    return exchangeAbort(limits);
  }
  if (shared === undefined || sharedBy === EXCHANGES_PER_ENDLESS) {
    shared = exchangeAbort(limits);
    endless.add(shared.signal);
    setMaxListeners(0, shared.signal);
    sharedBy = 0;
  }
  sharedBy += 1;
  return shared;
}

export function exchangeAbort(limits: {
  readonly signal: AbortSignal | undefined;
  /** Subscribes one more source, and gives the way to unsubscribe it. */
  readonly alsoOn?: ((abort: (reason: unknown) => void) => () => void) | undefined;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly deadlineMs: number | undefined;
}): ExchangeAbort {
  const { signal: outer, alsoOn, timeoutMs, deadlineMs } = limits;
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(outer?.reason);
  if (outer?.aborted) onAbort();
  else outer?.addEventListener('abort', onAbort, { once: true });

  const unsubscribe = alsoOn?.((reason) => controller.abort(reason));

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
    stopTimer: () => clearTimeout(timer),
    dispose() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
      unsubscribe?.();
    },
  };
}

/** The work's result, or the signal's reason as soon as it fires; the work itself goes on. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (!canFire(signal)) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    const ending =
      <A>(end: (result: A) => void) =>
      (result: A): void => {
        signal.removeEventListener('abort', onAbort);
        end(result);
      };
    work.then(ending(resolve), ending(reject));
  });
}
