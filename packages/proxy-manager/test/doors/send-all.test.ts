import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SendOptions } from '../../src/config/options.js';
import { progressMeter, type SendAllProgress } from '../../src/doors/progress.js';
import type { ExchangeResponse } from '../../src/doors/response.js';
import { sendAll } from '../../src/doors/send-all.js';
import { startApi, startRequest } from './clients.js';

type Send = (call: SendOptions) => Promise<ExchangeResponse>;

/** Calls that end when the test says so. */
function manual(): { send: Send; end(url: string): void; readonly open: readonly string[] } {
  const open = new Map<string, () => void>();
  return {
    send: ({ url, signal }) =>
      new Promise((resolve, reject) => {
        open.set(String(url), () => resolve({ status: 200, data: url } as ExchangeResponse));
        (signal as AbortSignal).addEventListener('abort', () => reject((signal as AbortSignal).reason));
      }),
    end(url) {
      open.get(url)?.();
      open.delete(url);
    },
    get open() {
      return [...open.keys()];
    },
  };
}

const answer: Send = async ({ url }) => ({ status: 200, data: url }) as ExchangeResponse;

function* counting(to: number, seen: { read: number; closed?: boolean }): Generator<string> {
  try {
    for (; seen.read < to; seen.read++) yield `u${seen.read}`;
  } finally {
    seen.closed = true;
  }
}

describe('sendAll', () => {
  test('gives results in order of completion, each with its index', async () => {
    const { send, end, open } = manual();
    const results = sendAll(send, ['a', new URL('http://b/'), { url: 'c' }], { concurrency: 3 });
    const first = results.next();
    await turn();
    end('c');
    expect((await first).value).toMatchObject({ index: 2, status: 'fulfilled', value: { data: 'c' } });
    end('a');
    expect((await results.next()).value).toMatchObject({ index: 0 });
    end('http://b/');
    expect((await results.next()).value).toMatchObject({ index: 1 });
    expect(await results.next()).toEqual({ done: true, value: undefined });
    expect(open).toEqual([]);
  });

  test('reads no more than it may hold, however slow its reader is', async () => {
    const seen = { read: 0 };
    let read = 0;
    for await (const each of sendAll(answer, counting(50, seen), { concurrency: 5 })) {
      read += 1;
      expect(each.status).toBe('fulfilled');
      for (let turns = 0; turns < 3; turns++) await turn();
      expect(seen.read - read).toBeLessThanOrEqual(5);
    }
    expect([read, seen.read]).toEqual([50, 50]);
  });

  test('takes an async iterable, and asks it for one at a time', async () => {
    let asked = 0;
    let most = 0;
    let left = 20;
    const input: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        async next() {
          most = Math.max(most, ++asked);
          await turn();
          asked -= 1;
          return left-- > 0 ? { done: false, value: `u${left}` } : { done: true, value: undefined };
        },
      }),
    };
    const results = await collect(sendAll(answer, input));
    expect([results.length, most]).toEqual([20, 1]);
  });

  test('a failure is a result and stops nothing', async () => {
    const send: Send = ({ url }) => (url === 'u1' ? Promise.reject(new Error('no')) : answer({ url: String(url) }));
    const results = await collect(sendAll(send, counting(3, { read: 0 })));
    expect(results.map(({ index, status }) => [index, status]).toSorted(([a], [b]) => Number(a) - Number(b))).toEqual([
      [0, 'fulfilled'],
      [1, 'rejected'],
      [2, 'fulfilled'],
    ]);
  });

  test('leaving the loop aborts what is under way and closes the input', async () => {
    const { send, end } = manual();
    const seen = { read: 0, closed: false };
    const reasons: unknown[] = [];
    const spying: Send = (call) => send(call).catch((reason: unknown) => reasons.push(reason) as never);
    const results = sendAll(spying, counting(10, seen), { concurrency: 3 });
    const first = results.next();
    await turn();
    end('u0');
    await first;
    await results.return();
    expect(seen.closed).toBe(true);
    expect(reasons.length).toBeGreaterThanOrEqual(2);
    expect(reasons[0]).toMatchObject({ name: 'AbortError' });
  });

  test('its signal aborts what is under way, and the iteration rejects with the reason', async () => {
    const { send } = manual();
    const seen = { read: 0, closed: false };
    const controller = new AbortController();
    const results = collect(sendAll(send, counting(10, seen), { concurrency: 3, signal: controller.signal }));
    await turn();
    controller.abort('enough');
    await expect(results).rejects.toBe('enough');
    expect(seen).toEqual({ read: 2, closed: true });
  });

  test('ends also while it waits for an input that never comes', async () => {
    const never: AsyncIterable<string> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    const controller = new AbortController();
    const results = collect(sendAll(answer, never, { signal: controller.signal }));
    await turn();
    controller.abort('enough');
    await expect(results).rejects.toBe('enough');
  });

  test('a signal of a call ends that call alone', async () => {
    const { send, end } = manual();
    const own = new AbortController();
    const results = sendAll(send, [{ url: 'a', signal: own.signal }, 'b'], { concurrency: 2 });
    const first = results.next();
    await turn();
    own.abort('mine');
    expect((await first).value).toMatchObject({ index: 0, status: 'rejected', reason: 'mine' });
    end('b');
    expect((await results.next()).value).toMatchObject({ index: 1, status: 'fulfilled' });
  });

  test('an input that fails: first what was sent, then its error', async () => {
    const input = function* (): Generator<string> {
      yield 'a';
      yield 'b';
      throw new Error('broken input');
    };
    const found: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const { index } of sendAll(answer, input())) found.push(index);
    };
    await expect(reading()).rejects.toThrow('broken input');
    expect(found.toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  test.each<[string, unknown, unknown, RegExp]>([
    ['a string', 'http://a', {}, /requests: expected an iterable/],
    ['nothing', undefined, {}, /requests: expected an iterable/],
    ['no concurrency', [], { concurrency: 0 }, /concurrency: expected a positive integer, found 0/],
    ['a total below 0', [], { total: -1 }, /total: expected/],
    ['something to call that is none', [], { onProgress: 'x' }, /onProgress: expected a function/],
    ['a slip of the pen', [], { concurency: 3 }, /concurency: unknown field, did you mean concurrency\?/],
    ['a number in place of the options', [], 20, /sendAll: expected an object of options, found a number/],
  ])('refuses %s', async (_what, input, options, message) => {
    await expect(collect(sendAll(answer, input as string[], options as object))).rejects.toThrow(message);
  });

  test('what is no call is a failure that says what send says of it', async () => {
    const request = startRequest();
    const found: unknown[] = [];
    for await (const { status, ...result } of request.sendAll([undefined, 5, null, '/relative'] as never[])) {
      expect(status).toBe('rejected');
      found[result.index] = 'reason' in result && (result.reason as Error).message;
    }
    expect(found).toEqual([
      expect.stringMatching(/^send: expected a url, or an object of options with one, found nothing/),
      expect.stringMatching(/^send: expected a url, or an object of options with one, found a number/),
      expect.stringMatching(/^send: expected a url, or an object of options with one, found /),
      expect.stringMatching(/^send: url: expected an absolute http or https url/),
    ]);
  });

  test('the heap does not grow with the input', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const heap: number[] = [];
    let done = 0;
    const tick = (index: number): void => {
      done = Math.max(done, index + 1);
      if (done % 30_000 !== 0) return;
      gc();
      heap.push(process.memoryUsage().heapUsed);
    };
    const seen = { read: 0 };
    for await (const each of sendAll(answer, counting(150_000, seen), { concurrency: 50, onProgress: () => {} }))
      tick(each.index);
    // Bytes per input, from the second fifth to the last.
    expect(((heap.at(-1) ?? 0) - (heap[1] ?? 0)) / 90_000).toBeLessThan(5);
  });

  test('on real sockets: so many at once and no more, every one counted', async () => {
    let open = 0;
    let most = 0;
    const api = await startApi(async (_hit, res) => {
      most = Math.max(most, ++open);
      await turn();
      open -= 1;
      res.end('x');
    });
    const told: SendAllProgress[] = [];
    const urls = Array.from({ length: 200 }, (_, index) => `${api.url}/${index}`);
    const request = startRequest();
    const results = await collect(
      request.sendAll(urls, { concurrency: 7, onProgress: (progress) => told.push(progress) }),
    );
    expect(new Set(results.map(({ index }) => index)).size).toBe(200);
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(most).toBeLessThanOrEqual(7);
    expect(told.at(-1)).toMatchObject({ done: 200, failed: 0, inFlight: 0, total: 200, leftMs: 0 });
  });
});

describe('progress', () => {
  let nowMs: number;
  beforeEach(() => {
    nowMs = 0;
  });
  const metered = (
    total: number | undefined,
  ): { readonly meter: ReturnType<typeof progressMeter>; readonly told: readonly SendAllProgress[] } => {
    const told: SendAllProgress[] = [];
    const meter = progressMeter(
      (progress) => told.push(progress),
      total,
      () => nowMs,
    );
    return { meter, told };
  };

  test('tells rate and time left, at most ten times a second', () => {
    const { meter, told } = metered(1000);
    for (let each = 0; each < 100; each++) {
      nowMs += 20;
      meter.count(each % 10 === 0, 4);
    }
    expect(told.length).toBeLessThanOrEqual(20);
    const last = told.at(-1);
    expect(last?.perSecond).toBeGreaterThan(45);
    expect(last?.perSecond).toBeLessThan(55);
    expect(last?.leftMs).toBeGreaterThan(16_000);
    expect(last?.leftMs).toBeLessThan(20_000);
    meter.end();
    expect(told.at(-1)).toMatchObject({ done: 100, failed: 10, inFlight: 4, total: 1000 });
  });

  test('tells no time left before there is enough to say, and no rate but of what has come', () => {
    const { meter, told } = metered(1000);
    // The first of ten comes after 3 ms, and the others in a burst behind it.
    nowMs = 3;
    meter.count(false, 9);
    expect(told).toEqual([{ done: 1, failed: 0, inFlight: 9, total: 1000, perSecond: 1, leftMs: undefined }]);
    nowMs = 110;
    for (let each = 0; each < 3; each++) meter.count(false, 9);
    expect(told.at(-1)).toMatchObject({ done: 2, perSecond: 2, leftMs: undefined });
    // In a slow run a second is over before one round of them is.
    nowMs = 2000;
    meter.count(false, 9);
    expect(told.at(-1)).toMatchObject({ done: 5, perSecond: 2.5, leftMs: undefined });
    nowMs = 2500;
    for (let each = 0; each < 4; each++) meter.count(false, 9);
    nowMs = 4000;
    meter.count(false, 9);
    expect(told.at(-1)).toMatchObject({ done: 10, perSecond: 2.5, leftMs: 396_000 });
  });

  test('tells the rate of a run that took less than a second at its end', () => {
    const { meter, told } = metered(2);
    nowMs = 100;
    meter.count(false, 1);
    nowMs = 200;
    meter.count(false, 0);
    expect(told.at(-1)).toMatchObject({ perSecond: 2, leftMs: 0 });
    meter.end();
    expect(told.at(-1)).toMatchObject({ done: 2, perSecond: 10, leftMs: 0 });
  });

  test('forgets the rate of long ago', () => {
    const { meter, told } = metered(undefined);
    for (let each = 0; each < 1000; each++) meter.count(false, 1);
    nowMs = 60_000;
    meter.count(false, 1);
    expect(told.at(-1)).toMatchObject({ done: 1001, total: undefined, leftMs: undefined });
    expect(told.at(-1)?.perSecond).toBeLessThan(1);
  });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
