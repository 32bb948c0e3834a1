import type { Case } from './case.js';
import { fresh, says } from './case.js';

export const STALE: readonly Case[] = [
  [
    '5861 §3',
    'stale-while-revalidate: at once, and asked behind it',
    [
      { origin: says('max-age=60, stale-while-revalidate=30', { etag: '"v1"' }), is: 'miss' },
      {
        after: 80,
        origin: { headers: { 'cache-control': 'max-age=60' } },
        is: 'stale',
        body: 'answer 1',
        behind: true,
        gets: { 'cache-status': /hit; ttl=-20$/ },
      },
      { is: 'hit', body: 'answer 2' },
    ],
  ],
  [
    '5861 §3',
    'stale-while-revalidate ends',
    [
      { origin: says('max-age=60, stale-while-revalidate=30'), is: 'miss' },
      { after: 91, is: 'miss', body: 'answer 2' },
    ],
  ],
  [
    '5861 §3',
    'stale-while-revalidate gives way to must-revalidate',
    [
      { origin: says('max-age=60, stale-while-revalidate=30, must-revalidate'), is: 'miss' },
      { after: 61, is: 'miss' },
    ],
  ],
  [
    '5861 §3',
    'stale-while-revalidate of the policy',
    [
      { origin: fresh, is: 'miss' },
      { after: 61, origin: fresh, is: 'stale', body: 'answer 1', behind: true },
      { is: 'hit', body: 'answer 2' },
    ],
    { mode: 'http', staleWhileRevalidateMs: 30_000 },
  ],
  ...[500, 502, 503, 504].map((status): Case => [
    '5861 §4',
    `stale-if-error: a ${status}`,
    [
      { origin: says('max-age=60, stale-if-error=30'), is: 'miss' },
      { after: 80, origin: { status }, is: 'stale', body: 'answer 1' },
      { after: 20, origin: { status }, is: 'miss', status },
    ],
  ]),
  [
    '5861 §4',
    'stale-if-error: no connection',
    [
      { origin: says('max-age=60, stale-if-error=30'), is: 'miss' },
      { after: 80, origin: 'hangs up', is: 'stale', body: 'answer 1' },
      { after: 20, origin: 'hangs up', is: 'ECONNRESET' },
    ],
  ],
  [
    '5861 §4',
    'stale-if-error: a 404 is no error of the origin',
    [
      { origin: says('max-age=60, stale-if-error=30'), is: 'miss' },
      { after: 61, origin: { status: 404 }, is: 'miss', status: 404 },
    ],
  ],
  [
    '5861 §4',
    'stale-if-error of the request',
    [
      { origin: fresh, is: 'miss' },
      {
        after: 80,
        headers: { 'cache-control': 'stale-if-error=30' },
        origin: { status: 500 },
        is: 'stale',
        body: 'answer 1',
      },
      { after: 1, origin: { status: 500 }, is: 'miss', status: 500 },
    ],
  ],
  [
    '5861 §4',
    'stale-if-error of the policy',
    [
      { origin: fresh, is: 'miss' },
      { after: 80, origin: { status: 503 }, is: 'stale', body: 'answer 1' },
      { after: 20, origin: 'hangs up', is: 'ECONNRESET' },
    ],
    { mode: 'http', staleIfErrorMs: 30_000 },
  ],
  [
    '5861 §4',
    'stale-if-error gives way to no-cache',
    [
      { origin: says('no-cache, stale-if-error=30', { etag: '"v1"' }), is: 'miss' },
      { after: 1, origin: { status: 500 }, is: 'miss', status: 500 },
    ],
  ],
];
