import { expect, test } from 'vitest';
import { clientHints } from '../../src/identity/client-hints.js';

const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)';
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)';
const LINUX = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)';
const ANDROID = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';

// Seen on the wire, each version and browser as it sent them.
test.each([
  [
    `${WINDOWS} Chrome/120.0.0.0 Safari/537.36`,
    '"Not_A Brand";v="8", "Chromium";v="120", "Google Chrome";v="120"',
    '?0',
    'Windows',
  ],
  [
    `${MAC} Chrome/131.0.0.0 Safari/537.36`,
    '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
    '?0',
    'macOS',
  ],
  [
    `${WINDOWS} Chrome/140.0.0.0 Safari/537.36`,
    '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
    '?0',
    'Windows',
  ],
  [
    `${MAC} Chrome/141.0.0.0 Safari/537.36`,
    '"Google Chrome";v="141", "Not?A_Brand";v="8", "Chromium";v="141"',
    '?0',
    'macOS',
  ],
  [
    `${MAC} Chrome/143.0.0.0 Safari/537.36`,
    '"Google Chrome";v="143", "Chromium";v="143", "Not A(Brand";v="24"',
    '?0',
    'macOS',
  ],
  [
    `${ANDROID} Chrome/145.0.0.0 Mobile Safari/537.36`,
    '"Not:A-Brand";v="99", "Google Chrome";v="145", "Chromium";v="145"',
    '?1',
    'Android',
  ],
  [
    `${ANDROID} Chrome/145.0.0.0 Safari/537.36`,
    '"Not:A-Brand";v="99", "Google Chrome";v="145", "Chromium";v="145"',
    '?0',
    'Android',
  ],
  [
    `${WINDOWS} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0`,
    '"Microsoft Edge";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
    '?0',
    'Windows',
  ],
  [
    `${WINDOWS} Chrome/133.0.0.0 Safari/537.36 Edg/133.0.0.0`,
    '"Not(A:Brand";v="99", "Microsoft Edge";v="133", "Chromium";v="133"',
    '?0',
    'Windows',
  ],
  [
    `${WINDOWS} Chrome/136.0.0.0 Safari/537.36 Edg/136.0.0.0`,
    '"Chromium";v="136", "Microsoft Edge";v="136", "Not.A/Brand";v="99"',
    '?0',
    'Windows',
  ],
  [
    `${LINUX} Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0`,
    '"Opera";v="105", "Chromium";v="119", "Not?A_Brand";v="24"',
    '?0',
    'Linux',
  ],
  [
    `${WINDOWS} Chrome/123.0.0.0 Safari/537.36 OPR/109.0.0.0`,
    '"Opera";v="109", "Not:A-Brand";v="8", "Chromium";v="123"',
    '?0',
    'Windows',
  ],
  [
    `${MAC} Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0`,
    '"Chromium";v="124", "Opera";v="110", "Not-A.Brand";v="99"',
    '?0',
    'macOS',
  ],
  [
    `${WINDOWS} Chrome/132.0.0.0 Safari/537.36 OPR/117.0.0.0`,
    '"Not A(Brand";v="8", "Chromium";v="132", "Opera";v="117"',
    '?0',
    'Windows',
  ],
])('%s', (userAgent, brands, mobile, platform) => {
  expect(clientHints(userAgent)).toEqual([
    ['sec-ch-ua', brands],
    ['sec-ch-ua-mobile', mobile],
    ['sec-ch-ua-platform', `"${platform}"`],
  ]);
});

test.each([
  ['Firefox', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0'],
  [
    'Safari',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
  ],
  ['Chrome on iOS, which is Safari inside', `${IPHONE} CriOS/150.0.0.0 Mobile/15E148 Safari/604.1`],
  ['an iPhone that an emulator made up', `${IPHONE} Chrome/150.0.0.0 Mobile Safari/537.36`],
  ['Chrome before the rule', `${WINDOWS} Chrome/104.0.0.0 Safari/537.36`],
  ['a brand that is not known', `${ANDROID} SamsungBrowser/30.0 Chrome/143.0.0.0 Mobile Safari/537.36`],
  [
    'a web view',
    'Mozilla/5.0 (Linux; Android 15; K; wv) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36',
  ],
  ['a program', 'curl/8.5.0'],
])('%s sends none', (_, userAgent) => {
  expect(clientHints(userAgent)).toEqual([]);
});
