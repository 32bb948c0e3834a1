import { expect, test } from 'vitest';
import { knownUrl } from '../../src/doors/known-url.js';
import { RecurringUrl } from '../../src/pipeline/recurring-url.js';

test('an url that is asked for again and again is the same object, for each way to write it', () => {
  const written = 'https://api.example.com/items?page=1';
  expect(knownUrl(written)).not.toBeInstanceOf(RecurringUrl);
  const url = knownUrl(written);
  expect(url).toBeInstanceOf(RecurringUrl);
  expect(url?.href).toBe(written);
  expect(knownUrl(written)).toBe(url);
  expect(knownUrl(`${written}#part`)?.href).toBe(`${written}#part`);
  expect(knownUrl('https://api.example.com')?.href).toBe('https://api.example.com/');
  expect(knownUrl('/items')).toBeUndefined();
});

test('an url with a password in it is not kept', () => {
  const written = 'https://ann:pw@api.example.com/';
  expect(knownUrl(written)).not.toBe(knownUrl(written));
  expect(knownUrl(written)?.password).toBe('pw');
});

test('a crawl of many urls keeps the last of them, and each is its own', () => {
  const written = Array.from({ length: 2500 }, (_, page) => `https://api.example.com/?page=${page}`);
  expect(written.map((each) => knownUrl(each)?.href)).toEqual(written);
  expect(written.slice(-3).map((each) => knownUrl(each))).toEqual(written.slice(-3).map((each) => knownUrl(each)));
  const last = written.at(-1) ?? '';
  expect(knownUrl(last)).toBe(knownUrl(last));
});
