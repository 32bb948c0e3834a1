import { setMaxListeners } from 'node:events';
import type { SendOptions } from '../config/options.js';
import { checkSendAll } from '../config/validate-options.js';
import { progressMeter, type SendAllProgress } from './progress.js';
import type { ExchangeResponse } from './response.js';

export interface SendAllOptions {
  /**
   * How many are under way or waiting to be read at once: a slow reader slows down the reading of the input.
   * @default 10
   */
  readonly concurrency?: number;
  /** Told of every result, though at most ten times a second, and of the last one. */
  readonly onProgress?: (progress: SendAllProgress) => void;
  /** How many there are, for the time left. Default: the `length` or `size` of the input, where it has one. */
  readonly total?: number;
  /** Stops reading the input and aborts what is under way; the iteration rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** How one input ended; `index` is its place in the input, from 0. */
export type SendAllResult<T = unknown> = PromiseSettledResult<ExchangeResponse<T>> & { readonly index: number };

/** What `send` takes: an url, or a call in axios's words. */
export type SendAllInput = string | URL | SendOptions;

const DEFAULT_CONCURRENCY = 10;

/** Sends every input by `send`, and gives the results in order of completion; it holds `concurrency` of them at most. */
export async function* sendAll<T>(
  send: (call: SendOptions) => Promise<ExchangeResponse<T>>,
  inputs: AsyncIterable<SendAllInput> | Iterable<SendAllInput>,
  options: SendAllOptions = {},
): AsyncGenerator<SendAllResult<T>, void, undefined> {
  checkSendAll(inputs, options);
  const { concurrency = DEFAULT_CONCURRENCY, signal, onProgress } = options;
  const iterator = iteratorOf(inputs);
  const settled: SendAllResult<T>[] = [];
  const meter = progressMeter(onProgress, options.total ?? sizeOf(inputs));
  const stop = new AbortController();
  // One listener of every exchange under way.
  setMaxListeners(0, stop.signal);
  const underWay = { count: 0 };
  let started = 0;
  let isReading = false;
  let isEnded = false;
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => {};
  const changed = (): Promise<void> => new Promise((resolve) => (wake = resolve));

  const start = (input: SendAllInput): void => {
    const index = started++;
    underWay.count += 1;
    const done = (result: PromiseSettledResult<ExchangeResponse<T>>): void => {
      underWay.count -= 1;
      settled.push({ ...result, index });
      wake();
    };
    void callWith(input, stop.signal, send).then(
      (value) => done({ status: 'fulfilled', value }),
      (reason: unknown) => done({ status: 'rejected', reason }),
    );
  };

  const read = async (): Promise<void> => {
    if (isReading) return;
    isReading = true;
    try {
      while (!isEnded && !stop.signal.aborted && underWay.count + settled.length < concurrency) {
        const next = await iterator.next();
        if (next.done) isEnded = true;
        else if (!stop.signal.aborted) start(next.value);
      }
    } catch (error) {
      isEnded = true;
      failure = { error };
    }
    isReading = false;
    wake();
  };

  const onAbort = (): void => wake();
  signal?.addEventListener('abort', onAbort);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const result = settled.shift();
      if (result !== undefined) {
        meter.count(result.status === 'rejected', underWay.count);
        void read();
        yield result;
      } else if (isEnded && underWay.count === 0) break;
      else {
        void read();
        await changed();
      }
    }
    meter.end();
    if (failure !== undefined) throw failure.error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop.abort(signal?.reason ?? new DOMException('The results of sendAll are not read any more', 'AbortError'));
    while (underWay.count > 0) await changed();
    // An input that is being waited for may never come.
    const closing = isEnded ? undefined : iterator.return?.();
    if (!isReading) await closing;
    else void Promise.resolve(closing).catch(() => {});
  }
}

function iteratorOf<T>(inputs: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
}

function sizeOf(inputs: object): number | undefined {
  const size: unknown = 'length' in inputs ? inputs.length : 'size' in inputs ? inputs.size : undefined;
  return typeof size === 'number' ? size : undefined;
}

function isCall(input: unknown): boolean {
  return typeof input === 'string' || (typeof input === 'object' && input !== null);
}

async function callWith<R>(
  input: SendAllInput,
  stop: AbortSignal,
  send: (call: SendOptions) => Promise<R>,
): Promise<R> {
  // It says best what is wrong with what is none.
  if (!isCall(input)) return send(input as SendOptions);
  const call: SendOptions = typeof input === 'string' || input instanceof URL ? { url: input } : input;
  if (call.signal === undefined || call.signal === null) return send({ ...call, signal: stop });
  // Not `AbortSignal.any`, which would hold on to every one of a million calls.
  const own = call.signal as AbortSignal;
  const either = new AbortController();
  const onOwn = (): void => either.abort(own.reason);
  const onStop = (): void => either.abort(stop.reason);
  if (own.aborted) onOwn();
  own.addEventListener('abort', onOwn);
  stop.addEventListener('abort', onStop);
  try {
    return await send({ ...call, signal: either.signal });
  } finally {
    own.removeEventListener('abort', onOwn);
    stop.removeEventListener('abort', onStop);
  }
}
