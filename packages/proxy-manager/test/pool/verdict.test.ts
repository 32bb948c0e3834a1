import { describe, expect, test } from 'vitest';
import { retryAfterMs, withinReason } from '../../src/pool/retry-after.js';
import { judge } from '../../src/pool/verdict.js';
import type { FaultPhase } from '../../src/transport/fault.js';
import { TransportFault } from '../../src/transport/fault.js';

const NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0);
const MINUTE_MS = 60_000;

function judgeReply(status: number, retryAfter?: string, throughProxy = false): ReturnType<typeof judge> {
  const headers = retryAfter === undefined ? [] : ([['Retry-After', retryAfter]] as const);
  return judge({ reply: { status, headers }, nowMs: NOW_MS, throughProxy });
}

function judgeFault(phase: FaultPhase, throughProxy: boolean): ReturnType<typeof judge> {
  const fault = new TransportFault('ECONNRESET', 'reset', { phase, sent: true });
  return judge({ fault, nowMs: NOW_MS, throughProxy });
}

describe('judge', () => {
  test.each([200, 204, 301, 304, 400, 401, 403, 404, 407, 418])('%i is good', (status) => {
    expect(judgeReply(status)).toEqual({ kind: 'good' });
  });

  test('429 rests the credential for as long as told, else a minute', () => {
    expect(judgeReply(429, '7')).toEqual({ kind: 'throttled', untilMs: NOW_MS + 7_000 });
    expect(judgeReply(429)).toEqual({ kind: 'throttled', untilMs: NOW_MS + MINUTE_MS });
    expect(judgeReply(429, 'soon')).toEqual({ kind: 'throttled', untilMs: NOW_MS + MINUTE_MS });
  });

  test('503 is a throttle only where it says until when', () => {
    expect(judgeReply(503, '7')).toEqual({ kind: 'throttled', untilMs: NOW_MS + 7_000 });
    expect(judgeReply(503)).toEqual({ kind: 'down' });
    expect(judgeReply(503, 'soon')).toEqual({ kind: 'down' });
  });

  test.each([500, 502, 504, 599])('%i blames no credential', (status) => {
    expect(judgeReply(status, '7')).toEqual({ kind: 'down' });
  });

  test('407 is the proxy asking for a password, where there is a proxy', () => {
    expect(judgeReply(407, undefined, true)).toEqual({ kind: 'proxy-dead', untilMs: NOW_MS + MINUTE_MS });
  });

  test('a fault at the proxy blames the proxy, any other fault nobody', () => {
    expect(judgeFault('proxy', true)).toEqual({ kind: 'proxy-dead', untilMs: NOW_MS + MINUTE_MS });
    for (const phase of ['connect', 'request', 'response'] as const) {
      expect(judgeFault(phase, true)).toEqual({ kind: 'down' });
    }
  });
});

describe('withinReason', () => {
  const HOUR_MS = 60 * MINUTE_MS;
  test.each([
    [1, [], 1],
    [25, [], 24],
    [25, [1, 48], 25],
    [100, [1, 48], 48],
    [Infinity, [], 24],
  ])('%d h with windows of %j h is %d h', (hours, windows, expected) => {
    const specs = windows.map((every) => ({ limit: 1, everyMs: every * HOUR_MS }));
    expect(withinReason(NOW_MS + hours * HOUR_MS, NOW_MS, specs)).toBe(NOW_MS + expected * HOUR_MS);
  });
});

describe('retryAfterMs', () => {
  test.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5_000],
    ['Sun, 22 Nov 2026 12:01:00 GMT', MINUTE_MS],
    ['Sunday, 22-Nov-26 12:01:00 GMT', MINUTE_MS],
    ['Sun Nov 22 12:01:00 2026', MINUTE_MS],
    ['Sun Nov  1 12:01:00 2026', 0],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['Tuesday, 03-Nov-94 08:49:37 GMT', 0],
  ])('%j is %i ms from now', (value, ms) => {
    expect(retryAfterMs(value, NOW_MS)).toBe(NOW_MS + ms);
  });

  test.each([
    undefined,
    '',
    '-1',
    '1.5',
    '1e3',
    'soon',
    '2026-11-22T12:01:00Z',
    'Sun, 22 Xyz 2026 12:01:00 GMT',
    'Sun, 22 Nov 2026 12:01:00 CET',
  ])('%j is nothing it knows', (value) => {
    expect(retryAfterMs(value, NOW_MS)).toBeUndefined();
  });

  test('a number beyond all dates is the last date', () => {
    const untilMs = retryAfterMs('9'.repeat(30), NOW_MS) ?? 0;
    expect(new Date(untilMs).getTime()).toBe(untilMs);
  });
});
