import { expect, test } from 'vitest';
import { domainParts } from '../../src/log/registered-domain.js';
import { aReply, anExchange, STARTED_MS } from './exchanges.js';
import { toLine } from '../../src/log/exchange-line.js';

test.for([
  ['https://www.shop.co.uk/', { registered_domain: 'shop.co.uk', top_level_domain: 'co.uk', subdomain: 'www' }],
  ['http://shop.com:8080/', { registered_domain: 'shop.com', top_level_domain: 'com' }],
  [
    'https://a.b.ann.github.io/',
    { registered_domain: 'ann.github.io', top_level_domain: 'github.io', subdomain: 'a.b' },
  ],
  ['https://xn--mnchen-3ya.de/', { registered_domain: 'xn--mnchen-3ya.de', top_level_domain: 'de' }],
  ['https://co.uk/', {}],
  ['http://localhost:1/', {}],
  ['http://server.lan/', {}],
  ['http://10.0.0.1/', {}],
  ['http://[::1]/', {}],
] as const)('what the public suffix list tells of %s', async ([url, parts]) => {
  const { text } = toLine(anExchange({ url }), { reply: aReply() }, STARTED_MS);
  const withParts = await domainParts();
  const before = JSON.parse(text) as { url: object };
  for (const _ of [1, 2]) {
    expect(JSON.parse(withParts(text))).toStrictEqual({ ...before, url: { ...before.url, ...parts } });
  }
});

test('a line of another make stays as it is', async () => {
  const withParts = await domainParts();
  const line = JSON.stringify({
    message: '"url":{"scheme":"https","domain":"www.shop.com"}',
    labels: { url: 'x.com' },
  });
  expect(withParts(line)).toBe(line);
});
