import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { ClosedError } from '../errors.js';
import { exchangeAbort } from '../pipeline/abort.js';
import type { Exchange } from '../pipeline/exchange.js';
import { openAttempt, openTrace } from '../pipeline/exchange.js';
import type { Next } from '../pipeline/stage.js';

/** Refreshes of stored replies that nobody waits for. */
export interface Background {
  /** Runs the exchange once more, as one of its own, unless the reply under `key` is being refreshed already. */
  refresh(key: string, exchange: Exchange, run: Next): void;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** A refresh has as long as its exchange's deadline, by default so many ms. */
const DEFAULT_DEADLINE_MS = 60_000;

export function background({ clock }: { readonly clock: Clock }): Background {
  const running = new Map<string, { readonly work: Promise<void>; readonly end: () => void }>();
  return {
    refresh(key, exchange, run) {
      if (running.has(key)) return;
      const { policy, request } = exchange;
      const deadlineMs = policy.retry.deadlineMs ?? DEFAULT_DEADLINE_MS;
      const abort = exchangeAbort({ signal: undefined, timeoutMs: 0, deadlineMs });
      const refreshing: Exchange = {
        ...exchange,
        id: randomUUID(),
        request: { ...request, wire: { ...request.wire, body: 'buffer' } },
        policy: { ...policy, cache: policy.cache && { ...policy.cache, use: 'refresh', staleIfErrorMs: 0 } },
        signal: abort.signal,
        trace: openTrace(clock.now()),
        attempt: openAttempt(0, clock.now()),
      };
      const work = run(refreshing).then(
        () => undefined,
        // It is logged as every attempt is; the stored reply serves on.
        () => undefined,
      );
      running.set(key, { work, end: () => abort.abort(new ClosedError('ProxyManager')) });
      void work.finally(() => {
        abort.dispose();
        running.delete(key);
      });
    },
    async close() {
      const left = [...running.values()];
      for (const { end } of left) end();
      await Promise.all(left.map(({ work }) => work));
    },
  };
}
