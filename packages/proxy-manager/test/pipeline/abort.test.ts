import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { DeadlineError } from '../../src/errors.js';
import { exchangeAbort, TimeoutReason } from '../../src/pipeline/abort.js';

const fired = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }));

it('passes the reason of the caller on, also when it fired before', async () => {
  const controller = new AbortController();
  const abort = exchangeAbort({ signal: controller.signal, timeoutMs: 0, deadlineMs: undefined });
  controller.abort('enough');
  expect(abort.signal.reason).toBe('enough');
  expect(exchangeAbort({ signal: controller.signal, timeoutMs: 0, deadlineMs: undefined }).signal.reason).toBe(
    'enough',
  );
});

it('fires for whichever of timeout and deadline comes first', async () => {
  const timeout = exchangeAbort({ signal: undefined, timeoutMs: 1, deadlineMs: 60_000 });
  expect(await fired(timeout.signal)).toBeInstanceOf(TimeoutReason);
  const deadline = exchangeAbort({ signal: undefined, timeoutMs: 60_000, deadlineMs: 1 });
  expect(await fired(deadline.signal)).toBeInstanceOf(DeadlineError);
});

it('leaves no listener on the caller’s signal', () => {
  const { signal } = new AbortController();
  const abort = exchangeAbort({ signal, timeoutMs: 0, deadlineMs: undefined });
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  abort.dispose();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
