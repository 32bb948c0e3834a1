import { describe, expect, test } from 'vitest';
import type { UserAgentFilter } from '../../src/config/options.js';
import { stickyUserAgents } from '../../src/identity/sticky-user-agents.js';
import { filterName, randomUserAgent } from '../../src/identity/user-agents.js';
import { isSecureOrigin, withUserAgent } from '../../src/identity/with-user-agent.js';
import type { Exchange } from '../../src/pipeline/exchange.js';
import { openAttempt } from '../../src/pipeline/exchange.js';
import type { HeaderList } from '../../src/pipeline/headers.js';
import { header } from '../../src/pipeline/headers.js';
import { identityStage } from '../../src/stages/identity.js';
import { testExchange, testReply } from '../support/exchange.js';

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const SAFARI =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15';
const IOS =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0 Mobile/15E148 Safari/604.1';
const BRANDS = '"Not_A Brand";v="8", "Chromium";v="120", "Google Chrome";v="120"';

function exchangeOf(parts: {
  readonly headers?: HeaderList;
  readonly url?: string;
  readonly userAgent?: Exchange['policy']['userAgent'];
  readonly taken?: readonly string[];
}): Exchange {
  const base = testExchange({ attempt: openAttempt(1, 0) });
  base.attempt.taken = (parts.taken ?? []).map((id) => {
    return { id, kind: 'key', restingUntilMs: undefined, total: 1, lastTake: 1, windows: [] } as const;
  });
  return {
    ...base,
    policy: { ...base.policy, userAgent: parts.userAgent ?? 'auto' },
    request: { ...base.request, headers: parts.headers ?? [], url: new URL(parts.url ?? base.request.url) },
  };
}

/** The headers that the next stage is given. */
async function through(stage: ReturnType<typeof identityStage>, exchange: Exchange): Promise<HeaderList> {
  let headers: HeaderList = [];
  await stage(exchange, async (passed) => {
    headers = passed.request.headers;
    return testReply();
  });
  return headers;
}

describe('withUserAgent', () => {
  test('puts hints and user agent in front, as browsers do', () => {
    expect(withUserAgent([['accept', '*/*']], CHROME)).toEqual([
      ['sec-ch-ua', BRANDS],
      ['sec-ch-ua-mobile', '?0'],
      ['sec-ch-ua-platform', '"Linux"'],
      ['User-Agent', CHROME],
      ['accept', '*/*'],
      ['Accept-Language', 'en-US,en;q=0.9'],
    ]);
  });

  test.each<[string, string, readonly string[]]>([
    ['Chrome', CHROME, ['origin', 'Sec-Fetch-Site', 'Sec-Fetch-Mode', 'Sec-Fetch-Dest', 'Referer', 'Accept-Language']],
    ['Firefox', FIREFOX, ['origin', 'Referer', 'Sec-Fetch-Dest', 'Sec-Fetch-Mode', 'Sec-Fetch-Site']],
  ])('puts what the caller says of the page that asks where %s does', (_browser, userAgent, expected) => {
    const names = ['Sec-Fetch-Dest', 'Referer', 'Sec-Fetch-Mode', 'Sec-Fetch-Site', 'origin'];
    const said = withUserAgent(
      names.map((name) => [name, 'x'] as const),
      userAgent,
    ).map(([name]) => name);
    expect(said.slice(-expected.length)).toEqual(expected);
  });

  test.each<[string, string, readonly string[]]>([
    [
      'Chrome',
      CHROME,
      [
        'sec-ch-ua',
        'sec-ch-ua-mobile',
        'sec-ch-ua-platform',
        'User-Agent',
        'Accept',
        'content-type',
        'x-key',
        'authorization',
        'Accept-Encoding',
        'Accept-Language',
        'cookie',
      ],
    ],
    [
      'Firefox',
      FIREFOX,
      [
        'User-Agent',
        'Accept',
        'Accept-Language',
        'Accept-Encoding',
        'content-type',
        'x-key',
        'authorization',
        'cookie',
      ],
    ],
    [
      'Safari',
      SAFARI,
      [
        'User-Agent',
        'Accept',
        'content-type',
        'x-key',
        'authorization',
        'Accept-Language',
        'Accept-Encoding',
        'cookie',
      ],
    ],
    [
      'Chrome on iOS',
      IOS,
      [
        'User-Agent',
        'Accept',
        'content-type',
        'x-key',
        'authorization',
        'Accept-Language',
        'Accept-Encoding',
        'cookie',
      ],
    ],
    [
      'what is no browser',
      'curl/8.0',
      ['User-Agent', 'x-key', 'cookie', 'Accept-Encoding', 'content-type', 'authorization', 'Accept'],
    ],
  ])('the order and language of %s', (_what, userAgent, expected) => {
    const given: HeaderList = ['x-key', 'cookie', 'Accept-Encoding', 'content-type', 'authorization', 'Accept'].map(
      (name) => [name, 'x'],
    );
    const found = withUserAgent(given, userAgent);
    expect(found.map(([name]) => name)).toEqual(expected);
    const language =
      userAgent === FIREFOX ? 'en-US,en;q=0.5' : userAgent.startsWith('curl') ? undefined : 'en-US,en;q=0.9';
    expect(header(found, 'accept-language')).toBe(language);
  });

  test('keeps what is there', () => {
    const own: HeaderList = [['USER-AGENT', 'mine/1.0']];
    expect(withUserAgent(own, CHROME)).toBe(own);
    expect(withUserAgent([['Sec-CH-UA', 'mine']], CHROME)).toEqual([
      ['Sec-CH-UA', 'mine'],
      ['sec-ch-ua-mobile', '?0'],
      ['sec-ch-ua-platform', '"Linux"'],
      ['User-Agent', CHROME],
      ['Accept-Language', 'en-US,en;q=0.9'],
    ]);
  });

  test('without hints', () => {
    expect(withUserAgent([], CHROME, { hints: false })).toEqual([
      ['User-Agent', CHROME],
      ['Accept-Language', 'en-US,en;q=0.9'],
    ]);
  });

  test.each([
    ['https://a.example', true],
    ['http://a.example', false],
    ['http://localhost:3000', true],
    ['http://app.localhost', true],
    ['http://127.0.0.1:3000', true],
    ['http://[::1]:3000', true],
    ['http://127.evil.example', false],
  ])('%s is secure: %s', (url, secure) => {
    expect(isSecureOrigin(new URL(url))).toBe(secure);
  });
});

describe('the stage', () => {
  test("leaves the caller's own user agent, and notes it", async () => {
    const headers: HeaderList = [['User-Agent', 'mine/1.0']];
    const exchange = exchangeOf({ headers });
    expect(await through(identityStage(), exchange)).toBe(headers);
    expect(exchange.attempt.userAgent).toBe('mine/1.0');
  });

  test('adds nothing when it is off', async () => {
    const exchange = exchangeOf({ userAgent: 'off' });
    expect(await through(identityStage(), exchange)).toEqual([]);
    expect(exchange.attempt.userAgent).toBeUndefined();
  });

  test('adds the one that was asked for, with hints only where browsers send them', async () => {
    const exchange = exchangeOf({ userAgent: { value: CHROME } });
    const headers = await through(identityStage(), exchange);
    expect(header(headers, 'user-agent')).toBe(CHROME);
    expect(header(headers, 'sec-ch-ua')).toBe(BRANDS);
    expect(exchange.attempt.userAgent).toBe(CHROME);
    expect(exchange.request.headers).toEqual([]);

    const plain = await through(
      identityStage(),
      exchangeOf({ userAgent: { value: CHROME }, url: 'http://a.example/' }),
    );
    expect(plain).toEqual([
      ['User-Agent', CHROME],
      ['Accept-Language', 'en-US,en;q=0.9'],
    ]);
  });

  test('picks among those that pass a filter, the same for one credential', async () => {
    const stage = identityStage();
    const agentOf = async (id: string, filter: UserAgentFilter) =>
      header(
        await through(stage, exchangeOf({ taken: [id], userAgent: { filter, name: filterName(filter) } })),
        'user-agent',
      );
    const mobile = await agentOf('key', { deviceCategory: 'mobile' });
    const firefox = await agentOf('key', { deviceCategory: 'desktop', userAgent: /Firefox\//g });
    expect(mobile).toMatch(/Mobile|Android/);
    expect(firefox).toMatch(/Firefox\//);
    expect(await agentOf('key', { deviceCategory: 'mobile' })).toBe(mobile);
    expect(await agentOf('key', { deviceCategory: 'desktop', userAgent: /Firefox\//g })).toBe(firefox);
    await expect(agentOf('key', { platform: 'Amiga' })).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringContaining('Amiga'),
    });
  });

  test('keeps one user agent for one credential, also when asked twice at once, and varies it between many', async () => {
    const stage = identityStage();
    const agentOf = async (id: string) => header(await through(stage, exchangeOf({ taken: [id] })), 'user-agent');
    const [first, second] = await Promise.all([agentOf('key-0'), agentOf('key-0')]);
    expect(first).toMatch(/^Mozilla\/5\.0 /);
    expect(second).toBe(first);
    expect(await agentOf('key-0')).toBe(first);

    const others = await Promise.all(Array.from({ length: 40 }, (_, index) => agentOf(`key-${index + 1}`)));
    expect(new Set(others).size).toBeGreaterThan(5);
  });
});

test('forgets the credential that was unused for the longest', async () => {
  let picked = 0;
  const userAgentOf = stickyUserAgents(async () => `agent-${(picked += 1)}`, 2);
  expect(await userAgentOf('a')).toBe('agent-1');
  expect(await userAgentOf('b')).toBe('agent-2');
  expect(await userAgentOf('a')).toBe('agent-1');
  expect(await userAgentOf('c')).toBe('agent-3');
  expect(await userAgentOf('a')).toBe('agent-1');
  expect(await userAgentOf('b')).toBe('agent-4');
});

test('random user agents are those of real browsers whose hints are known', async () => {
  const seen = await Promise.all(Array.from({ length: 300 }, () => randomUserAgent()));
  expect(new Set(seen).size).toBeGreaterThan(20);
  for (const userAgent of seen) {
    expect(userAgent).toMatch(/^Mozilla\/5\.0 \(.+?\) (?:AppleWebKit|Gecko)\//);
    expect(userAgent).not.toMatch(/Headless|SamsungBrowser|YaBrowser|; wv\)/);
  }
});
