import type { Case } from './case.js';
import { daysAgo, fresh, hit, isStored, notStored, says, tagged, unchanged } from './case.js';

export const FIELDS: readonly Case[] = [
  [
    '5.1',
    'of a list in Age the first counts',
    [
      { origin: says('max-age=60', { age: '50, 0' }), is: 'miss' },
      { after: 11, is: 'miss' },
    ],
  ],
  [
    '5.1',
    'an Age that is no number is ignored',
    [
      { origin: says('max-age=60', { age: 'old' }), is: 'miss' },
      { ...hit, gets: { age: '0' } },
    ],
  ],
  ['5.2', 'directives in any case', isStored(says('MaX-aGe=60'))],
  ['5.2', 'quoted values', isStored(says('max-age="60"'))],
  ['5.2', 'unknown directives are ignored', isStored(says('x-what, max-age=60, y=1'))],
  ['5.2', 'a directive within a quoted string is none', isStored(says('x="a, no-store", max-age=60'))],
  ['5.2', 'several fields are one list', notStored({ headers: { 'cache-control': ['max-age=60', 'no-store'] } })],
  [
    '5.2.1.1',
    'max-age of the request',
    [
      { origin: fresh, is: 'miss' },
      { ...hit, after: 10, headers: { 'cache-control': 'max-age=11' } },
      { headers: { 'cache-control': 'max-age=9' }, is: 'miss', gets: { 'cache-status': /fwd=request/ } },
    ],
  ],
  [
    '5.2.1.1',
    'max-age=0 asks for a confirmation at once',
    [
      { origin: tagged, is: 'miss' },
      { headers: { 'cache-control': 'max-age=0' }, origin: unchanged, is: 'revalidated' },
    ],
  ],
  [
    '5.2.1.2',
    'max-stale with a bound',
    [
      { origin: fresh, is: 'miss' },
      { after: 70, headers: { 'cache-control': 'max-stale=20' }, is: 'stale', body: 'answer 1', gets: { age: '70' } },
      { after: 20, headers: { 'cache-control': 'max-stale=20' }, is: 'miss' },
    ],
  ],
  [
    '5.2.1.2',
    'max-stale without a bound',
    [
      { origin: fresh, is: 'miss' },
      { after: 9000, headers: { 'cache-control': 'max-stale' }, is: 'stale', body: 'answer 1' },
    ],
  ],
  [
    '5.2.1.2',
    'max-stale does not overrule must-revalidate',
    [
      { origin: says('max-age=60, must-revalidate'), is: 'miss' },
      { after: 70, headers: { 'cache-control': 'max-stale' }, is: 'miss' },
    ],
  ],
  [
    '5.2.1.3',
    'min-fresh',
    [
      { origin: fresh, is: 'miss' },
      { ...hit, after: 30, headers: { 'cache-control': 'min-fresh=20' } },
      { after: 20, headers: { 'cache-control': 'min-fresh=20' }, is: 'miss' },
    ],
  ],
  [
    '5.2.1.4',
    'no-cache of the request',
    [
      { origin: tagged, is: 'miss' },
      {
        headers: { 'cache-control': 'no-cache' },
        origin: unchanged,
        is: 'revalidated',
        asks: { 'if-none-match': '"v1"' },
      },
    ],
  ],
  [
    '5.2.1.5',
    'no-store of the request',
    notStored(fresh, { headers: { 'cache-control': 'no-store' } }).map((step) => ({ ...step, is: 'bypass' })),
  ],
  ['5.2.1.6', 'no-transform: we change nothing', isStored(fresh, { headers: { 'cache-control': 'no-transform' } })],
  [
    '5.2.1.7',
    'only-if-cached with a stored reply',
    [
      { origin: fresh, is: 'miss' },
      { ...hit, headers: { 'cache-control': 'only-if-cached' } },
    ],
  ],
  [
    '5.2.1.7',
    'only-if-cached without one is a 504',
    [{ headers: { 'cache-control': 'only-if-cached' }, is: 'miss', status: 504 }],
  ],
  [
    '5.2.2.1',
    'max-age counts from the origin',
    [
      { origin: fresh, is: 'miss' },
      { ...hit, after: 59 },
      { after: 1, is: 'miss' },
    ],
  ],
  ['5.2.2.2', 'must-revalidate does not matter while it is fresh', isStored(says('max-age=60, must-revalidate'))],
  [
    '5.2.2.4',
    'no-cache of a reply: stored, and never used unasked',
    [
      { origin: says('no-cache, max-age=60', { etag: '"v1"' }), is: 'miss' },
      { origin: { status: 304, headers: { 'cache-control': 'no-cache' } }, is: 'revalidated', body: 'answer 1' },
      { headers: { 'cache-control': 'max-stale' }, origin: unchanged, is: 'revalidated' },
    ],
  ],
  [
    '5.2.2.4',
    'no-cache with fields counts for the whole',
    [
      { origin: says('no-cache="set-cookie", max-age=60', { etag: '"v1"' }), is: 'miss' },
      { origin: unchanged, is: 'revalidated' },
    ],
  ],
  ['5.2.2.6', 'no-transform of a reply', isStored(says('max-age=60, no-transform'))],
  ['5.2.2.7', 'private with fields is for shared caches', isStored(says('max-age=60, private="x-a"'))],
  [
    '5.2.2.8',
    'proxy-revalidate is for shared caches',
    [
      { origin: says('max-age=60, proxy-revalidate, stale-if-error=60'), is: 'miss' },
      { after: 61, origin: { status: 500 }, is: 'stale', body: 'answer 1' },
    ],
  ],
  ['5.2.2.9', 'public', isStored(says('public, max-age=60'))],
  ['5.2.2.10', 's-maxage does not overrule max-age here', isStored(says('max-age=60, s-maxage=0'))],
  ['5.3', 'Expires of 0 is past', notStored({ headers: { expires: '0', 'last-modified': daysAgo(10) } })],
  ['5.3', 'Expires that is no date is past', notStored({ headers: { expires: '2099-01-01T00:00:00Z' } })],
  ['5.3', 'Expires in the old forms', isStored({ headers: { expires: 'Fri Jan  1 00:00:00 2038' } })],
  [
    '5.4',
    'Pragma: no-cache is no-cache where nothing newer is said',
    [
      { origin: tagged, is: 'miss' },
      { headers: { pragma: 'no-cache' }, origin: unchanged, is: 'revalidated' },
      { ...hit, headers: { pragma: 'no-cache', 'cache-control': 'max-age=50' } },
    ],
  ],
  [
    '5.5',
    'Warning is not made any more',
    [
      { origin: fresh, is: 'miss' },
      { after: 90, headers: { 'cache-control': 'max-stale' }, is: 'stale', gets: { warning: null } },
    ],
  ],
];
