import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { DEFAULT_POLICY } from '../../src/config/policy.js';
import { PoolExhaustedError } from '../../src/errors.js';
import type { Exchange, Reply } from '../../src/pipeline/exchange.js';
import type { Verdict } from '../../src/pool/verdict.js';
import { retryStage } from '../../src/stages/retry.js';
import { testExchange, testReply } from '../support/exchange.js';

const stage = retryStage({ clock: systemClock });
const throttled: Verdict = { kind: 'throttled', untilMs: 0 };

/** What each attempt in turn meets, and what it was asked with. */
function attempts(...outcomes: ((exchange: Exchange) => Reply)[]): {
  seen: Exchange[];
  next: (exchange: Exchange) => Promise<Reply>;
} {
  const seen: Exchange[] = [];
  return {
    seen,
    next: async (exchange) => {
      const outcome = outcomes[seen.push(exchange) - 1];
      if (outcome === undefined) throw new Error(`attempt ${seen.length} was not expected`);
      return outcome(exchange);
    },
  };
}

const replies =
  (status: number, verdict: Verdict, sent = true) =>
  (exchange: Exchange): Reply => {
    exchange.attempt.sent = sent;
    exchange.attempt.verdict = verdict;
    exchange.attempt.taken = [
      {
        id: `credential-${exchange.attempt.number}`,
        kind: 'key',
        restingUntilMs: undefined,
        total: 1,
        lastTake: 1,
        windows: [],
      },
    ];
    return testReply({ status, verdict });
  };
const refuses = (): Reply => {
  throw new PoolExhaustedError('test_api', 'key', new Date(1));
};

it('repeats with what earlier attempts used to be avoided, each time from the pristine exchange', async () => {
  const { seen, next } = attempts(replies(429, throttled), replies(429, throttled), replies(200, { kind: 'good' }));
  const exchange = testExchange();
  expect((await stage(exchange, next)).status).toBe(200);
  expect(seen.map(({ request }) => request)).toEqual([exchange.request, exchange.request, exchange.request]);
  expect([...(seen[2]?.avoid ?? [])]).toEqual(['credential-1', 'credential-2']);
  expect(seen[1]?.attempt.retry).toEqual({ reason: 'status 429', delayMs: 0 });
  expect(exchange.trace.attempts).toBe(3);
});

it('stops after the last attempt with what it brought', async () => {
  const { next } = attempts(replies(429, throttled), replies(429, throttled), replies(429, throttled));
  expect((await stage(testExchange(), next)).status).toBe(429);
});

it('pauses before an attempt at an origin that is down', async () => {
  const { seen, next } = attempts(replies(500, { kind: 'down' }), replies(200, { kind: 'good' }));
  await stage(testExchange(), next);
  const delayMs = seen[1]?.attempt.retry?.delayMs ?? 0;
  expect(delayMs).toBeGreaterThanOrEqual(50);
  expect(delayMs).toBeLessThanOrEqual(100);
});

it('does not repeat what is not idempotent, unless asked to or surely nothing was sent', async () => {
  const post = { ...testExchange().request, method: 'POST' };
  const once = attempts(replies(500, { kind: 'down' }));
  expect((await stage(testExchange({ request: post }), once.next)).status).toBe(500);

  const unsent = attempts(
    replies(502, { kind: 'proxy-dead', scope: 'everywhere' }, false),
    replies(200, { kind: 'good' }),
  );
  expect((await stage(testExchange({ request: post }), unsent.next)).status).toBe(200);

  const asked = attempts(replies(500, { kind: 'down' }), replies(200, { kind: 'good' }));
  const policy = { ...DEFAULT_POLICY, retry: { ...DEFAULT_POLICY.retry, unsafe: true } };
  expect((await stage(testExchange({ request: post, policy }), asked.next)).status).toBe(200);
});

it('takes a refused key no more, and a throttled one only where no other is ready', async () => {
  const refused: Verdict = { kind: 'refused' };
  const { seen, next } = attempts(replies(429, throttled), replies(401, refused), replies(200, { kind: 'good' }));
  await stage(testExchange(), next);
  expect([...(seen[2]?.avoid ?? [])]).toEqual(['credential-1', 'credential-2']);
  expect([...(seen[2]?.shun ?? [])]).toEqual(['credential-2']);
});

it('repeats what is not idempotent after 429 with Retry-After, unless a redirect was followed before', async () => {
  const request = { ...testExchange().request, method: 'POST' };
  const told =
    (redirects: number) =>
    (exchange: Exchange): Reply => {
      const reply = replies(429, throttled)(exchange);
      exchange.attempt.redirects = redirects;
      return { ...reply, headers: [['retry-after', '0']] };
    };
  const again = attempts(told(0), replies(200, { kind: 'good' }));
  expect((await stage(testExchange({ request }), again.next)).status).toBe(200);

  const exchange = testExchange({ request });
  expect((await stage(exchange, attempts(told(1)).next)).status).toBe(429);
  expect(exchange.trace.notRepeated).toContain('POST is not idempotent');
});

it('sends a streamed body once', async () => {
  const request = { ...testExchange().request, method: 'PUT', body: Readable.from(['a']) };
  const { next } = attempts(replies(500, { kind: 'down' }));
  expect((await stage(testExchange({ request }), next)).status).toBe(500);
});

it('gives the reply of the attempt before when no credential is left for another one, with its body unread', async () => {
  const body = Readable.from(['kept']);
  const { seen, next } = attempts((exchange) => ({ ...replies(429, throttled)(exchange), body }), refuses);
  const exchange = testExchange();
  const reply = await stage(exchange, next);
  expect(reply.status).toBe(429);
  expect(body.destroyed).toBe(false);
  expect(exchange.trace.attempts).toBe(1);
  expect(exchange.trace.last).toBe(seen[0]?.attempt);
});

it('lets a repeated streamed reply go', async () => {
  const body = Readable.from(['unread']);
  const { next } = attempts(
    (exchange) => ({ ...replies(429, throttled)(exchange), body }),
    replies(200, { kind: 'good' }),
  );
  await stage(testExchange(), next);
  expect(body.destroyed).toBe(true);
});

it('refuses as the pool does when the first attempt finds no credential', async () => {
  await expect(stage(testExchange(), attempts(refuses).next)).rejects.toBeInstanceOf(PoolExhaustedError);
});

it('ends a pause with the reason of the signal', async () => {
  const controller = new AbortController();
  const { next } = attempts((exchange) => {
    queueMicrotask(() => setImmediate(() => controller.abort('enough')));
    return replies(500, { kind: 'down' })(exchange);
  });
  await expect(stage(testExchange({ signal: controller.signal }), next)).rejects.toBe('enough');
});
