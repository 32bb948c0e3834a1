import { expect, test } from 'vitest';
import { toldLimits } from '../../src/pool/told-limits.js';

const NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0);
const NOW_S = NOW_MS / 1_000;
const told = (fields: Record<string, string>): unknown => toldLimits(Object.entries(fields), NOW_MS);
const limit = (parts: Record<string, number>): Record<string, number | undefined> => ({
  limit: undefined,
  remaining: undefined,
  resetAtMs: undefined,
  windowMs: undefined,
  ...parts,
});

test('RateLimit with its policies', () => {
  expect(told({ RateLimit: '"default";r=50;t=30', 'RateLimit-Policy': '"default";q=100;w=60' })).toEqual([
    limit({ limit: 100, remaining: 50, resetAtMs: NOW_MS + 30_000, windowMs: 60_000 }),
  ]);
  const two = { ratelimit: '"burst";r=0;t=5, "a, \\"b\\";c";r=7', 'ratelimit-policy': '"burst";q=10;w=10' };
  expect(told(two)).toEqual([
    limit({ limit: 10, remaining: 0, resetAtMs: NOW_MS + 5_000, windowMs: 10_000 }),
    limit({ remaining: 7 }),
  ]);
  expect(told({ ratelimit: 'limit=100, remaining=0, reset=50' })).toEqual([
    limit({ limit: 100, remaining: 0, resetAtMs: NOW_MS + 50_000 }),
  ]);
  expect(told({ ratelimit: 'default' })).toEqual([]);
});

test.each(['RateLimit-', 'X-RateLimit-', 'x-rate-limit-'])('%sLimit, -Remaining and -Reset', (prefix) => {
  expect(told({ [`${prefix}Limit`]: '100', [`${prefix}Remaining`]: '3', [`${prefix}Reset`]: '60' })).toEqual([
    limit({ limit: 100, remaining: 3, resetAtMs: NOW_MS + 60_000 }),
  ]);
});

test('the window of the older drafts', () => {
  const fields = { 'ratelimit-limit': '100, 100;w=60', 'ratelimit-remaining': '99', 'ratelimit-reset': '10' };
  expect(told(fields)).toMatchObject([{ limit: 100, remaining: 99, windowMs: 60_000 }]);
});

test.each([
  ['0', NOW_MS],
  ['86400', NOW_MS + 86_400_000],
  ['59.5', NOW_MS + 59_500],
  [String(NOW_S + 60), NOW_MS + 60_000],
  [String(NOW_MS + 60_000), NOW_MS + 60_000],
  ['2026-11-22T12:01:00Z', NOW_MS + 60_000],
  ['Sun, 22 Nov 2026 12:01:00 GMT', NOW_MS + 60_000],
])('a reset of %s is epoch ms %i', (reset, resetAtMs) => {
  expect(told({ 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': reset })).toEqual([
    limit({ remaining: 1, resetAtMs }),
  ]);
});

test.each(['', 'soon', '-1', '1e9', '{}'])('%j is no reset', (reset) => {
  expect(told({ 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': reset })).toEqual([limit({ remaining: 1 })]);
});

test('a reply that tells nothing', () => {
  expect(told({ 'content-type': 'text/plain', 'retry-after': '5' })).toEqual([]);
  expect(told({ 'x-ratelimit-limit': '100' })).toEqual([]);
});
