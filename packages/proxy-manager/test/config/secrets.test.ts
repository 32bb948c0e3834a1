import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadSecrets } from '../../src/config/secrets.js';
import type { SecretsFile } from '../../src/config/secrets.js';
import type { ApplyEntry } from '../../src/config/secrets-file.js';
import { ConfigError } from '../../src/errors.js';
import { fingerprint } from '../../src/secret.js';

const PLAIN: SecretsFile = {
  key_based: { test_api: { limit: 250, refresh_rate: 1440, keys: ['qwerty', 'abcde'] } },
  ip_based: { test_proxy: { limit: 500, refresh_rate: 1440 } },
  ips: ['45.33.99.194:8888', 'http://user:pass@proxy.example.com:8080', 'socks5://127.0.0.1:1080'],
};

let directory: string;
const home = process.cwd();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'proxy-manager-secrets-'));
});

afterEach(() => {
  process.chdir(home);
  rmSync(directory, { recursive: true, force: true });
  delete process.env.SECRETS_TEST_KEY;
});

function endpoint(file: SecretsFile, name: string) {
  const found = loadSecrets(file).get(name);
  if (found === undefined) throw new Error(`no endpoint ${name}`);
  return found;
}

/** Takes what untyped callers and files may hold. */
function problems(file: unknown): readonly string[] {
  try {
    Reflect.apply(loadSecrets, undefined, [file]);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function apply(value: ApplyEntry) {
  return endpoint({ key_based: { e: { keys: ['a'], apply: value } } }, 'e').apply;
}

function withKeys(keys: unknown): unknown {
  return { key_based: { e: { keys } } };
}

describe('the plain form', () => {
  test('gives keys and proxies with their windows', () => {
    const day = [{ limit: 250, everyMs: 86_400_000 }];
    const { keys, proxies } = endpoint(PLAIN, 'test_api');
    expect(proxies).toBeUndefined();
    expect(keys?.map(({ id, windows }) => ({ id, windows }))).toEqual([
      { id: fingerprint('qwerty'), windows: day },
      { id: fingerprint('abcde'), windows: day },
    ]);
    expect(keys?.map(({ secret }) => secret.reveal())).toEqual(['qwerty', 'abcde']);

    const through = endpoint(PLAIN, 'test_proxy');
    expect(through.keys).toBeUndefined();
    expect(through.proxies?.map(({ id, protocol, hostname, port }) => ({ id, protocol, hostname, port }))).toEqual([
      { id: '45.33.99.194:8888', protocol: 'http', hostname: '45.33.99.194', port: 8888 },
      {
        id: `proxy.example.com:8080#${fingerprint('user:pass', undefined, 48)}`,
        protocol: 'http',
        hostname: 'proxy.example.com',
        port: 8080,
      },
      { id: '127.0.0.1:1080', protocol: 'socks5', hostname: '127.0.0.1', port: 1080 },
    ]);
    expect(through.proxies?.map(({ userinfo }) => userinfo?.reveal())).toEqual([undefined, 'user:pass', undefined]);
    expect(through.proxies?.[0]?.windows).toEqual([{ limit: 500, everyMs: 86_400_000 }]);
  });

  test('limit may be absent, with or without refresh_rate: unlimited', () => {
    expect(endpoint({ key_based: { e: { keys: ['a'] } } }, 'e').keys?.[0]?.windows).toEqual([]);
    expect(endpoint({ key_based: { e: { refresh_rate: 5, keys: ['a'] } } }, 'e').keys?.[0]?.windows).toEqual([]);
  });

  test('is frozen all the way down', () => {
    const { keys } = endpoint(PLAIN, 'test_api');
    for (const part of [endpoint(PLAIN, 'test_api'), keys, keys?.[0], keys?.[0]?.windows, keys?.[0]?.windows[0]]) {
      expect(part).toBeDefined();
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('ids follow the fingerprint key', () => {
    const id = loadSecrets(PLAIN, { fingerprintKey: 'ours' }).get('test_api')?.keys?.[0]?.id;
    expect(id).toBe(fingerprint('qwerty', 'ours'));
    expect(id).not.toBe(fingerprint('qwerty'));
  });
});

describe('the full form', () => {
  test('an endpoint in both sections is one, with limits of its own for keys and proxies', () => {
    const both = endpoint(
      {
        key_based: { e: { limit: 1, refresh_rate: 1, keys: ['a'], hosts: ['API.example.com', '*.Example.org:8080'] } },
        ip_based: { e: { limit: 2, refresh_rate: 0.5, proxies: ['p:1'], pace: { concurrency: 4, minTimeMs: 100 } } },
      },
      'e',
    );
    expect(both.keys?.[0]?.windows).toEqual([{ limit: 1, everyMs: 60_000 }]);
    expect(both.proxies?.[0]?.windows).toEqual([{ limit: 2, everyMs: 30_000 }]);
    expect(both.hosts).toEqual(['api.example.com', '*.example.org:8080']);
    expect(both.pace).toEqual({ concurrency: 4, minTimeMs: 100, reservoir: undefined });
  });

  test('apply in its three forms', () => {
    expect(apply('Bearer {key}')).toEqual({ headers: [['authorization', 'Bearer {key}']], query: [] });
    expect(apply({ headers: { 'x-api-key': '{key}' } })).toEqual({ headers: [['x-api-key', '{key}']], query: [] });
    expect(apply({ query: { appid: '{key}' } })).toEqual({ headers: [], query: [['appid', '{key}']] });
  });

  test('env: takes keys and proxies from the environment', () => {
    process.env.SECRETS_TEST_KEY = 'from-env:1';
    const file: SecretsFile = {
      key_based: {
        e: { keys: ['env:SECRETS_TEST_KEY'] },
        f: { keys: [{ id: 'team-b', key: 'env:SECRETS_TEST_KEY' }] },
      },
      ip_based: { e: { proxies: ['env:SECRETS_TEST_KEY'] } },
    };
    expect(endpoint(file, 'e').keys?.[0]?.secret.reveal()).toBe('from-env:1');
    expect(endpoint(file, 'e').proxies?.[0]?.id).toBe('from-env:1');
    expect(endpoint(file, 'f').keys?.[0]?.id).toBe('team-b');
  });
});

describe('limits', () => {
  const weather = (more: object): SecretsFile => ({
    key_based: {
      weather: {
        limit: 5,
        refresh_rate: 1,
        limits: [
          { uses: 60, within: '90s', margin: '1.5s' },
          { uses: 1000, every: '24h' },
          { uses: 30_000, per: 'month', timezone: 'america/los_angeles' },
          { uses: 7, per: 'minute' },
        ],
        keys: [
          'plain',
          { key: 'with an account', account: 'b' },
          { id: 'team-b', key: 'with both', account: 'b', limits: [{ uses: 1, every: '1h' }] },
          { id: 'own', key: 'with limits', limits: [{ uses: 2, every: '1h' }] },
        ],
        ...more,
      },
    },
  });
  const ofEndpoint = [
    { limit: 5, everyMs: 60_000 },
    { limit: 60, withinMs: 90_000, marginMs: 1_500 },
    { limit: 1000, everyMs: 86_400_000 },
    { limit: 30_000, per: 'month', timezone: 'America/Los_Angeles' },
    { limit: 7, per: 'minute', timezone: 'UTC' },
  ];

  test('hold all at once, for each key, for the keys of an account together, and for a key of its own', () => {
    const { keys } = endpoint(weather({}), 'weather');
    expect(keys?.map(({ id, windows, account }) => ({ id, windows, account }))).toEqual([
      { id: fingerprint('plain'), windows: ofEndpoint, account: undefined },
      { id: fingerprint('with an account'), windows: [], account: { id: 'b', windows: ofEndpoint } },
      { id: 'team-b', windows: [{ limit: 1, everyMs: 3_600_000 }], account: { id: 'b', windows: ofEndpoint } },
      { id: 'own', windows: [{ limit: 2, everyMs: 3_600_000 }], account: undefined },
    ]);
    expect(keys?.[1]?.account).toBe(keys?.[2]?.account);
    for (const part of [keys, keys?.[1], keys?.[1]?.account, keys?.[1]?.account?.windows[1], keys?.[3]?.windows]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('of proxies are those of each', () => {
    const shop = { proxies: ['a:1', 'b:1'], limits: [{ uses: 1, per: 'day', timezone: 'Asia/Tokyo' }] } as const;
    const { proxies } = endpoint({ ip_based: { shop } }, 'shop');
    expect(proxies?.map(({ windows }) => windows)).toEqual(
      ['a', 'b'].map(() => [{ limit: 1, per: 'day', timezone: 'Asia/Tokyo' }]),
    );
  });

  test.each([
    [{ uses: '60', within: '60s' }, '.uses: expected a positive integer, found "60"'],
    [{ within: '60s' }, '.uses: expected a positive integer, found nothing'],
    [{ uses: 1 }, ': expected one of within, every and per, found none or several'],
    [{ uses: 1, within: '1s', every: '1s' }, ': expected one of within, every and per, found none or several'],
    [{ uses: 1, within: 60 }, '.within: expected a duration such as "500ms", "60s", "5m", "24h" or "7d", found 60'],
    [{ uses: 1, every: '60' }, '.every: expected a duration such as "500ms", "60s", "5m", "24h" or "7d", found "60"'],
    [{ uses: 1, every: '0s' }, '.every: expected a duration of 1 ms to a century, found another'],
    [{ uses: 1, per: 'weekly' }, '.per: expected minute, hour, day, week, month or year, found "weekly"'],
    [
      { uses: 1, per: 'day', timezone: 'Mars/Olympus' },
      '.timezone: expected a time zone such as America/Los_Angeles or UTC, found a string that this Node.js does not know',
    ],
    [
      { uses: 1, every: '1d', timezone: 'UTC' },
      '.timezone: expected it with per only, for other windows follow no calendar',
    ],
    [{ uses: 1, every: '10s', margin: '6s' }, '.margin: expected at most half of the window, found more'],
    [
      { uses: 1, each: '1h', per: 'day' },
      '.each: unknown field (known are uses, within, every, per, timezone, margin)',
    ],
  ])('%j is refused', (limit, text) => {
    expect(problems(weather({ limits: [limit] }))).toEqual([`key_based.weather.limits[0]${text}`]);
  });

  test('are refused twice, and an account without any', () => {
    const twice = [
      { uses: 1, every: '60s' },
      { uses: 2, per: 'day' },
      { uses: 3, per: 'day', timezone: 'UTC' },
    ];
    const keys = [{ key: 'abc', account: 'b', limits: [{ uses: 0, every: '1h' }] }];
    expect(problems(weather({ limits: twice }))).toEqual([
      'key_based.weather.limits[0]: expected a window of its own, found that of limit and refresh_rate again',
      'key_based.weather.limits[2]: expected a window of its own, found that of [1] again',
    ]);
    expect(problems({ key_based: { e: { keys } } })).toEqual([
      'key_based.e.keys[0].account: expected limits at the endpoint, which the account shares, found none',
      'key_based.e.keys[0].limits[0].uses: expected a positive integer, found a number',
    ]);
  });

  test('of an account are not named by a key', () => {
    const text = problems(weather({ keys: [{ key: 'a-secret-key', account: 'my a-secret-key' }] }));
    expect(text).toEqual([
      'key_based.weather.keys[0].account: expected a name that may be shown, found one with the key in it',
    ]);
  });
});

describe('where it is read from', () => {
  const text = JSON.stringify(PLAIN);

  test('a path, a file: URL, and text with a byte order mark', () => {
    const path = join(directory, 's.json');
    writeFileSync(path, `\uFEFF${text}`);
    for (const source of [path, pathToFileURL(path), pathToFileURL(path).href]) {
      expect([...loadSecrets(source).keys()]).toEqual(['test_api', 'test_proxy']);
    }
  });

  test.each(['', '\uFEFF'])('not in UTF-16 (%#)', (mark) => {
    const path = join(directory, 's.json');
    writeFileSync(path, mark + text, 'utf16le');
    expect(() => loadSecrets(path)).toThrow(/s\.json: expected UTF-8, found UTF-16/);
  });

  test('by default ./secrets.json, else ./configs/secrets.json', () => {
    process.chdir(directory);
    mkdirSync('configs');
    writeFileSync('configs/secrets.json', text.replace('test_api', 'in_configs'));
    expect([...loadSecrets(undefined).keys()]).toContain('in_configs');
    writeFileSync('secrets.json', text);
    expect([...loadSecrets(undefined).keys()]).toContain('test_api');
  });

  test('neither there: says both, and what to write', () => {
    process.chdir(directory);
    expect(() => loadSecrets(undefined)).toThrow(
      /found neither \.\/secrets\.json nor \.\/configs\/secrets\.json in [^]*create one[^]*"key_based"[^]*\{ secrets: '<path>' \}/,
    );
  });

  test('a missing file, a folder, another URL, JSON text and nothing', () => {
    expect(() => loadSecrets(join(directory, 'none.json'))).toThrow(/none\.json: no such file$/);
    expect(() => loadSecrets(directory)).toThrow(/could not be read \(EISDIR\)$/);
    expect(() => loadSecrets('https://u:topsecret@example.com/s')).toThrow(
      /^secrets: expected a path or a file: URL, found another URL$/,
    );
    expect(() => loadSecrets('{"keys":"topsecret"}')).toThrow(/^secrets: expected a path, found JSON text/);
    expect(() => loadSecrets('')).toThrow(/^secrets: expected a path, found an empty string$/);
  });

  test.each([
    ['{\n  "ips": ["topsecret" "x"]\n}', 'line 2, column 23: expected "," or "]"'],
    ['{"ips": ["topsecret",]}', 'line 1, column 22: expected a value, found ]'],
    ['{"ips": ["a"], }', 'line 1, column 16: expected a field name in double quotes, found }'],
    ["{'ips': []}", "line 1, column 2: expected a field name in double quotes, found '"],
    ['{\n // keys\n}', 'line 2, column 2: expected a field name in double quotes, found a comment (JSON has none)'],
    ['{"ips": topsecret}', 'line 1, column 9: expected a value'],
    ['{"a": 01}', 'line 1, column 7: expected a value'],
    ['{"ips": []', 'line 1, column 11: expected "," or "}", found the end of the file'],
    ['', 'line 1, column 1: expected a value, found the end of the file'],
    ['{} {}', 'line 1, column 4: expected the end of the file, found {'],
    [
      '{"ips": [], "ips": []}',
      'line 1, column 13: expected every field of an object once, this one stands there already',
    ],
    ['{"ips": ["topsecret\n"]}', 'line 1, column 10: expected a value'],
  ])('malformed %j says where', (malformed, message) => {
    const path = join(directory, 's.json');
    writeFileSync(path, malformed);
    expect(() => loadSecrets(path)).toThrow(new ConfigError(path, [message]));
  });
});

describe('mistakes', () => {
  test('are told in the order of the file, shapes and meanings in turn', () => {
    const wrong = {
      ips: ['no-port'],
      key_based: {
        second: { keys: ['same', 'same'], pace: { concurency: 1 }, limit: '60', refresh_rate: 1 },
        first: { limit: 10, keys: [] },
      },
      ip_based: { shop: { proxies: [], limit: -1 } },
    };
    expect(problems(wrong).map((line) => line.split(':')[0])).toEqual([
      'ips[0]',
      'key_based.second.keys[1]',
      'key_based.second.pace.concurency',
      'key_based.second.limit',
      'key_based.first.keys',
      'key_based.first.refresh_rate',
      'ip_based.shop.proxies',
      'ip_based.shop.limit',
      'ip_based.shop.refresh_rate',
    ]);
  });

  test('an endpoint, or its fields, beside the sections: where it belongs', () => {
    expect(problems({ limit: 5, refresh_rate: 1, keys: ['a'], proxies: ['p:1'], ips: ['p:1'] })).toEqual([
      'expected at least one endpoint in key_based or ip_based, found none',
      'limit: unknown field, its place is inside key_based or ip_based',
      'refresh_rate: unknown field, its place is inside key_based or ip_based',
      'keys: unknown field, its place is inside key_based',
      'proxies: unknown field, its place is inside ip_based',
    ]);
    const beside = { weather: { limit: 5, keys: ['a'] }, shop: { limit: 5 }, other: { keysss: 1 }, more: {} };
    expect(problems({ key_based: { e: { keys: ['a'] } }, ...beside })).toEqual([
      'weather: unknown field, its place is inside key_based',
      'shop: unknown field, its place is inside key_based or ip_based',
      'other: unknown field (known are $schema, key_based, ip_based, ips)',
      'more: unknown field (known are $schema, key_based, ip_based, ips)',
    ]);
  });

  test('are told all at once, shapes and meanings together', () => {
    const wrong = {
      key_based: {
        weather: { limit: '60', refresh_rate: 0, keys: ['same', 'same', 5], pace: { concurrency: 1.5 } },
        maps: { limit: 10, keys: [] },
      },
      ip_based: { shop: { limit: -1, refresh_rate: 1, proxies: ['no-port'] } },
      ip: [],
    };
    expect(problems(wrong).toSorted()).toEqual(
      [
        'ip: unknown field, did you mean ips?',
        'ip_based.shop.limit: expected a positive integer, found -1',
        'ip_based.shop.proxies[0]: expected host:port or an URL with http, https or socks5, found an address without a port',
        'key_based.maps.keys: expected at least one key, found an empty array',
        'key_based.maps.refresh_rate: expected minutes (limit needs it), found nothing',
        'key_based.weather.keys[1]: expected a key of its own, found that of [0] again',
        'key_based.weather.keys[2]: expected a key or { id, key }, found a number',
        'key_based.weather.limit: expected a positive integer, found "60"',
        'key_based.weather.pace.concurrency: expected a positive integer, found 1.5',
        'key_based.weather.refresh_rate: expected a positive number of minutes, at most 52560000, found 0',
      ].toSorted(),
    );
    expect(() => Reflect.apply(loadSecrets, undefined, [wrong])).toThrow(/^secrets:\n {2}/);
  });

  test.each<[string, unknown, string[]]>([
    ['no object', [], ['expected an object, found an empty array']],
    ['no endpoint', { ips: ['a:1'] }, ['expected at least one endpoint in key_based or ip_based, found none']],
    [
      'lists for objects',
      { key_based: [], ip_based: { e: [] }, ips: ['a:1'] },
      [
        'key_based: expected an object of endpoints by name, found an empty array',
        'ip_based.e: expected an object, found an empty array',
      ],
    ],
    ['no keys', { key_based: { e: {} } }, ['key_based.e.keys: expected an array of keys, found nothing']],
    [
      'a list for an endpoint',
      { key_based: { 'e.v2': ['k'] } },
      ['key_based["e.v2"]: expected an object, found an array'],
    ],
    [
      'no proxies',
      { ip_based: { e: {} } },
      ['ip_based.e: expected proxies, here or in ips for all endpoints, found none'],
    ],
    [
      'no proxies in ips',
      { ip_based: { e: {} }, ips: [] },
      ['ip_based.e: expected proxies, here or in ips for all endpoints, found none'],
    ],
    [
      'unknown fields',
      { key_based: { e: { keys: ['a'], refreshrate: 5, Limit: 3, colour: 1 } } },
      [
        'key_based.e.refreshrate: unknown field, did you mean refresh_rate?',
        'key_based.e.Limit: unknown field, did you mean limit?',
        'key_based.e.colour: unknown field (known are limit, refresh_rate, limits, keys, hosts, apply, pace, tls, outcomes)',
      ],
    ],
    [
      'a limit that is undefined',
      { key_based: { e: { limit: undefined, keys: ['a'] } } },
      ['key_based.e.limit: expected a positive integer, found nothing'],
    ],
    [
      'a limit that is NaN',
      { key_based: { e: { limit: NaN, refresh_rate: 1, keys: ['a'] } } },
      ['key_based.e.limit: expected a positive integer, found NaN'],
    ],
    [
      'an url as a host',
      { key_based: { e: { keys: ['a'], hosts: ['https://a.example'] } } },
      ['key_based.e.hosts[0]: expected a host such as api.example.com or *.example.com, found "https://a.example"'],
    ],
    [
      'pace of nothing',
      { key_based: { e: { keys: ['a'], pace: {} } } },
      ['key_based.e.pace: expected concurrency, minTimeMs or reservoir, found none'],
    ],
    [
      'a reservoir that is never filled',
      { key_based: { e: { keys: ['a'], pace: { reservoir: { starts: 5, everyMs: 10 } } } } },
      ['key_based.e.pace.reservoir.everyMs: expected a number of milliseconds from 250 to 2147483647, found 10'],
    ],
    [
      'a reservoir without its stretch',
      { key_based: { e: { keys: ['a'], pace: { reservoir: { starts: 5 } } } } },
      ['key_based.e.pace.reservoir.everyMs: expected a number of milliseconds, found nothing'],
    ],
    [
      'apply of nothing',
      { key_based: { e: { keys: ['a'], apply: {} } } },
      ['key_based.e.apply: expected a header or a query parameter, found neither'],
    ],
    [
      'apply without {key}',
      { key_based: { e: { keys: ['a'], apply: 'Bearer topsecret' } } },
      ['key_based.e.apply: expected a template with {key}, found a string without it'],
    ],
    [
      'a header that is none',
      { key_based: { e: { keys: ['a'], apply: { headers: { 'x key': '{key}' } } } } },
      ['key_based.e.apply.headers["x key"]: expected the name of a header, found other characters'],
    ],
    [
      'a name that objects inherit',
      JSON.parse('{"key_based":{"__proto__":{"keys":["a"]}}}'),
      ['key_based.__proto__: expected another name for the endpoint'],
    ],
    [
      'sections that disagree',
      {
        key_based: { e: { keys: ['a'], hosts: ['a.example'] } },
        ip_based: { e: { proxies: ['p:1'], hosts: ['b.example'] } },
      },
      ['ip_based.e.hosts: expected the same as in key_based (it may stand in one of them alone), found another'],
    ],
    [
      'outcomes',
      {
        key_based: {
          e: {
            keys: ['a'],
            outcomes: [
              { verdict: 'blokced', status: '4x' },
              { verdict: 'good' },
              { body: '(', header: { 'x-wall': '[' }, verdict: 'blocked' },
              { status: [403, 1000], size: { minBytes: -1 } },
            ],
          },
        },
      },
      [
        'key_based.e.outcomes[0].verdict: expected one of good, throttled, spent, refused, blocked, proxy-dead, down, found "blokced"',
        'key_based.e.outcomes[0].status: expected a status such as 403 or "5xx", found a string',
        'key_based.e.outcomes[1]: expected at least one of status, header, body and size, found none',
        'key_based.e.outcomes[2].body: expected a regular expression, found a string that is none',
        'key_based.e.outcomes[2].header.x-wall: expected a regular expression, found a string that is none',
        'key_based.e.outcomes[3].status[1]: expected a status such as 403 or "5xx", found a number',
        'key_based.e.outcomes[3].size.minBytes: expected a number of bytes, found -1',
        'key_based.e.outcomes[3].verdict: expected a verdict, found nothing',
      ],
    ],
  ])('%s', (_, file, expected) => {
    expect(problems(file)).toEqual(expected);
  });

  test.each<[string, unknown[], string[]]>([
    ['a line break', ['topsecret\n'], ['[0]: expected a key, found one with a line break or control character']],
    ['white space', [' topsecret'], ['[0]: expected a key, found one with white space around it']],
    ['nothing in it', [''], ['[0]: expected a key, found an empty string']],
    [
      'an id twice',
      [
        { id: 'a', key: 'x' },
        { id: 'a', key: 'y' },
      ],
      ['[1]: expected an id of its own, found that of [0] again'],
    ],
    [
      'a key twice',
      ['topsecret', { id: 'a', key: 'topsecret' }],
      ['[1].key: expected a key of its own, found that of [0] again'],
    ],
    [
      'itself as id',
      [{ id: 'topsecret', key: 'topsecret' }],
      ['[0].id: expected a name that may be shown, found the key itself'],
    ],
    ['no key', [{ id: 'a' }], ['[0].key: expected a string, found nothing']],
    [
      'the key for a field',
      [{ topsecret: 'a', id: 'a', key: 'b' }],
      ['[0]: expected no fields but id, key, account, limits'],
    ],
    [
      'an unset variable',
      ['env:SECRETS_TEST_KEY'],
      ['[0]: expected a key in the environment variable SECRETS_TEST_KEY, found it unset'],
    ],
    [
      'no variable',
      ['env:topsecret-key'],
      ['[0]: expected env: and the name of a variable, found other characters behind env:'],
    ],
  ])('a key with %s', (_, keys, expected) => {
    expect(problems(withKeys(keys))).toEqual(expected.map((line) => `key_based.e.keys${line}`));
  });

  test('an empty variable', () => {
    process.env.SECRETS_TEST_KEY = '';
    expect(problems(withKeys(['env:SECRETS_TEST_KEY']))).toEqual([
      'key_based.e.keys[0]: expected a key in the environment variable SECRETS_TEST_KEY, found it empty',
    ]);
  });

  test('never show a key, a password or a template, wherever they were put', () => {
    const wrong = {
      key_based: {
        a: {
          keys: 'topsecret',
          limit: 'topsecret-that-is-long',
          hosts: ['https://u:topsecret@h'],
          apply: { headers: { a: 'topsecret', b: ['topsecret'] } },
        },
        b: { keys: [['topsecret'], { topsecret: 1 }, { id: 'i', key: ['topsecret'] }], key: 'topsecret' },
        c: 'topsecret',
      },
      ip_based: { a: { proxies: ['ftp://u:topsecret@h:1', 'h:1:u:topsecret', 'http://u:topsecret%zz@h:1'] } },
      ips: { topsecret: 'topsecret' },
      $schema: ['topsecret'],
    };
    const lines = problems(wrong);
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.filter((line) => line.includes('topsecret'))).toEqual([]);
  });
});
