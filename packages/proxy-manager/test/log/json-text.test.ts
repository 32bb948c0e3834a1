import { expect, test } from 'vitest';
import { andJson, andNumber, andObject, andText, flat, numeral, quoted, unquoted } from '../../src/log/json-text.js';

const TEXTS = [
  '',
  'plain',
  'a"b',
  String.raw`a\b`,
  'line\nbreak',
  '\u0000',
  '\u007F',
  'é',
  '\u2028',
  '😀',
  '\uD800',
  '{key}',
];
const NUMBERS = [0, -0, 1, 0.1, 1e21, 1e-7, -5, Number.NaN, Infinity, -Infinity];

test('texts and numbers are written as JSON.stringify does', () => {
  expect(TEXTS.map(quoted)).toStrictEqual(TEXTS.map((text) => JSON.stringify(text)));
  expect(TEXTS.map((text) => `"${unquoted(text)}"`)).toStrictEqual(TEXTS.map(quoted));
  expect(TEXTS.map((text) => flat(quoted(text)))).toStrictEqual(TEXTS.map(quoted));
  expect(NUMBERS.map(numeral)).toStrictEqual(NUMBERS.map((number) => JSON.stringify(number)));
  const all = Array.from({ length: 0x1_00_00 }, (_, code) => String.fromCharCode(code));
  expect(all.filter((character) => quoted(character) !== JSON.stringify(character))).toStrictEqual([]);
});

test('a member is written behind others, and left out where there is nothing to tell', () => {
  const members = andText('a', 'x') + andNumber('b', 2) + andJson('c', ['"']) + andObject('d', andText('e', 'y'));
  expect(JSON.parse(`{"first":1${members}}`)).toStrictEqual({ first: 1, a: 'x', b: 2, c: ['"'], d: { e: 'y' } });
  expect(andText('a', undefined) + andNumber('b', undefined) + andJson('c', undefined) + andObject('d', '')).toBe('');
});
