import type { Case } from './case.js';
import { daysAgo, fresh, hit, miss, says, tagged, unchanged } from './case.js';

export const VALIDATION: readonly Case[] = [
  [
    '4.3.1',
    'the entity tag is asked by',
    [
      { origin: tagged, is: 'miss' },
      {
        after: 61,
        origin: unchanged,
        is: 'revalidated',
        body: 'answer 1',
        asks: { 'if-none-match': '"v1"' },
        gets: { age: '0' },
      },
      hit,
    ],
  ],
  [
    '4.3.1',
    'the last modification is asked by',
    [
      { origin: says('max-age=60', { 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT' }), is: 'miss' },
      {
        after: 61,
        origin: { status: 304 },
        is: 'revalidated',
        asks: { 'if-modified-since': 'Wed, 01 Jan 2020 00:00:00 GMT' },
      },
    ],
  ],
  [
    '4.3.1',
    'both where there are both',
    [
      { origin: says('max-age=60', { 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT', etag: 'W/"v1"' }), is: 'miss' },
      {
        after: 61,
        is: 'miss',
        asks: { 'if-modified-since': 'Wed, 01 Jan 2020 00:00:00 GMT', 'if-none-match': 'W/"v1"' },
      },
    ],
  ],
  [
    '4.3.1',
    'nothing to ask by, no question',
    [
      { origin: fresh, is: 'miss' },
      { after: 61, is: 'miss', asks: { 'if-modified-since': null, 'if-none-match': null } },
    ],
  ],
  [
    '4.3.2',
    'a caller who has it already gets a 304',
    [
      { origin: tagged, is: 'miss' },
      {
        headers: { 'if-none-match': '"v1"' },
        is: 'hit',
        status: 304,
        body: '',
        gets: { etag: '"v1"', 'content-length': null },
      },
      { headers: { 'if-none-match': '"v0", W/"v1"' }, is: 'hit', status: 304 },
      { headers: { 'if-none-match': '*' }, is: 'hit', status: 304 },
    ],
  ],
  [
    '4.3.2',
    'a caller who has another one gets it',
    [
      { origin: tagged, is: 'miss' },
      { ...hit, headers: { 'if-none-match': '"v0", "v2"' } },
    ],
  ],
  [
    '4.3.2',
    'If-Modified-Since is compared with Last-Modified',
    [
      { origin: says('max-age=60', { 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT' }), is: 'miss' },
      { headers: { 'if-modified-since': 'Wed, 01 Jan 2020 00:00:00 GMT' }, is: 'hit', status: 304 },
      { headers: { 'if-modified-since': 'Thursday, 02-Jan-20 00:00:00 GMT' }, is: 'hit', status: 304 },
      { ...hit, headers: { 'if-modified-since': 'Tue, 31 Dec 2019 00:00:00 GMT' } },
      { ...hit, headers: { 'if-modified-since': 'last year' } },
    ],
  ],
  [
    '4.3.2',
    'If-None-Match counts before If-Modified-Since',
    [
      { origin: says('max-age=60', { 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT', etag: '"v1"' }), is: 'miss' },
      { ...hit, headers: { 'if-none-match': '"v0"', 'if-modified-since': 'Wed, 01 Jan 2020 00:00:00 GMT' } },
    ],
  ],
  [
    '4.3.2',
    'If-Match and If-Unmodified-Since are the origin’s to judge',
    [
      { origin: tagged, is: 'miss' },
      {
        headers: { 'if-match': '"v0"' },
        origin: { status: 412 },
        is: 'bypass',
        status: 412,
        asks: { 'if-match': '"v0"' },
      },
      { headers: { 'if-unmodified-since': daysAgo(1) }, origin: { status: 412 }, is: 'bypass', status: 412 },
    ],
  ],
  [
    '4.3.2',
    'conditions of a caller are answered from what the origin has confirmed',
    [
      { origin: tagged, is: 'miss' },
      {
        after: 61,
        headers: { 'if-none-match': '"v0"' },
        origin: unchanged,
        is: 'revalidated',
        body: 'answer 1',
        asks: { 'if-none-match': '"v1"' },
      },
      { after: 61, headers: { 'if-none-match': '"v1"' }, origin: unchanged, is: 'revalidated', status: 304, body: '' },
    ],
  ],
  [
    '4.3.3',
    'a 304 makes the stored reply fresh again',
    [
      { origin: tagged, is: 'miss' },
      { after: 61, origin: unchanged, is: 'revalidated', body: 'answer 1' },
      { ...hit, after: 59 },
      { after: 2, origin: unchanged, is: 'revalidated' },
    ],
  ],
  [
    '4.3.3',
    'a full reply takes the place of the stored one',
    [
      { origin: tagged, is: 'miss' },
      { after: 61, origin: { headers: { 'cache-control': 'max-age=60' } }, is: 'miss', body: 'answer 2' },
      { is: 'hit', body: 'answer 2' },
    ],
  ],
  [
    '4.3.3',
    'a full reply that may not be stored takes the stored one with it',
    [
      { origin: tagged, is: 'miss' },
      { after: 61, origin: says('no-store'), is: 'miss', body: 'answer 2' },
      { is: 'miss', asks: { 'if-none-match': null } },
    ],
  ],
  [
    '4.3.3',
    'an error of the origin is passed on',
    [
      { origin: tagged, is: 'miss' },
      { after: 61, origin: { status: 500 }, is: 'miss', status: 500 },
      { origin: unchanged, is: 'revalidated', body: 'answer 1' },
    ],
  ],
  [
    '4.3.4',
    'a 304 about another version confirms nothing: it is asked for whole',
    [
      { origin: tagged, is: 'miss' },
      {
        after: 61,
        origin: { status: 304, headers: { etag: '"v9"' } },
        is: 'miss',
        status: 304,
        asks: { 'if-none-match': null },
      },
      miss,
    ],
  ],
  [
    '4.3.4',
    'a weak tag confirms the same words',
    [
      { origin: says('max-age=60', { etag: 'W/"v1"' }), is: 'miss' },
      {
        after: 61,
        origin: { status: 304, headers: { etag: '"v1"', 'cache-control': 'max-age=60' } },
        is: 'revalidated',
        body: 'answer 1',
      },
    ],
  ],
  [
    '4.3.4',
    'a 304 that forbids to store it ends the stored reply',
    [
      { origin: tagged, is: 'miss' },
      {
        after: 61,
        origin: { status: 304, headers: { 'cache-control': 'no-store' } },
        is: 'revalidated',
        body: 'answer 1',
      },
      { is: 'miss', asks: { 'if-none-match': null } },
    ],
  ],
  [
    '4.3.5',
    'the reply to a HEAD freshens the stored one',
    [
      { origin: { headers: { 'cache-control': 'max-age=60', etag: '"v1"', 'x-a': 'old' } }, is: 'miss' },
      {
        after: 61,
        method: 'HEAD',
        origin: { headers: { 'cache-control': 'max-age=60', etag: '"v1"', 'x-a': 'new', 'content-length': '8' } },
        is: 'miss',
      },
      { is: 'hit', body: 'answer 1', gets: { 'x-a': 'new' } },
    ],
  ],
  [
    '4.3.5',
    'the reply to a HEAD that tells of another version ends the stored one',
    [
      { origin: tagged, is: 'miss' },
      { after: 61, method: 'HEAD', origin: { headers: { 'cache-control': 'max-age=60', etag: '"v2"' } }, is: 'miss' },
      { is: 'miss', asks: { 'if-none-match': null } },
    ],
  ],
  ...['POST', 'PUT', 'DELETE', 'PATCH', 'PROPPATCH'].map((method): Case => [
    '4.4',
    `a successful ${method} ends what is stored for its url`,
    [{ origin: fresh, is: 'miss' }, { method: 'HEAD', path: '', is: 'hit' }, { method, is: 'bypass' }, miss],
  ]),
  [
    '4.4',
    'also the variants',
    [
      { headers: { 'x-v': 'a' }, origin: { headers: { 'cache-control': 'max-age=60', vary: 'x-v' } }, is: 'miss' },
      { headers: { 'x-v': 'b' }, origin: { headers: { 'cache-control': 'max-age=60', vary: 'x-v' } }, is: 'miss' },
      { method: 'DELETE', is: 'bypass' },
      { headers: { 'x-v': 'a' }, origin: { headers: { 'cache-control': 'max-age=60', vary: 'x-v' } }, is: 'miss' },
      { headers: { 'x-v': 'b' }, is: 'miss' },
    ],
  ],
  [
    '4.4',
    'a redirect counts as success',
    [{ origin: fresh, is: 'miss' }, { method: 'DELETE', origin: { status: 302 }, is: 'bypass', status: 302 }, miss],
  ],
  [
    '4.4',
    'a refusal and a failure change nothing',
    [
      { origin: fresh, is: 'miss' },
      { method: 'DELETE', origin: { status: 403 }, is: 'bypass', status: 403 },
      { method: 'DELETE', origin: { status: 500 }, is: 'bypass', status: 500 },
      hit,
    ],
  ],
  ['4.4', 'safe methods change nothing', [{ origin: fresh, is: 'miss' }, { method: 'OPTIONS', is: 'bypass' }, hit]],
  ...['location', 'content-location'].map((field): Case => [
    '4.4',
    `${field} names another url that ends with it`,
    [
      { path: '/other', origin: fresh, is: 'miss' },
      {
        method: 'POST',
        path: '/this',
        origin: { status: 201, headers: { [field]: 'other' } },
        is: 'bypass',
        status: 201,
      },
      { path: '/other', is: 'miss' },
    ],
  ]),
];
