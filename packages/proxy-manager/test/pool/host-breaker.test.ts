import { expect, test } from 'vitest';
import { HostBreaker } from '../../src/pool/host-breaker.js';

const HOST = 'api.example.com';

function bench(): { readonly clock: { nowMs: number; now(): number }; readonly breaker: HostBreaker } {
  const clock = { nowMs: 1_000_000, now: (): number => clock.nowMs };
  return { clock, breaker: new HostBreaker(clock) };
}

const downs = (breaker: HostBreaker, times: number): void => {
  for (let n = 0; n < times; n++) breaker.down(HOST, 'ECONNREFUSED');
};

test('opens after ten in a row, and a success in between counts from the start', () => {
  const { breaker, clock } = bench();
  downs(breaker, 9);
  breaker.up(HOST);
  downs(breaker, 9);
  expect(breaker.refusal(HOST)).toBeUndefined();
  downs(breaker, 1);
  expect(breaker.refusal(HOST)).toEqual({ untilMs: clock.nowMs + 1_000, why: 'ECONNREFUSED' });
  expect(breaker.refusal('another.example')).toBeUndefined();
});

test('lets one find out, stays open twice as long each time up to 30 s, and closes with a success', () => {
  const { breaker, clock } = bench();
  // Those under way when it opens make it no longer.
  downs(breaker, 50);
  const waits: number[] = [];
  for (let n = 0; n < 7; n++) {
    const untilMs = breaker.refusal(HOST)?.untilMs ?? 0;
    waits.push(untilMs - clock.nowMs);
    clock.nowMs = untilMs;
    expect(breaker.refusal(HOST)).toBeUndefined();
    expect(breaker.refusal(HOST)).toBeDefined();
    downs(breaker, 1);
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  breaker.up(HOST);
  expect(breaker.refusal(HOST)).toBeUndefined();
});
