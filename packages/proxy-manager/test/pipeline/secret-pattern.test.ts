import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretPattern } from '../../src/pipeline/secret-pattern.js';
import { Secret } from '../../src/secret.js';

const pattern = (value: string): SecretPattern => new SecretPattern(new Secret(value, 'id-1'));

describe('a secret of ordinary length is found', () => {
  const value = `s3cr/t+k"y ü`;
  const forms: [string, string][] = [
    ['raw', value],
    ['in another case', value.toUpperCase()],
    ['percent-encoded', encodeURIComponent(value)],
    ['percent-encoded in lower case', encodeURIComponent(value).replaceAll(/%../g, (code) => code.toLowerCase())],
    ['percent-encoded twice', encodeURIComponent(encodeURIComponent(value))],
    ['as axios writes params', encodeURIComponent(value).replaceAll('%20', '+')],
    ['in a form', new URLSearchParams({ k: value }).toString()],
    ['in JSON', JSON.stringify({ k: value })],
    ['in JSON with escaped letters', JSON.stringify(value).replaceAll('ü', '\\u00fc').replaceAll('/', '\\/')],
    ['as UTF-8 read as Latin-1', Buffer.from(value).toString('latin1')],
    ['in hex', Buffer.from(value).toString('hex')],
    ['in upper-case hex', Buffer.from(value).toString('hex').toUpperCase()],
    ['in Basic authentication', Buffer.from(`${value}:`).toString('base64')],
    ['in Base64 after one byte', Buffer.from(`a${value}b`).toString('base64')],
    ['in Base64 after two bytes', Buffer.from(`ab${value}c`).toString('base64url')],
  ];
  it.each(forms)('%s', (_how, text) => {
    const found = pattern(value);
    expect(found.in(`before ${text} after`)).toBe(true);
    const hidden = found.hide(`before ${text} after`);
    expect(hidden).toContain('{key}');
    expect(found.in(hidden)).toBe(false);
  });

  it('and not in other text', () => {
    expect(pattern(value).in('nothing of the kind, s3cr neither')).toBe(false);
  });
});

it.each([1, 2, 3, 4])('finds any secret in JSON within JSON, %i deep', (deep) => {
  fc.assert(
    fc.property(fc.string({ minLength: 8, maxLength: 40 }), (value) => {
      let text = `before ${value} after`;
      for (let level = 0; level < deep; level++) text = JSON.stringify({ text });
      const found = pattern(value);
      expect(found.in(text)).toBe(true);
      expect(found.in(found.hide(text))).toBe(false);
    }),
    { examples: [['US\\Y[;~/]"\\\\cd'], ['\\\\\\\\\\\\\\\\'], ['ends with a\\']] },
  );
});

// Where a text can be read in several ways, this one takes longer than the age of the universe.
it.each([
  ['letters', 'sk-live-9f8e7d6c5b4a39281706f5e4d3c2b1a0'],
  ['signs', 'US//Y[;~/]cdrfy/yG#zcfj^bvAf5n\\80Tp!;CX$"%25%25+ ü'],
  ['backslashes', '\\'.repeat(60)],
  ['percent signs', '%25'.repeat(12)],
])('is done with a text that holds all but the end of a secret: %s', (_what, value) => {
  const found = pattern(`${value}z`);
  const escaped = [value, JSON.stringify(value), JSON.stringify(JSON.stringify(value)), encodeURIComponent(value)];
  const text = escaped.map((each) => `it was ${each}!`).join('\n');
  expect(found.in(text)).toBe(false);
  expect(found.hide(text)).toBe(text);
});

it('finds any secret in urls and in bytes', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme' }), (value) => {
      fc.pre(value.trim() === value);
      const found = pattern(value);
      const url = new URL(`https://api.example.com/?k=${encodeURIComponent(value)}`);
      expect(found.in(found.hideInUrl(url).href)).toBe(false);
      expect(found.inBytes(Buffer.from(`…${value}…`))).toBe(true);
    }),
    { numRuns: 30 },
  );
});

it('finds a short secret only where it stands by itself, and says which it was', () => {
  const found = pattern('demo');
  expect(found.hide('/users/demo?x=demos&k=demo')).toBe('/users/{key:id-1}?x=demos&k={key:id-1}');
  expect(found.hide('a%2Fdemo')).toBe('a%2F{key:id-1}');
});

it('leaves a secret of less than four characters alone: hiding it would garble all there is', () => {
  expect(pattern('abc').hide('abc abc')).toBe('abc abc');
});

it('finds the password of a proxy alone, and with its user', () => {
  const found = pattern('user:hunter2-secret');
  expect(found.hide('user:hunter2-secret')).not.toContain('hunter2');
  expect(found.hide('pass hunter2-secret')).toBe('pass {key}');
  expect(found.in(`Basic ${Buffer.from('user:hunter2-secret').toString('base64')}`)).toBe(true);
});

it('finds the JSON escapes of other alphabets in bytes', () => {
  expect(
    pattern('ключ-от-всего').inBytes(
      Buffer.from('"\\u043a\\u043b\\u044e\\u0447-\\u043e\\u0442-\\u0432\\u0441\\u0435\\u0433\\u043e"'),
    ),
  ).toBe(true);
});

it('keeps path and host apart where the secret is the whole path', () => {
  const url = new URL('https://hooks.example.com/services/T00/x77');
  expect(pattern('/services/T00/x77').hideInUrl(url).href).toBe('https://hooks.example.com/%7Bkey%7D');
});

it('is taken for part of a host only where it is long enough to be no word', () => {
  expect(pattern('s3cret-tenant').inHost(new URL('https://s3cret-tenant.example.com'))).toBe(true);
  expect(pattern('api').inHost(new URL('https://api.example.com'))).toBe(false);
});

it('never touches the origin of an url', () => {
  expect(pattern('example.com').hideInUrl(new URL('https://example.com/example.com')).href).toBe(
    'https://example.com/%7Bkey%7D',
  );
});
