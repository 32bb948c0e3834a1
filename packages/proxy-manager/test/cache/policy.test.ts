import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CachePolicy } from '../../src/config/cache-options.js';
import { fresh, tagged, unchanged } from './rfc9111/case.js';
import type { Stage, Step } from './scenario.js';
import { openStage } from './scenario.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

type Case = readonly [what: string, policy: CachePolicy, steps: readonly Step[]];

const noStore = { headers: { 'cache-control': 'no-store' } };
const error = { status: 503 };

const TTL: readonly Case[] = [
  [
    'a reply serves for ttlMs, whatever its headers say',
    { ttlMs: 60_000 },
    [
      { origin: { headers: { 'cache-control': 'no-store', vary: '*', expires: '0' } }, is: 'miss' },
      { after: 59, is: 'hit', body: 'answer 1' },
      { after: 1, is: 'miss' },
    ],
  ],
  ['24 h by default', {}, [{ is: 'miss' }, { after: 86_399, is: 'hit' }, { after: 1, is: 'miss' }]],
  [
    'urls may have times of their own, the first that fits counts, and 0 is not at all',
    {
      ttlMs: 60_000,
      ttlMsByUrl: [
        { url: 'http://*/never', ttlMs: 0 },
        { url: /\/long/, ttlMs: 600_000 },
        { url: '*/long/not', ttlMs: 1 },
      ],
    },
    [
      { path: '/never', is: 'miss' },
      { path: '/never', is: 'miss' },
      { path: '/long/not', is: 'miss' },
      { path: '/other', is: 'miss' },
      { after: 100, path: '/long/not', is: 'hit' },
      { path: '/other', is: 'miss' },
    ],
  ],
  [
    'statuses may have times of their own, which lets them in; the shorter time counts',
    { ttlMs: 60_000, ttlMsByStatus: { 404: 5000 }, ttlMsByUrl: [{ url: '*/soon', ttlMs: 2000 }] },
    [
      { origin: { status: 404 }, is: 'miss', status: 404 },
      { after: 4, is: 'hit', status: 404 },
      { after: 1, is: 'miss' },
      { path: '/soon', origin: { status: 404 }, is: 'miss', status: 404 },
      { after: 3, path: '/soon', is: 'miss' },
    ],
  ],
  [
    'statuses say what is stored',
    { statuses: [404] },
    [{ is: 'miss' }, { origin: { status: 404 }, is: 'miss', status: 404 }, { is: 'hit', status: 404 }],
  ],
  [
    'a failure of the origin gets in by no policy',
    { statuses: [200, 500, 429], ttlMsByStatus: { 503: 1000 } },
    [
      { origin: { status: 500 }, is: 'miss', status: 500 },
      { origin: { status: 503 }, is: 'miss', status: 503 },
      { is: 'miss' },
    ],
  ],
  [
    'a POST is asked for once where it is listed, its body being part of it',
    { methods: ['GET', 'POST', 'QUERY'] },
    [
      { method: 'POST', data: 'query a', is: 'miss' },
      { method: 'POST', data: 'query b', is: 'miss' },
      { method: 'POST', data: 'query a', is: 'hit', body: 'answer 1' },
      { is: 'miss' },
      { method: 'HEAD', is: 'bypass' },
    ],
  ],
  [
    'longer bodies than maxEntryBytes are not stored',
    { maxEntryBytes: 4 },
    [
      { path: '/long', origin: { body: '12345' }, is: 'miss' },
      { path: '/long', is: 'miss' },
      { path: '/short', origin: { body: '1234' }, is: 'miss' },
      { path: '/short', is: 'hit' },
    ],
  ],
  [
    'staleWhileRevalidateMs: at once, and asked behind it',
    { ttlMs: 60_000, staleWhileRevalidateMs: 30_000 },
    [
      { is: 'miss' },
      { after: 80, origin: {}, is: 'stale', body: 'answer 1', behind: true },
      { is: 'hit', body: 'answer 2' },
      { after: 91, is: 'miss' },
    ],
  ],
  [
    'staleIfErrorMs: failures of the origin and of the way there, but not a key that is refused',
    { ttlMs: 60_000, staleIfErrorMs: 30_000 },
    [
      { is: 'miss' },
      { after: 61, origin: error, is: 'stale', body: 'answer 1' },
      { origin: 'hangs up', is: 'stale', body: 'answer 1' },
      { origin: { status: 401 }, is: 'miss', status: 401 },
      { after: 30, origin: error, is: 'miss', status: 503 },
    ],
  ],
  [
    'staleIfErrorMs: a key that is throttled',
    { ttlMs: 60_000, staleIfErrorMs: 30_000 },
    [{ is: 'miss' }, { after: 61, origin: { status: 429 }, is: 'stale', body: 'answer 1' }],
  ],
  [
    'what is kept for errors is asked for by its validators, and a 304 makes it fresh',
    { ttlMs: 60_000, staleIfErrorMs: 30_000 },
    [
      { origin: { headers: { etag: '"v1"' } }, is: 'miss' },
      { after: 61, origin: { status: 304 }, is: 'revalidated', body: 'answer 1', asks: { 'if-none-match': '"v1"' } },
      { after: 59, is: 'hit' },
    ],
  ],
  [
    'Vary tells replies apart, but not by who asks, and by what it is unpacked from',
    {},
    [
      {
        headers: { 'accept-language': 'de' },
        origin: { headers: { vary: 'accept-language, user-agent, cookie, authorization, accept-encoding' } },
        is: 'miss',
      },
      { headers: { 'accept-language': 'fr' }, origin: { headers: { vary: 'accept-language' } }, is: 'miss' },
      {
        headers: {
          'accept-language': 'de',
          'user-agent': 'x',
          cookie: 'a=1',
          authorization: 'Bearer b',
          'accept-encoding': 'br',
        },
        is: 'hit',
        body: 'answer 1',
      },
    ],
  ],
  [
    'varyBy tells replies apart by what it names, also by who asks',
    { varyBy: ['Cookie'] },
    [
      { headers: { cookie: 'user=1' }, is: 'miss' },
      { headers: { cookie: 'user=2' }, is: 'miss' },
      { is: 'miss' },
      { headers: { cookie: 'user=1' }, is: 'hit', body: 'answer 1' },
      { headers: { cookie: 'user=2' }, is: 'hit', body: 'answer 2' },
      { is: 'hit', body: 'answer 3' },
    ],
  ],
  [
    'the query counts in its order',
    {},
    [
      { path: '?a=1&b=2', is: 'miss' },
      { path: '?b=2&a=1', is: 'miss' },
    ],
  ],
  [
    'sortQuery: the order of names does not matter, that of one name’s values does',
    { sortQuery: true },
    [
      { path: '?b=2&a=1&a=0', is: 'miss' },
      { path: '?a=1&b=2&a=0', is: 'hit' },
      { path: '?a=0&a=1&b=2', is: 'miss' },
    ],
  ],
  [
    'cookies are not stored',
    {},
    [
      { origin: { headers: { 'set-cookie': 'a=1' } }, is: 'miss', gets: { 'set-cookie': /a=1/ } },
      { is: 'hit', gets: { 'set-cookie': null } },
    ],
  ],
  [
    'the request’s own words count here too',
    {},
    [
      { is: 'miss' },
      { headers: { 'cache-control': 'no-cache' }, is: 'miss', body: 'answer 2' },
      { headers: { 'cache-control': 'no-store' }, is: 'bypass' },
      { is: 'hit', body: 'answer 2' },
    ],
  ],
];

const HTTP: readonly Case[] = [
  [
    'ttlMs is for replies whose origin says nothing',
    { mode: 'http', ttlMs: 60_000 },
    [
      { is: 'miss' },
      { after: 59, is: 'hit' },
      { after: 1, origin: { headers: { 'cache-control': 'max-age=5' } }, is: 'miss' },
      { after: 5, is: 'miss' },
    ],
  ],
  [
    'a status with a time of its own is stored where the origin says nothing',
    { mode: 'http', ttlMsByStatus: { 403: 60_000 } },
    [
      { origin: { status: 403 }, is: 'miss', status: 403 },
      { after: 59, is: 'hit', status: 403 },
      { after: 1, is: 'miss' },
    ],
  ],
  [
    'statuses say which of those that may be are stored',
    { mode: 'http', statuses: [200] },
    [{ origin: { status: 404, ...fresh }, is: 'miss', status: 404 }, { origin: fresh, is: 'miss' }, { is: 'hit' }],
  ],
  [
    'a POST is stored where it is listed and the origin says for how long',
    { mode: 'http', ttlMs: 60_000, methods: ['POST'] },
    [
      { method: 'POST', data: 'a', is: 'miss' },
      { method: 'POST', data: 'a', origin: fresh, is: 'miss' },
      { method: 'POST', data: 'a', is: 'hit' },
    ],
  ],
  [
    'a POST that is listed ends what is stored for a GET all the same',
    { mode: 'http', methods: ['GET', 'POST'] },
    [
      { origin: fresh, is: 'miss' },
      { method: 'POST', data: 'a', origin: fresh, is: 'miss' },
      { origin: fresh, is: 'miss' },
      { method: 'POST', data: 'a', is: 'hit' },
      { is: 'hit' },
    ],
  ],
  [
    'what ttl mode has stored is not for http mode',
    { mode: 'http' },
    [{ origin: noStore, is: 'miss' }, { is: 'miss' }],
  ],
];

const MODES: readonly Case[] = [
  [
    'no-store neither reads nor writes',
    {},
    [
      { mode: 'no-store', is: 'bypass' },
      { is: 'miss' },
      { mode: 'no-store', is: 'bypass' },
      { is: 'hit', body: 'answer 2' },
    ],
  ],
  [
    'reload writes but does not read',
    {},
    [{ is: 'miss' }, { mode: 'reload', is: 'miss', body: 'answer 2' }, { is: 'hit', body: 'answer 2' }],
  ],
  [
    'no-cache asks the origin first',
    {},
    [
      { origin: { headers: { etag: '"v1"' } }, is: 'miss' },
      {
        mode: 'no-cache',
        origin: { status: 304 },
        is: 'revalidated',
        body: 'answer 1',
        asks: { 'if-none-match': '"v1"', 'cache-control': null },
      },
      { mode: 'no-cache', origin: {}, is: 'miss', body: 'answer 3' },
      { is: 'hit', body: 'answer 3' },
    ],
  ],
  [
    'force-cache takes what is stored however old, else the origin’s',
    { mode: 'http' },
    [
      { mode: 'force-cache', origin: {}, is: 'miss' },
      { after: 5000, mode: 'force-cache', is: 'stale', body: 'answer 1' },
      { is: 'miss', body: 'answer 2' },
    ],
  ],
  [
    'only-if-cached takes what is stored however old, and sends nothing',
    { mode: 'http' },
    [
      { mode: 'only-if-cached', is: 'ERR_NOT_CACHED' },
      { origin: fresh, is: 'miss', body: 'answer 1' },
      { mode: 'only-if-cached', is: 'hit', body: 'answer 1' },
      { after: 90, mode: 'only-if-cached', is: 'stale', body: 'answer 1' },
    ],
  ],
  [
    'in http mode reload and no-cache tell the caches behind',
    { mode: 'http' },
    [
      { origin: tagged, is: 'miss', asks: { 'cache-control': null } },
      { mode: 'no-cache', origin: unchanged, is: 'revalidated', asks: { 'cache-control': 'max-age=0' } },
      { mode: 'reload', origin: tagged, is: 'miss', asks: { 'cache-control': 'no-cache', pragma: 'no-cache' } },
      {
        mode: 'no-cache',
        headers: { 'cache-control': 'no-transform' },
        origin: tagged,
        is: 'miss',
        asks: { 'cache-control': 'no-transform' },
      },
    ],
  ],
];

const SECTIONS: readonly (readonly [string, readonly Case[]])[] = [
  ['ttl mode', TTL],
  ['http mode', HTTP],
  ['the modes of fetch', MODES],
];

describe.each(SECTIONS)('%s', (_, cases) => {
  test.each(cases.map(([what, policy, steps]) => ({ what, policy, steps })))('$what', async ({ policy, steps }) => {
    await expect(stage.play(steps, policy)).resolves.toBeUndefined();
  });
});
