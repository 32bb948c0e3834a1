import { expect, test } from 'vitest';
import { knownField } from '../../src/transport/known-fields.js';

test('a field that says the same again is the very same one, its name in lower case', () => {
  const first = knownField('X-Known', 'one');
  expect(first).toEqual(['x-known', 'one']);
  expect(knownField('X-Known', 'one')).toBe(first);
});

test('another value is another field, and leaves the former as it was', () => {
  const first = knownField('X-Other', 'one');
  const second = knownField('X-Other', 'two');
  expect(second).toEqual(['x-other', 'two']);
  expect(first).toEqual(['x-other', 'one']);
  expect(knownField('X-Third', 'two')).toEqual(['x-third', 'two']);
});

test('what is long is not remembered, and of many names only the newest', () => {
  const long = 'v'.repeat(1_000);
  expect(knownField('X-Long', long)).not.toBe(knownField('X-Long', long));
  const early = knownField('X-Early', 'one');
  for (let n = 0; n < 1_000; n++) knownField(`X-Name-${n}`, 'one');
  expect(knownField('X-Early', 'one')).not.toBe(early);
  expect(knownField('X-Early', 'one')).toEqual(early);
});
