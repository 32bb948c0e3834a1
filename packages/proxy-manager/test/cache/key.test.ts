import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cacheKey } from '../../src/cache/key.js';
import type { OutboundRequest } from '../../src/pipeline/exchange.js';
import { RecurringUrl } from '../../src/pipeline/recurring-url.js';
import { request } from './request.js';

const keyOf = (url: string, rest: Partial<Omit<OutboundRequest, 'url'>> = {}): string | undefined =>
  cacheKey(request(url, rest));

const method = fc.constantFrom('GET', 'HEAD', 'POST', 'QUERY');
const url = fc
  .tuple(fc.webUrl({ withQueryParameters: true }), fc.constantFrom('', '?', '?a=1', '?a=1&b=2', '?b=2&a=1', '/{key}'))
  .map(([base, tail]) => new URL(base + tail).href);
const body = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\n', '\n\n', 'GET https://a.example/\n\n'),
);

test('two requests have one key exactly when method, url and body bytes are the same', () => {
  const ask = fc.record({ method, url, body });
  fc.assert(
    fc.property(ask, ask, fc.subarray(['method', 'url', 'body'] as const), (left, other, changed) => {
      const right = { ...left };
      for (const field of changed) Object.assign(right, { [field]: other[field] });
      const same = left.method === right.method && left.url === right.url && left.body === right.body;
      const [leftKey, rightKey] = [left, right].map(({ url: written, ...rest }) => keyOf(written, rest));
      expect(rightKey === leftKey).toBe(same);
    }),
    { numRuns: 500 },
  );
});

test('an url that is asked for again in another way has another key', () => {
  const asked = { ...request('https://api.example.com/'), url: new RecurringUrl('https://api.example.com/?b=2&a=1') };
  const shared = { mode: 'ttl', varyBy: [], sortQuery: false, credentials: undefined } as const;
  const scopes = [shared, { ...shared, mode: 'http' as const }, { ...shared, sortQuery: true }];
  const ways = scopes.flatMap((scope) =>
    ['GET', 'HEAD'].flatMap((way) =>
      [undefined, 'x'].map((sent) => [{ ...asked, method: way, body: sent }, scope] as const),
    ),
  );
  const afresh = ways.map(([{ url: of, ...rest }, scope]) => cacheKey({ ...rest, url: new URL(of) }, scope));
  expect(new Set(afresh).size).toBe(ways.length);
  expect(ways.map(([one, scope]) => cacheKey(one, scope))).toEqual(afresh);
  expect(ways.toReversed().map(([one, scope]) => cacheKey(one, scope))).toEqual(afresh.toReversed());
});

test('a key is 64 hex digits', () => {
  expect(keyOf('https://api.example.com/')).toMatch(/^[0-9a-f]{64}$/);
});

test('text and its UTF-8 bytes are one body, and no body is an empty one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(keyOf('https://a.example/', { body: Buffer.from(text) })).toBe(
        keyOf('https://a.example/', { body: text }),
      );
    }),
  );
  expect(keyOf('https://a.example/', { body: undefined })).toBe(keyOf('https://a.example/', { body: '' }));
});

test.each([
  ['the fragment', 'https://a.example/x?y=1#part', 'https://a.example/x?y=1'],
  ['an empty fragment', 'https://a.example/x#', 'https://a.example/x'],
  ['the default port', 'https://a.example:443/x', 'https://a.example/x'],
  ['user and password', 'https://user:p%40ss@a.example/x', 'https://a.example/x'],
  ['the case of scheme and host', 'HTTPS://A.Example/x', 'https://a.example/x'],
  ['dot segments', 'https://a.example/y/../x', 'https://a.example/x'],
])('%s is no part of the key', (_, written, plain) => {
  expect(keyOf(written)).toBe(keyOf(plain));
});

test.each([
  ['the order of the query', 'https://a.example/?a=1&b=2', 'https://a.example/?b=2&a=1'],
  ['the case of the path', 'https://a.example/X', 'https://a.example/x'],
  ['a trailing slash', 'https://a.example/x/', 'https://a.example/x'],
  ['the port', 'https://a.example:8443/x', 'https://a.example/x'],
  ['the scheme', 'http://a.example/x', 'https://a.example/x'],
  ['the place of a key', 'https://a.example/?q={key}&r=', 'https://a.example/?q=&r={key}'],
])('%s tells requests apart', (_, left, right) => {
  expect(keyOf(left)).not.toBe(keyOf(right));
});

test('what moves from the url to the body, or from the method to the url, is another request', () => {
  const keys = [
    keyOf('https://a.example/xy'),
    keyOf('https://a.example/x', { body: 'y' }),
    keyOf('https://a.example/', { body: 'xy' }),
    keyOf('https://a.example/', { body: Buffer.from('\nxy') }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test('headers and authentication take no part', () => {
  const plain = keyOf('https://a.example/');
  expect(
    keyOf('https://a.example/', {
      headers: [
        ['user-agent', 'a'],
        ['x-api-key', '{key}'],
      ],
    }),
  ).toBe(plain);
  expect(keyOf('https://a.example/', { auth: { username: 'u', password: 'p' } })).toBe(plain);
});

test('a body that is a stream has no key', () => {
  expect(keyOf('https://a.example/', { body: Readable.from(['x']) })).toBeUndefined();
});
