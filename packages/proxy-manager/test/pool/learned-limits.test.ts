import { expect, test } from 'vitest';
import type { Meter, WindowSpec } from '../../src/config/resolve.js';
import { learnedFrom } from '../../src/pool/learned-limits.js';
import type { ToldLimit } from '../../src/pool/told-limits.js';
import type { MeterReading } from '../../src/usage/usage-store.js';

const NOW_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const minutely: WindowSpec = { limit: 60, everyMs: MINUTE_MS };
const hourly: WindowSpec = { limit: 1000, withinMs: 60 * MINUTE_MS };
const daily: WindowSpec = { limit: 60, per: 'day', timezone: 'UTC' };

const told = (parts: Partial<ToldLimit>): ToldLimit => ({
  limit: undefined,
  remaining: undefined,
  resetAtMs: undefined,
  windowMs: undefined,
  ...parts,
});
const meter = (...windows: WindowSpec[]): Meter => ({ id: 'a', windows });

function readingOf(used: readonly number[], resetsInMs?: number): MeterReading {
  const resetsAtMs = resetsInMs === undefined ? undefined : NOW_MS + resetsInMs;
  const windows = used.map((each) => ({ limit: 0, used: each, resetsAtMs }));
  return { id: 'a', kind: 'key', restingUntilMs: undefined, total: 1, lastTake: 1, windows };
}

const learned = (one: Partial<ToldLimit>, of: Meter, reading?: MeterReading): unknown =>
  learnedFrom([told(one)], of, reading, NOW_MS);

test('a quota belongs to the window of its length', () => {
  const all = meter(minutely, hourly, daily);
  expect(learned({ remaining: 3, windowMs: MINUTE_MS }, all)).toEqual([{ spec: minutely, remaining: 3 }]);
  expect(learned({ remaining: 3, windowMs: 60 * MINUTE_MS }, all)).toEqual([{ spec: hourly, remaining: 3 }]);
  expect(learned({ remaining: 3, windowMs: 24 * 60 * MINUTE_MS }, all)).toEqual([{ spec: daily, remaining: 3 }]);
  expect(learned({ remaining: 3, windowMs: 7 * MINUTE_MS }, all)).toEqual([]);
});

test('else to the only one of its limit, else to the only one', () => {
  expect(learned({ remaining: 3, limit: 1000 }, meter(minutely, hourly))).toEqual([{ spec: hourly, remaining: 3 }]);
  expect(learned({ remaining: 3, limit: 60 }, meter(minutely, daily))).toEqual([]);
  expect(learned({ remaining: 3, limit: 7 }, meter(minutely))).toEqual([{ spec: minutely, remaining: 3 }]);
  expect(learned({ remaining: 3.7 }, meter(minutely))).toEqual([{ spec: minutely, remaining: 3 }]);
  expect(learned({ remaining: 3 }, meter(minutely, hourly))).toEqual([]);
  expect(learned({ limit: 60 }, meter(minutely))).toEqual([]);
  expect(learned({ remaining: 3 }, meter())).toEqual([]);
});

test('a quota that resets beyond the window is another one', () => {
  const resetAtMs = NOW_MS + 2 * MINUTE_MS;
  expect(learned({ remaining: 3, limit: 60, resetAtMs }, meter(minutely))).toEqual([]);
});

test('an account of several keys is told of like the key', () => {
  const account = { id: 'b', windows: [hourly] };
  expect(learned({ remaining: 3 }, { ...meter(), account })).toEqual([{ spec: hourly, remaining: 3 }]);
});

test('what our own counts say as well is no news', () => {
  const resetAtMs = NOW_MS + 30_000;
  const one = { remaining: 50, limit: 60, resetAtMs };
  expect(learned(one, meter(minutely), readingOf([10], 30_000))).toEqual([]);
  expect(learned(one, meter(minutely), readingOf([12], 29_000))).toEqual([]);
  expect(learned(one, meter(minutely), readingOf([9], 30_000))).toEqual([{ spec: minutely, remaining: 50, resetAtMs }]);
  expect(learned(one, meter(minutely), readingOf([10], 20_000))).toHaveLength(1);
  expect(learned({ remaining: 990 }, meter(hourly), readingOf([10], 1))).toEqual([]);
});
