import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadSecrets } from '../../src/config/secrets.js';
import type { SecretsFile } from '../../src/config/secrets.js';
import { checkManagerOptions, checkRequestOptions, unknownEndpoint } from '../../src/config/validate-options.js';
import { ConfigError } from '../../src/errors.js';

const KEY = 'SECRETKEY77';
const LONG_KEY = 'sk-live-9f8e7d6c5b4a39281706f5e4d3c2b1a0';
const PROXY = `http://u:${KEY}@h:1`;
const TEXT = JSON.stringify({ key_based: { e: { keys: [KEY] } } });

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'proxy-manager-leaks-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function refusal(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('accepted');
}

function load(source: unknown): ConfigError {
  return refusal(() => Reflect.apply(loadSecrets, undefined, [source]));
}

/** All that a log may print of an error, its cause included. */
function printed(error: ConfigError): string {
  return inspect(error, { depth: 20, showHidden: true }) + error.stack;
}

describe('a text that is no path is not shown', () => {
  test.each<[string, string, string]>([
    ['in single quotes', `'${TEXT}'`, KEY],
    ['stringified twice', JSON.stringify(TEXT), KEY],
    ['behind a comment', `/* pool */ ${TEXT}`, KEY],
    ['in base64', Buffer.from(TEXT).toString('base64'), 'eyJrZXlf'],
    ['in base64 without padding', Buffer.from(TEXT).toString('base64url'), 'eyJrZXlf'],
    ['as YAML', `key_based: {e: {keys: [${KEY}]}}`, KEY],
    ['percent-encoded', encodeURIComponent(TEXT), KEY],
    ['as a list of keys', `${KEY},b`, KEY],
    ['as one key', LONG_KEY, LONG_KEY],
    ['as a key with slashes', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'K7MDENG'],
    ['as a token', `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${KEY}`, KEY],
    ['as an assignment', `API_KEY=${KEY}`, KEY],
    ['with a NUL', `./${KEY}\0`, KEY],
    ['too long for a path', `'${KEY.repeat(1000)}'`, KEY],
    ['too long for a name', `./${KEY.repeat(40)}`, KEY],
    ['as a proxy without a scheme', `u:${KEY}@h:1`, KEY],
  ])('%s', (_, source, secret) => {
    const error = load(source);
    expect(printed(error)).not.toContain(secret);
    expect(error.message).toMatch(/^secrets: expected a path/);
  });

  test('a path is shown, with words, dots, spaces and folders as they are', () => {
    for (const path of [
      './secrets.json',
      'secrets.json',
      'secrets.prod.json',
      'my-secrets-2026.json',
      'secrets',
      'configs/secrets',
      '../other project/secrets.json',
      '/run/secrets/proxy_manager',
      '/app/node_modules/@acme/config/pool.json',
      '/var/lib/7c1f0d2b9a8e4f6c7c1f0d2b9a8e4f6c/secrets.json',
      '~/secrets.json',
      'C:\\Users\\Zoë (work)\\secrets.json',
    ]) {
      expect(load(path).message).toBe(`${path}: no such file`);
    }
  });

  test('the query of a file: URL is not shown, whether the file is there or not', () => {
    const path = join(directory, 'secrets.json');
    const url = pathToFileURL(path);
    url.search = `?token=${KEY}`;
    expect(load(url).message).toBe(`${path}: no such file`);
    writeFileSync(path, '{');
    expect(printed(load(url))).not.toContain(KEY);
    expect(load(url).message).toMatch(/secrets\.json: line 1, column 2: /);
  });
});

describe('values of options', () => {
  const cases: [string, object][] = [
    ['usage', { usage: `redis://:${KEY}@h:6379` }],
    ['usage without an address', { usage: KEY }],
    ['cache', { cache: `redis://:${KEY}@h:6379` }],
    ['cache.store', { cache: { store: `http://e:${KEY}@h:9200` } }],
    ['transport', { transport: PROXY }],
    ['log', { log: `http://e:${KEY}@h:9200` }],
    ['log.sinks', { log: { sinks: `http://e:${KEY}@h:9200` } }],
    ['clock', { clock: KEY }],
    ['wait', { wait: KEY }],
    ['retry', { retry: KEY }],
    ['retry.attempts', { retry: { attempts: KEY } }],
    ['installAssets', { installAssets: PROXY }],
    ['a name', { [PROXY]: true }],
    ['a name of letters and digits', { [KEY]: true }],
    ['a name inside', { cache: { [PROXY]: true }, retry: { [LONG_KEY]: true } }],
  ];

  test.each(cases)('%s', (_, options) => {
    const text = printed(refusal(() => checkManagerOptions(options)));
    expect(text).not.toContain(KEY);
    expect(text).not.toContain(LONG_KEY);
  });

  test.each([
    ['secretType', { secretType: KEY }],
    ['cache', { cache: KEY }],
    ['userAgent', { userAgent: `a\nauthorization: ${KEY}` }],
    ['manager', { manager: PROXY }],
    ['timeout', { timeout: KEY }],
    ['signal', { signal: KEY }],
    ['labels', { labels: KEY }],
  ])('%s of a Request', (_, options) => {
    expect(printed(refusal(() => checkRequestOptions({ endpoint: 'e', ...options })))).not.toContain(KEY);
  });

  test('typos and numbers in quotes are still shown', () => {
    const wrong = { usage: 'redsi', cache: { store: 'Memory' }, wait: '500', retry: { attempts: '3', deadlineMs: -1 } };
    expect(refusal(() => checkManagerOptions(wrong)).problems).toEqual([
      'usage: expected elasticsearch, embedded, memory, redis or a UsageStore, found "redsi"',
      'cache.store: expected elasticsearch, embedded, memory, redis or a CacheStore, found "Memory"',
      'wait: expected true, false or milliseconds, found "500"',
      'retry.attempts: expected a positive integer, found "3"',
      'retry.deadlineMs: expected milliseconds from 1 to 2147483647, found -1',
    ]);
  });

  test('an unknown endpoint that may be a key or a proxy', () => {
    const endpoints = loadSecrets({ key_based: { weather: { keys: ['a'] }, [LONG_KEY]: { keys: ['b'] } } });
    for (const name of [PROXY, LONG_KEY.replace('0', '1'), '7'.repeat(20)]) {
      expect(unknownEndpoint(name, endpoints).message).toBe(
        'endpoint: the name (it is not shown, it may be a secret) is not in secrets.json; known are "weather", 1 whose name is not shown',
      );
    }
  });
});

describe('names and values in the file', () => {
  test.each<[string, unknown]>([
    ['a proxy as a field', { ip_based: { e: {} }, [PROXY]: {} }],
    ['a proxy as an endpoint', { ip_based: { [PROXY]: { limit: 1 } } }],
    ['a proxy as a field of an endpoint', { ip_based: { e: { [PROXY]: {} } } }],
    ['a key as a field of an endpoint', { key_based: { e: { [KEY]: { limit: 1 } } } }],
    ['a long key as a field of an endpoint', { key_based: { e: { [LONG_KEY]: 1 } } }],
    ['a key as a field of pace', { key_based: { e: { keys: ['b'], pace: { [KEY]: 1 } } } }],
    ['a long key as an endpoint', { key_based: { [LONG_KEY]: { limit: 1 } } }],
    ['a key as limit', { key_based: { e: { limit: KEY, keys: ['b'] } } }],
    ['a key of digits as limit', { key_based: { e: { limit: '7777777777777777', keys: ['b'] } } }],
    ['a number as an endpoint', { key_based: { e: 777777 } }],
    ['a number as an endpoint named limit', { key_based: { limit: 777777 } }],
    ['a url with a token as a host', { key_based: { e: { hosts: [`https://h/v1?token=${KEY}`], keys: ['b'] } } }],
    ['a url with a key in its path', { key_based: { e: { hosts: [`https://h/bot${KEY}/x`], keys: ['b'] } } }],
    ['a header with its value', { key_based: { e: { apply: { headers: { [`x: ${KEY}`]: '{key}' } }, keys: ['b'] } } }],
    ['a header that is the key', { key_based: { e: { apply: { headers: { [LONG_KEY]: 'x' } }, keys: ['b'] } } }],
    ['a parameter with the key', { key_based: { e: { apply: { query: { [`a=${KEY}`]: 'x' } }, keys: ['b'] } } }],
    ['a key behind env:', { key_based: { e: { keys: [`env:${KEY}`] } } }],
    ['a key of capitals behind env:', { key_based: { e: { keys: ['env:AKIA777777EXAMPLE777777'] } } }],
    ['a key in lower case behind env:', { key_based: { e: { keys: ['env:topsecret7777777'] } } }],
    ['a proxy as $schema', { $schema: [PROXY], key_based: { e: { keys: ['b'] } } }],
  ])('%s', (_, file) => {
    const text = printed(load(file));
    for (const secret of [KEY, LONG_KEY, '777777', 'topsecret']) expect(text).not.toContain(secret);
  });

  test('a hidden name is still told, with what it could have been', () => {
    expect(load({ key_based: { e: { keys: ['a'], [LONG_KEY]: 1 } }, [PROXY]: 1 }).problems.toSorted()).toEqual([
      'an unknown field (its name is not shown, it may be a secret; known are $schema, key_based, ip_based, ips)',
      'key_based.e: an unknown field (its name is not shown, it may be a secret; known are limit, refresh_rate, limits, keys, hosts, apply, pace, tls, outcomes)',
    ]);
    expect(load({ key_based: { [PROXY]: { keys: [] } } }).problems).toEqual([
      'key_based[a name that is not shown, it may be a secret].keys: expected at least one key, found an empty array',
    ]);
  });

  test('many keys as fields are told once', () => {
    const fields = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${LONG_KEY}${index}`, 1]));
    expect(load({ key_based: { e: { keys: ['a'], ...fields } } }).problems).toHaveLength(1);
  });

  test('ordinary names and values are still shown', () => {
    const wrong = {
      key_based: {
        'wetter-köln.v2': { limit: '1,000', refresh_rate: 1, keys: ['a'], 'refresh rate': 1, http2: true },
        github_v3: {
          keys: ['a'],
          hosts: ['https://api.example.com:8443/v1/'],
          apply: { headers: { 'X-Api-Key': '' } },
        },
        maps: { keys: ['env:MAPS_KEY_2_UNSET', 'env:UNSETKEY'] },
      },
    };
    expect(load(wrong).problems.toSorted()).toEqual(
      [
        'key_based["wetter-köln.v2"].limit: expected a positive integer, found "1,000"',
        'key_based["wetter-köln.v2"]["refresh rate"]: unknown field, did you mean refresh_rate?',
        'key_based["wetter-köln.v2"].http2: unknown field (known are limit, refresh_rate, limits, keys, hosts, apply, pace, tls, outcomes)',
        'key_based.github_v3.hosts[0]: expected a host such as api.example.com or *.example.com, found "https://api.example.com:8443/v1/"',
        'key_based.github_v3.apply.headers.X-Api-Key: expected a template with {key}, found a string without it',
        'key_based.maps.keys[0]: expected a key in the environment variable MAPS_KEY_2_UNSET, found it unset',
        'key_based.maps.keys[1]: expected a key in the environment variable UNSETKEY, found it unset',
      ].toSorted(),
    );
  });
});

describe('ids, which logs show', () => {
  const SHOWN = 'expected a name that may be shown, found ';

  test.each<[string, SecretsFile, string[]]>([
    [
      'is another key of the endpoint',
      { key_based: { e: { keys: [{ id: KEY, key: 'other1' }, KEY] } } },
      [`key_based.e.keys[0].id: ${SHOWN}a key of this file`],
    ],
    [
      'is a key of another endpoint',
      { key_based: { e: { keys: [{ id: KEY, key: 'other1' }] }, f: { keys: [KEY] } } },
      [`key_based.e.keys[0].id: ${SHOWN}a key of this file`],
    ],
    [
      'are the keys of each other',
      {
        key_based: {
          e: {
            keys: [
              { id: 'one', key: 'two' },
              { id: 'two', key: 'one' },
            ],
          },
        },
      },
      [`key_based.e.keys[0].id: ${SHOWN}a key of this file`, `key_based.e.keys[1].id: ${SHOWN}a key of this file`],
    ],
    [
      'holds its key',
      { key_based: { e: { keys: [{ id: `a-${KEY}`, key: KEY }] } } },
      [`key_based.e.keys[0].id: ${SHOWN}one with the key in it`],
    ],
    [
      'holds its key in another case',
      { key_based: { e: { keys: [{ id: `a-${KEY.toLowerCase()}`, key: KEY }] } } },
      [`key_based.e.keys[0].id: ${SHOWN}one with the key in it`],
    ],
    [
      'holds its key percent-encoded',
      { key_based: { e: { keys: [{ id: 'a%2Fb%2fc', key: 'a/b/c' }] } } },
      [`key_based.e.keys[0].id: ${SHOWN}one with the key in it`],
    ],
    [
      'holds another key',
      { key_based: { e: { keys: [{ id: `a-${KEY}`, key: 'other1' }, KEY] } } },
      [`key_based.e.keys[0].id: ${SHOWN}a key of this file`],
    ],
  ])('an id that %s is refused', (_, file, expected) => {
    expect(load(file).problems).toEqual(expected);
  });

  test('an id is refused for the key that env: gives', () => {
    process.env.LEAKS_TEST_KEY = KEY;
    try {
      expect(load({ key_based: { e: { keys: [{ id: KEY, key: 'other1' }, 'env:LEAKS_TEST_KEY'] } } }).problems).toEqual(
        [`key_based.e.keys[0].id: ${SHOWN}a key of this file`],
      );
    } finally {
      delete process.env.LEAKS_TEST_KEY;
    }
  });

  test('a name that shares letters with a short key is none of its business', () => {
    const ids = loadSecrets({ key_based: { e: { keys: [{ id: 'team-b', key: 'b' }] }, f: { keys: ['team'] } } });
    expect(ids.get('e')?.keys?.[0]?.id).toBe('team-b');
  });
});

describe('a key that a header cannot hold', () => {
  test.each<[string, SecretsFile]>([
    ['in authorization', { key_based: { e: { apply: 'Bearer {key}', keys: ['ok', 'sk-日本77'] } } }],
    ['in a header', { key_based: { e: { apply: { headers: { a: '{key}' } }, keys: ['ok', 'sk-日本77'] } } }],
  ])('%s is a mistake', (_, file) => {
    expect(load(file).problems).toEqual([
      'key_based.e.keys[1]: expected characters that a header may hold (apply puts the key into one), found others',
    ]);
  });

  test('elsewhere it is none, and neither is Latin-1', () => {
    expect(() => loadSecrets({ key_based: { e: { keys: ['sk-日本77'] } } })).not.toThrow();
    expect(() => loadSecrets({ key_based: { e: { apply: { query: { a: '{key}' } }, keys: ['日本'] } } })).not.toThrow();
    expect(() => loadSecrets({ key_based: { e: { apply: 'Bearer {key}', keys: ['clé'] } } })).not.toThrow();
  });
});
