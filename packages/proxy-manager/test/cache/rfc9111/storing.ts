import type { Case } from './case.js';
import { daysAgo, fresh, hit, isStored, miss, notStored, says, unchanged } from './case.js';

export const STORING: readonly Case[] = [
  ['3', 'a fresh reply is stored and reused', [{ origin: fresh, is: 'miss' }, hit]],
  [
    '3',
    'a method whose caching is not understood stores nothing',
    [{ method: 'PATCH', origin: fresh, is: 'bypass' }, miss],
  ],
  ['3', 'a POST is no answer to a GET', [{ method: 'POST', data: 'a', origin: fresh, is: 'bypass' }, miss]],
  ['3', 'a reply to GET with no-store is not stored', notStored(says('no-store, max-age=60'))],
  ['3', 'no-store counts also beside public', notStored(says('public, max-age=60, no-store'))],
  ['3', 'private is no hindrance for a private cache', isStored(says('private, max-age=60'))],
  ['3', 'Expires alone lets a reply be stored', isStored({ headers: { expires: daysAgo(-1) } })],
  ['3', 'max-age lets any final status be stored', isStored({ status: 302, ...fresh }, { status: 302 })],
  ['3', 'a 404 with max-age is stored', isStored({ status: 404, ...fresh }, { status: 404 })],
  [
    '3',
    'public lets a status be stored that is not so by default',
    isStored({ status: 302, headers: { 'cache-control': 'public', 'last-modified': daysAgo(10) } }, { status: 302 }),
  ],
  [
    '3',
    'a status that is not cacheable by default needs to be allowed',
    notStored({ status: 302, headers: { 'last-modified': daysAgo(10) } }, { status: 302 }),
  ],
  ['3', 'a reply that says nothing of its time is not reused', notStored({})],
  [
    '3',
    'an error of the origin is not stored, whatever it says',
    notStored({ status: 500, ...fresh }, { status: 500 }),
  ],
  [
    '3',
    'a 206 is not stored as a whole',
    [
      {
        headers: { range: 'bytes=0-1' },
        origin: { status: 206, headers: { 'cache-control': 'max-age=60', 'content-range': 'bytes 0-1/9' }, body: 'ab' },
        is: 'miss',
        status: 206,
      },
      miss,
    ],
  ],
  [
    '3',
    'a 304 to conditions of the caller is not stored',
    [
      {
        headers: { 'if-none-match': '"mine"' },
        origin: unchanged,
        is: 'miss',
        status: 304,
        asks: { 'if-none-match': '"mine"' },
      },
      miss,
    ],
  ],
  [
    '3',
    'must-understand keeps a status out that we do not understand',
    notStored({ status: 299, headers: { 'cache-control': 'max-age=60, must-understand' } }, { status: 299 }),
  ],
  [
    '3',
    'must-understand overrules no-store for a status that we understand',
    isStored(says('max-age=60, must-understand, no-store')),
  ],
  [
    '3.1',
    'unknown fields are stored',
    [
      { origin: { headers: { 'cache-control': 'max-age=60', 'x-unknown': 'kept' } }, is: 'miss' },
      { ...hit, gets: { 'x-unknown': 'kept' } },
    ],
  ],
  [
    '3.1',
    'Connection and the fields that it names are not stored',
    [
      {
        origin: { headers: { 'cache-control': 'max-age=60', connection: 'x-hop, keep-alive', 'x-hop': 'a' } },
        is: 'miss',
      },
      { ...hit, gets: { connection: null, 'x-hop': null, 'keep-alive': null } },
    ],
  ],
  [
    '3.1',
    'what is between us and a proxy is not stored',
    [
      {
        origin: {
          headers: { 'cache-control': 'max-age=60', 'proxy-authenticate': 'Basic', 'proxy-authentication-info': 'a' },
        },
        is: 'miss',
      },
      { ...hit, gets: { 'proxy-authenticate': null, 'proxy-authentication-info': null } },
    ],
  ],
  [
    '3.1',
    'Set-Cookie does not keep a reply from being stored, and is',
    [
      { origin: { headers: { 'cache-control': 'max-age=60', 'set-cookie': 'a=1' } }, is: 'miss' },
      { ...hit, gets: { 'set-cookie': /a=1/ } },
    ],
  ],
  [
    '3.2',
    'a 304 replaces stored fields',
    [
      { origin: { headers: { 'cache-control': 'max-age=1', etag: '"v1"', 'x-a': 'old', 'x-b': 'stays' } }, is: 'miss' },
      {
        after: 2,
        origin: { status: 304, headers: { 'cache-control': 'max-age=60', 'x-a': 'new' } },
        is: 'revalidated',
        body: 'answer 1',
        gets: { 'x-a': 'new', 'x-b': 'stays' },
      },
      { ...hit, gets: { 'x-a': 'new', 'x-b': 'stays' } },
    ],
  ],
  [
    '3.2',
    'a 304 does not replace what describes the stored bytes',
    [
      {
        origin: { headers: { 'cache-control': 'max-age=1', etag: '"v1"', 'content-length': '8' }, body: 'answer 1' },
        is: 'miss',
      },
      {
        after: 2,
        origin: { status: 304, headers: { etag: '"v1"', 'content-encoding': 'gzip', 'content-range': 'bytes 0-1/9' } },
        is: 'revalidated',
        body: 'answer 1',
        gets: { 'content-length': '8', 'content-encoding': null, 'content-range': null },
      },
    ],
  ],
  [
    '3.4',
    'a part is cut from the whole that is stored',
    [
      {
        origin: { headers: { 'cache-control': 'max-age=60', 'content-length': '10' }, body: '0123456789' },
        is: 'miss',
      },
      {
        headers: { range: 'bytes=2-4' },
        is: 'hit',
        status: 206,
        body: '234',
        gets: { 'content-range': 'bytes 2-4/10', 'content-length': '3' },
      },
      {
        headers: { range: 'bytes=7-' },
        is: 'hit',
        status: 206,
        body: '789',
        gets: { 'content-range': 'bytes 7-9/10' },
      },
      { headers: { range: 'bytes=-2' }, is: 'hit', status: 206, body: '89', gets: { 'content-range': 'bytes 8-9/10' } },
      { headers: { range: 'bytes=5-500' }, is: 'hit', status: 206, body: '56789' },
      { is: 'hit', body: '0123456789' },
    ],
  ],
  [
    '3.4',
    'several ranges, and one outside, are the origin’s to answer',
    [
      {
        origin: { headers: { 'cache-control': 'max-age=60', 'content-length': '10' }, body: '0123456789' },
        is: 'miss',
      },
      {
        headers: { range: 'bytes=0-1,4-5' },
        origin: { status: 206, body: 'parts' },
        is: 'miss',
        status: 206,
        body: 'parts',
      },
      { headers: { range: 'bytes=20-30' }, origin: { status: 416 }, is: 'miss', status: 416 },
      { is: 'hit', body: '0123456789' },
    ],
  ],
  [
    '3.4',
    'If-Range with another validator gives the origin’s word',
    [
      {
        origin: {
          headers: { 'cache-control': 'max-age=60', 'content-length': '10', etag: '"v1"' },
          body: '0123456789',
        },
        is: 'miss',
      },
      { headers: { range: 'bytes=0-1', 'if-range': '"v1"' }, is: 'hit', status: 206, body: '01' },
      { headers: { range: 'bytes=0-1', 'if-range': '"v2"' }, origin: { body: 'whole' }, is: 'miss', body: 'whole' },
    ],
  ],
  [
    '3.4',
    'a part of what is stale is asked for at the origin',
    [
      { origin: { headers: { 'cache-control': 'max-age=1', 'content-length': '10' }, body: '0123456789' }, is: 'miss' },
      {
        after: 2,
        headers: { range: 'bytes=0-1' },
        origin: { status: 206, body: '0N' },
        is: 'miss',
        status: 206,
        body: '0N',
        asks: { range: 'bytes=0-1', 'if-none-match': null },
      },
    ],
  ],
  [
    '3.5',
    'a request with Authorization is answered from a private cache',
    isStored(fresh, { headers: { authorization: 'Bearer mine' } }),
  ],
];
