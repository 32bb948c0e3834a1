import { describe, expect, test } from 'vitest';
import { loadSecrets } from '../../src/config/secrets.js';
import {
  checkExtras,
  checkManagerOptions,
  checkRequestOptions,
  checkSendOptions,
  unknownEndpoint,
} from '../../src/config/validate-options.js';
import { ConfigError } from '../../src/errors.js';

function problems(check: () => void): readonly string[] {
  try {
    check();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const method = () => undefined;

describe('a manager', () => {
  test('takes what the types allow', () => {
    expect(() => checkManagerOptions({})).not.toThrow();
    expect(() =>
      checkManagerOptions({
        secrets: new URL('file:///s.json'),
        dataDir: 'd',
        redis: undefined,
        elasticsearch: { node: 'http://127.0.0.1:9200' },
        installAssets: false,
        usage: {
          take: method,
          arrived: method,
          giveBack: method,
          rest: method,
          read: method,
          note: method,
          standings: method,
          learn: method,
          close: method,
        },
        cache: { store: 'memory', memoryMaxBytes: 1 },
        log: { sinks: [{ name: 'mine', ship: method, close: method }] },
        retry: { attempts: 1, deadlineMs: 5, unsafe: true },
        wait: 500,
        fingerprintKey: 'ours',
        transport: { send: method, close: method },
        clock: { now: method },
      }),
    ).not.toThrow();
  });

  test('is told every mistake at once, and no secret', () => {
    const wrong = {
      secrets: 5,
      dataDir: '',
      redis: ['redis://:topsecret@h'],
      usage: 'elastic',
      cache: { store: {}, ttlMs: 5 },
      log: { sinks: [{}] },
      retry: { attempts: '3', deadlineMs: 0 },
      wait: Number.NaN,
      fingerprintKey: ['topsecret'],
      installasets: true,
      watch: 1,
    };
    expect(problems(() => checkManagerOptions(wrong))).toEqual([
      'secrets: expected a path, an URL or an object, found a number',
      'dataDir: expected a string, found an empty string',
      'redis: expected an url, ioredis options or an ioredis client, found an array',
      'usage: expected elasticsearch, embedded, memory, redis or a UsageStore, found "elastic"',
      'cache.store: expected a CacheStore, found an object',
      'cache.ttlMs: unknown field (known are store, memoryMaxBytes, memoryMaxAgeMs, maxBytes)',
      'log.sinks: expected an array of sinks, found an array',
      'retry.attempts: expected a positive integer, found "3"',
      'retry.deadlineMs: expected milliseconds from 1 to 2147483647, found 0',
      'wait: expected true, false or milliseconds, found NaN',
      'fingerprintKey: expected a string, found an array',
      'installasets: unknown field, did you mean installAssets?',
      'watch: expected true or false, found 1',
    ]);
    expect(() => checkManagerOptions(null)).toThrow('ProxyManager: expected an object of options, found null');
    expect(() => checkSendOptions(undefined)).toThrow('send: expected a url, or an object of options with one, found');
  });
});

describe('a Request', () => {
  test('takes axios options beside its own', () => {
    expect(() =>
      checkRequestOptions({
        endpoint: 'e',
        cache: true,
        baseURL: 'https://a.example',
        params: { a: 1 },
        maxRedirects: 3,
      }),
    ).not.toThrow();
    expect(() =>
      checkRequestOptions({ endpoint: 'e', cache: { ttlMs: 1000 }, secretType: 'key', userAgent: false, dataDir: 'd' }),
    ).not.toThrow();
  });

  test('is told every mistake at once', () => {
    const wrong = { secretType: 'keys', cache: 'no-stoer', userAgent: 'a\nb', session: '', timeout: '5', manager: {} };
    expect(problems(() => checkRequestOptions(wrong))).toEqual([
      'secretType: expected key or ip, found "keys"',
      'cache: expected true, false, { ttlMs, … } or one of default, force-cache, no-cache, no-store, only-if-cached, reload, found "no-stoer"',
      'userAgent: expected true, false, a filter or a user agent in printable ASCII, found "a\\nb"',
      'session: expected a name, or an object with a name, found an empty string',
      'timeout: expected milliseconds from 0 to 2147483647, found "5"',
      'manager: expected a ProxyManager, found an object',
      'endpoint: expected a string, found nothing',
    ]);
  });
});

describe('a cache policy', () => {
  test('may say everything', () => {
    const policy = {
      mode: 'http',
      ttlMs: 1,
      ttlMsByUrl: [
        { url: 'https://a.example/*', ttlMs: 0 },
        { url: /x/, ttlMs: 5 },
      ],
      ttlMsByStatus: { 404: 1000, 410: 0 },
      methods: ['GET', 'HEAD', 'POST', 'QUERY'],
      statuses: [200, 404],
      maxEntryBytes: 1,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 1000,
      varyBy: ['Accept-Language'],
      sortQuery: true,
      perCredential: false,
      tags: ['a'],
      shouldStore: () => true,
    };
    expect(() => checkSendOptions({ cache: policy })).not.toThrow();
    for (const cache of ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached']) {
      expect(() => checkRequestOptions({ endpoint: 'e', cache })).not.toThrow();
    }
  });

  test('is told every mistake at once', () => {
    const wrong = {
      mode: 'https',
      ttlMsByUrl: [{ url: '', ttlMs: -1 }, { ttlMs: 5 }, 'https://a.example/'],
      ttlMsByStatus: { 206: 1000, '2xx': 5, 404: '1h' },
      methods: ['get', 'PUT'],
      statuses: [304, 99],
      maxEntryBytes: 0,
      staleIfErrorMs: -1,
      varyBy: ['a b'],
      sortQuery: 'yes',
      tags: 'a',
      shouldStore: true,
    };
    const storable = 'a status from 200 to 599, not 206 or 304, which are parts';
    expect(problems(() => checkSendOptions({ cache: wrong }))).toEqual([
      'cache.mode: expected ttl or http, found "https"',
      'cache.ttlMsByUrl[0].url: expected a string, in which * stands for any text, or a RegExp, found an empty string',
      'cache.ttlMsByUrl[0].ttlMs: expected milliseconds from 1 to 3153600000000, found -1',
      'cache.ttlMsByUrl[1].url: expected a value, found nothing',
      'cache.ttlMsByUrl[2]: expected an object, found a string',
      `cache.ttlMsByStatus: expected ${storable}, as name, found "206"`,
      'cache.ttlMsByStatus.404: expected milliseconds from 1 to 3153600000000, found "1h"',
      `cache.ttlMsByStatus: expected ${storable}, as name, found a string`,
      'cache.methods[0]: expected GET, HEAD, POST or QUERY, found "get"',
      'cache.methods[1]: expected GET, HEAD, POST or QUERY, found a string',
      `cache.statuses[0]: expected ${storable}, found 304`,
      `cache.statuses[1]: expected ${storable}, found 99`,
      'cache.maxEntryBytes: expected a positive integer, found 0',
      'cache.staleIfErrorMs: expected milliseconds from 1 to 3153600000000, found -1',
      'cache.varyBy[0]: expected the name of a header, found a string',
      'cache.sortQuery: expected true or false, found "yes"',
      'cache.tags: expected an array, found "a"',
      'cache.shouldStore: expected a function, found true',
    ]);
  });
});

describe('a call', () => {
  test('passes with the words of fetch and axios', () => {
    expect(() => checkSendOptions({})).not.toThrow();
    expect(() =>
      checkSendOptions({ url: 'https://a.example', method: 'POST', body: 'x', headers: new Headers(), cost: 2 }),
    ).not.toThrow();
    expect(() =>
      checkSendOptions({
        headers: [['a', 'b']],
        signal: AbortSignal.timeout(1),
        labels: { a: 'b' },
        data: null,
        body: undefined,
      }),
    ).not.toThrow();
  });

  test('is told every mistake at once, and no header', () => {
    const wrong = {
      cost: 0,
      labels: { a: 1 },
      wait: -1,
      cache: { ttlMs: -1, ttl: 3 },
      signal: {},
      headers: 'authorization: topsecret',
      body: 'a',
      data: 'b',
    };
    expect(problems(() => checkSendOptions(wrong))).toEqual([
      'cost: expected a positive integer, found 0',
      'labels: expected an object of strings, found an object',
      'wait: expected true, false or milliseconds, found -1',
      'cache.ttlMs: expected milliseconds from 1 to 3153600000000, found -1',
      'cache.ttl: unknown field, did you mean ttlMs?',
      'signal: expected an AbortSignal, found an object',
      'headers: expected an object, Headers or pairs, found a string',
      'body: expected body or data, found both',
    ]);
  });
});

test('an unknown endpoint lists the known ones, the nearest first', () => {
  const endpoints = loadSecrets({ key_based: { weather: { keys: ['a'] }, maps: { keys: ['b'] } } });
  expect(unknownEndpoint('wether', endpoints).message).toBe(
    'endpoint: "wether" is not in secrets.json, did you mean "weather"?; known are "weather", "maps"',
  );
  expect(unknownEndpoint('x-y-z', endpoints).message).toBe(
    'endpoint: "x-y-z" is not in secrets.json; known are "weather", "maps"',
  );
});

describe('a slip of the pen in the options of a Request or a call', () => {
  test.each([
    ['hedaers', 'headers'],
    ['timeOut', 'timeout'],
    ['maxRedirect', 'maxRedirects'],
    ['cahce', 'cache'],
    ['rerty', 'retry'],
    ['csot', 'cost'],
    ['boyd', 'body'],
    ['retires', 'retry.attempts'],
    ['retries', 'retry.attempts'],
    ['tags', 'cache.tags'],
    ['ttlMs', 'cache.ttlMs'],
    ['concurency', 'sendAll(urls, { concurrency })'],
  ])('%s is taken for %s', (name, meant) => {
    expect(() => checkSendOptions({ url: 'https://api.example.com', [name]: 1 })).toThrow(`did you mean ${meant}?`);
  });

  test('endpiont and datadir too', () => {
    expect(() => checkRequestOptions({ endpiont: 'a', datadir: 'b' })).toThrow(
      /did you mean endpoint\?[^]*did you mean dataDir\?/,
    );
  });

  test.each(['metadata', '_retry', 'host', 'query', 'mode', 'meta', 'tag', 'entries', 'series', 'name'])(
    'is not seen in %s, a field of the caller’s own',
    (name) => {
      expect(() => checkSendOptions({ url: 'https://api.example.com', [name]: 1 })).not.toThrow();
    },
  );

  test('takes fetch’s null for no signal, and tells what stands for redirect and adapter', () => {
    expect(() => checkSendOptions({ signal: null, headers: null, redirect: 'follow' })).not.toThrow();
    expect(() => checkSendOptions({ redirect: 'manual', adapter: 'http' })).toThrow(/maxRedirects: 0[^]*transport/);
  });
});

describe('a slip of the pen among the words of an axios or fetch call', () => {
  test.each([
    ['cahce', 'cache'],
    ['rerty', 'retry'],
    ['wiat', 'wait'],
    ['csot', 'cost'],
    ['lables', 'labels'],
    ['useragent', 'userAgent'],
    ['countRedirect_s', 'countRedirects'],
  ])('%s is taken for %s', (name, meant) => {
    for (const door of ['axios', 'fetch'] as const) {
      const message = `${door}: ${name}: unknown field, did you mean ${meant}?`;
      expect(() => checkExtras(door, { [name]: 1 })).toThrow(message);
    }
  });

  test('tiemout is one for fetch, whose only option of axios is timeout', () => {
    expect(() => checkExtras('fetch', { tiemout: 5 })).toThrow('fetch: tiemout: unknown field, did you mean timeout?');
    expect(() => checkExtras('fetch', { timeout: '5' })).toThrow('fetch: timeout: expected milliseconds');
    expect(() => checkExtras('axios', { tiemout: 5, timeout: '5' })).not.toThrow();
  });

  test('is not seen in what interceptors and SDKs add for themselves, nor in a word of fetch or axios', () => {
    const theirs =
      '_retry __isRetryRequest axios-retry retries retryCount retryDelay retryOn cached cacheKey label tags host';
    const more = 'await metadata requestId session_id sessions costs outcomes waits agent next mode credentials env';
    for (const name of `${theirs} ${more}`.split(' ')) {
      for (const door of ['axios', 'fetch'] as const)
        expect(() => checkExtras(door, { [name]: 1 }), name).not.toThrow();
    }
  });
});
