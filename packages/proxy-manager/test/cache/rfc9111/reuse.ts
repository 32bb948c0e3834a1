import type { Case } from './case.js';
import { daysAgo, fresh, hit, isStored, miss, notStored, says, tagged } from './case.js';

export const REUSE: readonly Case[] = [
  [
    '4',
    'the target url tells replies apart',
    [
      { path: '?a=1', origin: fresh, is: 'miss' },
      { path: '?a=2', origin: fresh, is: 'miss' },
      { path: '?a=1', is: 'hit', body: 'answer 1' },
    ],
  ],
  [
    '4',
    'a reply from the store has an Age',
    [
      { origin: fresh, is: 'miss', gets: { age: null } },
      { ...hit, after: 30, gets: { age: '30' } },
    ],
  ],
  [
    '4',
    'a stale reply is not reused unasked',
    [
      { origin: fresh, is: 'miss' },
      { ...hit, after: 59 },
      { after: 2, is: 'miss', body: 'answer 2' },
    ],
  ],
  [
    '4',
    'a request of an unsafe method is written through',
    [
      { origin: fresh, is: 'miss' },
      { method: 'POST', data: 'a', is: 'bypass', body: 'answer 2' },
    ],
  ],
  [
    '4',
    'the newest reply is used',
    [
      { origin: tagged, is: 'miss' },
      { after: 61, origin: { headers: { 'cache-control': 'max-age=60', etag: '"v2"' } }, is: 'miss', body: 'answer 2' },
      { is: 'hit', body: 'answer 2', gets: { etag: '"v2"' } },
    ],
  ],
  [
    '4',
    'a stored reply to a GET answers a HEAD, without its body',
    [
      { origin: fresh, is: 'miss' },
      { method: 'HEAD', is: 'hit', body: '' },
    ],
  ],
  [
    '4',
    'a stored reply to a HEAD answers no GET',
    [{ method: 'HEAD', origin: fresh, is: 'miss' }, { method: 'HEAD', is: 'hit', body: '' }, miss],
  ],
  [
    '4.1',
    'Vary: the same words find the reply',
    isStored(
      { headers: { 'cache-control': 'max-age=60', vary: 'accept-language' } },
      { headers: { 'accept-language': 'de' } },
    ),
  ],
  [
    '4.1',
    'Vary: other words do not',
    [
      {
        headers: { 'accept-language': 'de' },
        origin: { headers: { 'cache-control': 'max-age=60', vary: 'Accept-Language' } },
        is: 'miss',
      },
      { headers: { 'accept-language': 'fr' }, is: 'miss', gets: { 'cache-status': /fwd=vary-miss/ } },
    ],
  ],
  [
    '4.1',
    'Vary: replies of several words are kept beside each other',
    [
      { headers: { 'x-v': 'a' }, origin: { headers: { 'cache-control': 'max-age=60', vary: 'x-v' } }, is: 'miss' },
      { headers: { 'x-v': 'b' }, origin: { headers: { 'cache-control': 'max-age=60', vary: 'x-v' } }, is: 'miss' },
      { headers: { 'x-v': 'c' }, origin: { headers: { 'cache-control': 'max-age=60', vary: 'x-v' } }, is: 'miss' },
      { headers: { 'x-v': 'a' }, is: 'hit', body: 'answer 1' },
      { headers: { 'x-v': 'b' }, is: 'hit', body: 'answer 2' },
      { headers: { 'x-v': 'c' }, is: 'hit', body: 'answer 3' },
    ],
  ],
  [
    '4.1',
    'Vary: absent matches absent only',
    [
      { origin: { headers: { 'cache-control': 'max-age=60', vary: 'x-v' } }, is: 'miss' },
      { headers: { 'x-v': 'a' }, is: 'miss' },
      { is: 'hit', body: 'answer 1' },
    ],
  ],
  [
    '4.1',
    'Vary: all named fields must match',
    [
      {
        headers: { 'x-v': 'a', 'x-w': 'a' },
        origin: { headers: { 'cache-control': 'max-age=60', vary: ['x-v', 'x-w'] } },
        is: 'miss',
      },
      { headers: { 'x-v': 'a', 'x-w': 'b' }, is: 'miss' },
      { headers: { 'x-w': 'a', 'x-v': 'a' }, is: 'hit', body: 'answer 1' },
    ],
  ],
  [
    '4.1',
    'Vary: whitespace is no difference',
    [
      { headers: { 'x-v': 'a, b' }, origin: { headers: { 'cache-control': 'max-age=60', vary: 'x-v' } }, is: 'miss' },
      { headers: { 'x-v': 'a ,b' }, is: 'hit', body: 'answer 1' },
    ],
  ],
  ['4.1', 'Vary: * never matches', notStored({ headers: { 'cache-control': 'max-age=60', vary: '*' } })],
  [
    '4.1',
    'Vary: * among others never matches',
    notStored({ headers: { 'cache-control': 'max-age=60', vary: 'x-v, *' } }),
  ],
  [
    '4.1',
    'Vary: authorization tells callers apart',
    [
      {
        headers: { authorization: 'Bearer one' },
        origin: { headers: { 'cache-control': 'max-age=60', vary: 'authorization' } },
        is: 'miss',
      },
      { headers: { authorization: 'Bearer two' }, is: 'miss' },
    ],
  ],
  ['4.2.1', 'max-age counts, not Expires', [{ origin: says('max-age=60', { expires: daysAgo(1) }), is: 'miss' }, hit]],
  [
    '4.2.1',
    'Expires counts from Date',
    [{ origin: { headers: { date: daysAgo(2), expires: daysAgo(1) } }, is: 'miss' }, miss],
  ],
  ['4.2.1', 's-maxage is for shared caches', notStored(says('s-maxage=60'))],
  ['4.2.1', 'of different values none makes it fresh', notStored(says('max-age=60, max-age=3600'))],
  ['4.2.1', 'the same value twice is that value', isStored(says('max-age=60, max-age=60'))],
  ['4.2.1', 'what is no number is stale', notStored(says('max-age=soon'))],
  ['4.2.1', 'two different Expires are stale', notStored({ headers: { expires: [daysAgo(-1), daysAgo(-2)] } })],
  ['4.2.1', 'a number without end is one', isStored(says('max-age=99999999999999999999'))],
  [
    '4.2.2',
    'a tenth of the time since Last-Modified, where nothing is said',
    [
      { origin: { headers: { 'last-modified': daysAgo(1) } }, is: 'miss' },
      { ...hit, after: 8000 },
      { after: 1000, is: 'miss' },
    ],
  ],
  ['4.2.2', 'no guess where the origin says something', notStored(says('max-age=0', { 'last-modified': daysAgo(10) }))],
  ['4.2.2', 'no guess at all without Last-Modified', notStored({ headers: { 'content-type': 'text/plain' } })],
  [
    '4.2.3',
    'the age in caches before counts',
    [
      { origin: { headers: { 'cache-control': 'max-age=60', age: '50' } }, is: 'miss' },
      { ...hit, after: 5, gets: { age: '55' } },
      { after: 6, is: 'miss' },
    ],
  ],
  [
    '4.2.3',
    'the time since Date counts',
    [
      { origin: { headers: { 'cache-control': 'max-age=86500', date: daysAgo(1) } }, is: 'miss' },
      { ...hit, after: 50, gets: { age: /^864[45]\d$/ } },
      { after: 100, is: 'miss' },
    ],
  ],
  [
    '4.2.3',
    'a Date ahead of our clock makes nobody younger',
    [
      { origin: { headers: { 'cache-control': 'max-age=60', date: daysAgo(-1) } }, is: 'miss' },
      { ...hit, after: 10, gets: { age: '10' } },
      { after: 51, is: 'miss' },
    ],
  ],
  [
    '4.2.4',
    'without leave no stale reply, also where the origin is away',
    [
      { origin: fresh, is: 'miss' },
      { after: 61, origin: 'hangs up', is: 'ECONNRESET' },
    ],
  ],
  [
    '4.2.4',
    'none past must-revalidate',
    [
      { origin: says('max-age=60, must-revalidate, stale-if-error=999'), is: 'miss' },
      { after: 61, origin: 'hangs up', is: 'ECONNRESET' },
    ],
  ],
];
