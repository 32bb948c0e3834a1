import axios from 'axios';
import { assert, property, record, string, oneof, integer, boolean, constant, dictionary, option } from 'fast-check';
import { expect, test } from 'vitest';
import { AxiosError, AxiosHeaders, CanceledError, wholeAxios } from '../../src/doors/axios-core.js';
import { uriOf } from '../../src/doors/uri.js';

test('the parts of axios are those of axios itself', () => {
  expect([AxiosError, AxiosHeaders, CanceledError, wholeAxios()]).toEqual([
    axios.AxiosError,
    axios.AxiosHeaders,
    axios.CanceledError,
    axios,
  ]);
  expect(wholeAxios()).toBe(axios);
  expect(AxiosError).toBe(axios.AxiosError);
});

test('an url is what axios makes of its parts', () => {
  const value = oneof(string(), integer(), boolean(), constant(null), constant(undefined));
  const name = oneof(
    string({ minLength: 1, maxLength: 4 }),
    constant('a'),
    constant('b-c'),
    constant('list[]'),
    constant('o{}'),
  );
  const parts = record(
    {
      baseURL: oneof(
        constant('https://api.example'),
        constant('https://api.example/v1/'),
        constant('https://api.example/v1//?x=1'),
      ),
      url: oneof(
        constant('/a/b'),
        constant('a?b=c'),
        constant(''),
        constant('//other/x'),
        constant('http://other.example/a?b=c#d'),
        constant('items#h'),
      ),
      params: option(dictionary(name, value)),
      allowAbsoluteUrls: boolean(),
    },
    { requiredKeys: ['url'] },
  );
  assert(
    property(parts, (given) => {
      expect(uriOf(given)).toBe(axios.getUri(given));
    }),
  );
});

test.each<[string, object]>([
  ['lists', { a: [1, 2] }],
  ['objects', { a: { b: 1 } }],
  ['dates', { a: new Date(0) }],
  ['URLSearchParams', new URLSearchParams('a=1&a=2')],
  [
    'a class of its own',
    new (class {
      readonly a = 1;
    })(),
  ],
])('params that are %s', (_what, params) => {
  const given = { baseURL: 'https://api.example', url: '/x#h', params };
  expect(uriOf(given)).toBe(axios.getUri(given));
});

test('a protocol without slashes is refused in axios’s words', () => {
  expect(() => uriOf({ url: 'http:foo', params: { a: 1 } })).toThrow('missing "//" after protocol');
});
