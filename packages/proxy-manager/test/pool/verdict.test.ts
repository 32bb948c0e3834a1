import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { OutcomeRule } from '../../src/config/resolve.js';
import { retryAfterMs, withinReason } from '../../src/pool/retry-after.js';
import { toldLimits } from '../../src/pool/told-limits.js';
import type { Verdict } from '../../src/pool/verdict.js';
import { judgeFault, judgeReply } from '../../src/pool/verdict.js';
import type { FaultPhase } from '../../src/transport/fault.js';
import { TransportFault } from '../../src/transport/fault.js';
import type { WireReply } from '../../src/transport/transport.js';

const NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0);
const MINUTE_MS = 60_000;

const reply = (parts: Partial<WireReply>): WireReply => ({
  status: 200,
  statusText: '',
  headers: [],
  body: new Uint8Array(),
  url: new URL('https://api.example.com/'),
  httpVersion: '1.1',
  ...parts,
});

type Travel = Partial<Parameters<typeof judgeReply>[1]>;

function judge(parts: Partial<WireReply>, travelled: Travel = {}): Verdict {
  const one = reply(parts);
  const told = toldLimits(one.headers, NOW_MS);
  return judgeReply(one, { nowMs: NOW_MS, rules: [], hasKey: true, proxy: 'none', told, ...travelled });
}

const kindOf = (parts: Partial<WireReply>, travelled?: Travel): string => judge(parts, travelled).kind;
const html = (text: string): Partial<WireReply> => ({
  headers: [['content-type', 'text/html']],
  body: Buffer.from(text),
});

describe('a reply', () => {
  test.each([200, 204, 301, 304, 400, 403, 404, 407, 418])('of status %i is good', (status) => {
    expect(judge({ status })).toEqual({ kind: 'good' });
  });

  test('of 429 throttles, until the time told where one is', () => {
    const told = judge({ status: 429, headers: [['Retry-After', '7']] });
    expect(told).toEqual({ kind: 'throttled', untilMs: NOW_MS + 7_000, why: 'status 429' });
    expect(judge({ status: 429 })).toEqual({ kind: 'throttled', untilMs: undefined, why: 'status 429' });
  });

  test('of 503 throttles only where it says until when', () => {
    expect(kindOf({ status: 503, headers: [['retry-after', '7']] })).toBe('throttled');
    expect(kindOf({ status: 503, headers: [['retry-after', 'soon']] })).toBe('down');
    expect(kindOf({ status: 503 })).toBe('down');
  });

  test.each([500, 502, 504, 599])('of %i blames no credential', (status) => {
    expect(kindOf({ status, headers: [['retry-after', '7']] })).toBe('down');
  });

  test('tells a spent credential: 402, a limit at 0 with 403 or 429, or words in the body', () => {
    const atZero: WireReply['headers'] = [
      ['x-ratelimit-remaining', '0'],
      ['x-ratelimit-reset', '60'],
    ];
    expect(kindOf({ status: 402 })).toBe('spent');
    for (const status of [403, 429]) {
      expect(judge({ status, headers: atZero })).toMatchObject({ kind: 'spent', untilMs: NOW_MS + MINUTE_MS });
      expect(kindOf({ status, body: Buffer.from('{"code":"insufficient_quota"}') })).toBe('spent');
    }
    expect(kindOf({ headers: atZero })).toBe('good');
    expect(kindOf({ status: 429, headers: [['x-ratelimit-remaining', '1']] })).toBe('throttled');
  });

  test('of 401 refuses the key, where there is one', () => {
    expect(kindOf({ status: 401 })).toBe('refused');
    expect(kindOf({ status: 401 }, { hasKey: false })).toBe('good');
  });

  test('of 403 through a proxy, or with the page of a wall, is blocked', () => {
    expect(kindOf({ status: 403 }, { proxy: 'tunnel' })).toBe('blocked');
    expect(kindOf({ status: 200, headers: [['cf-mitigated', 'challenge']] }, { proxy: 'tunnel' })).toBe('blocked');
    expect(kindOf(html('<html><title>Just a moment...</title>'), { proxy: 'plain' })).toBe('blocked');
    expect(kindOf(html('<html><title>Just a moment...</title>'))).toBe('good');
    const walls = [
      `<script>var dd={'rt':'c','cid':'x','host':'geo.captcha-delivery.com'}</script>`,
      '<iframe id="main-iframe" src="/_Incapsula_Resource?CWUDNSAI=24&amp;xinfo=1"></iframe>',
      '<div id="px-captcha"></div>',
      '<form id="captcha-form" action="index" method="post">',
      '<form method="get" action="/errors/validateCaptcha" name="">',
    ];
    for (const wall of walls) expect(kindOf(html(wall), { proxy: 'tunnel' })).toBe('blocked');
    const behind =
      '<script src="/_Incapsula_Resource?SWJIYLWA=7"></script><script src="https://js.datadome.co/tags.js">';
    expect(kindOf(html(behind), { proxy: 'tunnel' })).toBe('good');
    expect(kindOf(html(`${walls[0]}${' '.repeat(70_000)}`), { proxy: 'tunnel' })).toBe('good');
    expect(kindOf(html('<p>We ask for a captcha to keep bots away.</p>'), { proxy: 'plain' })).toBe('good');
  });

  test('to a plain request through a proxy may be the proxy speaking for itself', () => {
    const own: Partial<WireReply>[] = [
      {
        status: 502,
        headers: [['proxy-status', 'origin-cdn; received-status=200, our-proxy; error=connection_refused']],
      },
      { status: 503, headers: [['x-squid-error', 'ERR_CONNECT_FAIL 111']] },
      { status: 403, headers: [['X-Squid-Error', 'ERR_ACCESS_DENIED 0']] },
      { status: 504, headers: [['server', 'squid']] },
      { status: 500, headers: [['server', 'tinyproxy/1.11.1']] },
      { status: 594 },
    ];
    for (const parts of own) {
      expect(judge(parts, { proxy: 'plain' })).toMatchObject({ kind: 'proxy-dead', scope: 'host' });
      expect(kindOf(parts, { proxy: 'tunnel' })).not.toBe('proxy-dead');
    }
    expect(judge({ status: 407 }, { proxy: 'plain' })).toMatchObject({ kind: 'proxy-dead', scope: 'everywhere' });
    const ofOrigin = { status: 502, headers: [['proxy-status', 'our-proxy; error=http_response_incomplete']] } as const;
    expect(kindOf(ofOrigin, { proxy: 'plain' })).toBe('down');
    expect(kindOf({ status: 200, headers: [['x-squid-error', 'ERR_NONE 0']] }, { proxy: 'plain' })).toBe('good');
  });

  test('is what the first rule says that it meets in all', () => {
    const rule = (parts: Partial<OutcomeRule>): OutcomeRule => ({
      statuses: undefined,
      headers: [],
      body: undefined,
      size: undefined,
      verdict: 'blocked',
      ...parts,
    });
    const rules = [
      rule({ statuses: new Set([200]), body: /captcha/i, size: { maxBytes: 20 } }),
      rule({ headers: [['x-wall', /^up$/i]], verdict: 'throttled' }),
      rule({ statuses: new Set([500]), verdict: 'good' }),
    ];
    expect(judge({ body: Buffer.from('a CAPTCHA here') }, { rules })).toEqual({
      kind: 'blocked',
      why: 'outcomes[0], status 200',
    });
    expect(kindOf({ body: Buffer.from('a captcha in a longer page') }, { rules })).toBe('good');
    expect(kindOf({ headers: [['X-Wall', 'UP']] }, { rules })).toBe('throttled');
    expect(kindOf({ headers: [['x-wall', 'upper']] }, { rules })).toBe('good');
    expect(kindOf({ status: 500 }, { rules })).toBe('good');
    expect(kindOf({ body: Readable.from(['captcha']) }, { rules })).toBe('good');
    expect(kindOf({}, { rules: [rule({ headers: [['x-absent', /.*/]] })] })).toBe('good');
    expect(kindOf({}, { rules: [rule({ verdict: 'proxy-dead' })] })).toBe('down');
  });
});

describe('a fault', () => {
  const judged = (phase: FaultPhase, throughProxy: boolean, code = 'ECONNRESET'): Verdict =>
    judgeFault(new TransportFault(code, 'reset', { phase, sent: true }), throughProxy);

  test('at the proxy itself blames the proxy', () => {
    expect(judged('proxy', true)).toMatchObject({ kind: 'proxy-dead', scope: 'everywhere' });
  });

  test('behind the proxy is no more than this proxy not reaching this host', () => {
    expect(judged('tunnel', true, 'ERR_PROXY_TUNNEL')).toMatchObject({ kind: 'proxy-dead', scope: 'host' });
    for (const phase of ['connect', 'request'] as const) {
      expect(judged(phase, true)).toMatchObject({ kind: 'proxy-dead', scope: 'host' });
      expect(judged(phase, true, 'ETIMEDOUT')).toMatchObject({ kind: 'proxy-dead', scope: 'host' });
    }
  });

  test('of the origin blames nobody', () => {
    for (const phase of ['connect', 'request', 'response'] as const) expect(judged(phase, false).kind).toBe('down');
    expect(judged('connect', true, 'CERT_HAS_EXPIRED').kind).toBe('down');
    expect(judged('response', true).kind).toBe('down');
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
    for (const meter of [{ windows: specs }, { windows: [], account: { id: 'team', windows: specs } }]) {
      expect(withinReason(NOW_MS + hours * HOUR_MS, NOW_MS, meter)).toBe(NOW_MS + expected * HOUR_MS);
    }
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
