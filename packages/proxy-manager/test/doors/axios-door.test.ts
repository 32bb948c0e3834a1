import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import * as zlib from 'node:zlib';
import axios, { AxiosHeaders } from 'axios';
import type { AxiosError, AxiosInstance, AxiosRequestConfig } from 'axios';
import { describe, expect, test } from 'vitest';
import { ending, startApi, startBoth, startRequest, type Api, type Hit } from './clients.js';

type Answer = Parameters<typeof startApi>[0];
type Call = (client: AxiosInstance, url: string) => ReturnType<AxiosInstance['request']>;

/** What of a request must be the same, whoever sends it. */
function essence({ method, path, headers, body }: Hit): object {
  const { host: _h, connection: _c, 'user-agent': _u, 'accept-encoding': _e, 'x-api-key': _k, ...rest } = headers;
  const boundary = /boundary=(.+)$/.exec(String(rest['content-type']))?.[1];
  const plain = (value: unknown): string | undefined =>
    typeof value === 'string' && boundary !== undefined ? value.replaceAll(boundary, 'BOUNDARY') : (value as string);
  if (boundary !== undefined || rest['content-length'] === '0')
    delete (rest as Record<string, unknown>)['content-length'];
  return { method, path, headers: { ...rest, 'content-type': plain(rest['content-type']) }, body: plain(body) };
}

/** The same call by bare axios and by the door, on one server: both must say and get the same. */
async function expectSame(
  call: Call,
  answer: Answer = (_hit, res) => res.end('"ok"'),
): Promise<{ api: Api; end: object }> {
  const api = await startApi(answer);
  const { bare, ours } = startBoth();
  const expected = await ending(call(bare, api.url));
  const until = api.hits.length;
  const found = await ending(call(ours, api.url));
  expect(found).toEqual(expected);
  expect(api.hits.slice(until).map(essence)).toEqual(api.hits.slice(0, until).map(essence));
  return { api, end: found };
}

describe('says what axios says:', () => {
  const octets = { 'content-type': 'application/octet-stream' };
  const cases: [string, Call][] = [
    ['get', (client, url) => client.get(url)],
    ['head', (client, url) => client.head(`${url}/a`)],
    ['delete with data', (client, url) => client.delete(url, { data: { a: 1 } })],
    ['options', (client, url) => client.options(url)],
    ['a method of its own', (client, url) => client.request({ url, method: 'PURGE' })],
    ['an object', (client, url) => client.post(url, { a: ['ä'], b: null })],
    ['no data', (client, url) => client.post(url)],
    ['null as JSON', (client, url) => client.post(url, null, { headers: { 'content-type': 'application/json' } })],
    ['a number as JSON', (client, url) => client.put(url, 5, { headers: { 'content-type': 'application/json' } })],
    [
      'a JSON string',
      (client, url) => client.patch(url, ' {"a":1} ', { headers: { 'content-type': 'application/json' } }),
    ],
    ['a string', (client, url) => client.post(url, 'a=1&b=2')],
    ['an empty string', (client, url) => client.post(url, '')],
    ['a Buffer', (client, url) => client.post(url, Buffer.from('bytes'), { headers: octets })],
    [
      'an ArrayBuffer',
      (client, url) => client.post(url, new TextEncoder().encode('bytes').buffer, { headers: octets }),
    ],
    ['a typed array', (client, url) => client.post(url, new Uint16Array([0x4141, 0x4242]), { headers: octets })],
    ['URLSearchParams', (client, url) => client.post(url, new URLSearchParams({ a: '1 ä' }))],
    [
      'an object as a form',
      (client, url) =>
        client.post(url, { a: [1, { b: 2 }] }, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ],
    [
      'formSerializer',
      (client, url) =>
        client.post(
          url,
          { a: ['1', ['2']] },
          { headers: { 'content-type': 'application/x-www-form-urlencoded' }, formSerializer: { indexes: true } },
        ),
    ],
    ['a Blob', (client, url) => client.post(url, new Blob(['content'], { type: 'image/jpeg' }))],
    ['a Blob without a type', (client, url) => client.post(url, new Blob(['content']))],
    ['a stream', (client, url) => client.post(url, Readable.from(['one', 'two']), { headers: octets })],
    [
      'a stream of known length',
      (client, url) =>
        client.post(url, Readable.from(['one', 'two']), { headers: { ...octets, 'content-length': '6' } }),
    ],
    [
      'params',
      (client, url) =>
        client.get(`${url}/a?x=1#h`, {
          params: { q: 'a b', list: [1, 2], deep: { er: true }, none: null, at: new Date(0) },
        }),
    ],
    ['URLSearchParams as params', (client, url) => client.get(url, { params: new URLSearchParams('a=1&a=2') })],
    [
      'paramsSerializer as options',
      (client, url) => client.get(url, { params: { a: [1, 2] }, paramsSerializer: { indexes: null } }),
    ],
    [
      'paramsSerializer as a function',
      (client, url) => client.get(url, { params: { a: 1 }, paramsSerializer: () => 'foo' } as AxiosRequestConfig),
    ],
    ['a baseURL', (client, url) => client.get('items', { baseURL: `${url}/v1/` })],
    ['a baseURL and an absolute url', (client, url) => client.get(`${url}/x`, { baseURL: 'http://unused.example' })],
    ['a baseURL that is kept', (client, url) => client.get('//x', { baseURL: url, allowAbsoluteUrls: false })],
    [
      'auth over a header',
      (client, url) =>
        client.get(url, { auth: { username: 'foo', password: 'bär' }, headers: { AuThOrIzAtIoN: 'Bearer 1' } }),
    ],
    [
      'userinfo over a header',
      (client, url) => client.get(url.replace('//', '//user:p%40ss@'), { headers: { Authorization: 'Bearer 1' } }),
    ],
    ['a user alone', (client, url) => client.get(url.replace('//', '//user@'))],
    [
      'headers',
      (client, url) =>
        client.get(url, {
          headers: {
            'X-One': 'a',
            accept: 'text/html',
            'x-many': ['1', '2'] as unknown as string,
            'x-none': undefined,
            'x-null': null,
          },
        }),
    ],
    [
      'AxiosHeaders',
      (client, url) => client.get(url, { headers: new AxiosHeaders({ 'X-Custom': 'b' }).setAuthorization('Bearer x') }),
    ],
    [
      'a header with a line break',
      (client, url) => client.get(url, { headers: { 'x-test': '\tok\r\nInjected: yes ' } }),
    ],
    ['a User-Agent of its own', (client, url) => client.get(url, { headers: { 'UsEr-AgEnT': 'foo bar' } })],
    [
      'transformRequest',
      (client, url) =>
        client.post(
          url,
          { a: 1 },
          {
            transformRequest: (data: object, headers) => {
              headers.set('x-seen', 'yes');
              return JSON.stringify({ ...data, b: 2 });
            },
          },
        ),
    ],
    [
      'defaults of the instance',
      (client, url) => {
        client.defaults.headers.common['x-common'] = 'c';
        client.defaults.baseURL = url;
        return client.get('/d');
      },
    ],
    [
      'an interceptor',
      (client, url) => {
        client.interceptors.request.use((config) => {
          config.headers.set('x-intercepted', 'yes');
          return config;
        });
        client.interceptors.response.use((response) => ({ ...response, data: [response.data] }));
        return client.get(url);
      },
    ],
  ];
  test.each(cases)('%s', async (_what, call) => {
    await expectSame(call);
  });

  test('FormData, an object as FormData, and with a boundary of its own', async () => {
    const form = (): FormData => {
      const made = new FormData();
      made.set('field', 'ä');
      made.set('file', new Blob(['content'], { type: 'text/plain' }), 'a.txt');
      return made;
    };
    const api = await startApi((_hit, res) => res.end());
    const { ours } = startBoth();
    await ours.post(api.url, form());
    await ours.postForm(api.url, { field: 'ä', list: [1, { two: 2 }] });
    await ours.post(api.url, form(), { headers: { 'content-type': 'multipart/form-data; boundary=mine' } });
    const parsed = await Promise.all(
      api.hits.map(({ body, headers }) =>
        new Response(body, { headers: { 'content-type': String(headers['content-type']) } }).formData(),
      ),
    );
    expect(parsed.map((each) => [...each.keys()])).toEqual([
      ['field', 'file'],
      ['field', 'list[]', 'list[1][two]'].map((name) => (name === 'list[]' ? 'list[0]' : name)),
      ['field', 'file'],
    ]);
    expect(parsed.map((each) => each.get('field'))).toEqual(['ä', 'ä', 'ä']);
  });

  test('its own User-Agent is left to the identity, and null is none', async () => {
    const api = await startApi((_hit, res) => res.end());
    const { axios: ours } = startRequest({ userAgent: true });
    await ours.get(api.url);
    await ours.get(api.url, { headers: { 'User-Agent': null } });
    await ours.get(api.url, { headers: { 'user-agent': false as unknown as string } });
    expect(api.hits.map(({ headers }) => headers['user-agent'])).toEqual([
      expect.stringMatching(/^Mozilla/),
      undefined,
      undefined,
    ]);
  });
});

describe('gives what axios gives:', () => {
  const json = Buffer.from('{"a":["ä"]}');
  const coded =
    (name: string, body: Buffer | string): Answer =>
    (_hit, res) =>
      res.setHeader('content-encoding', name).end(body);
  const zstd = Reflect.get(zlib, 'zstdCompressSync') as ((bytes: Buffer) => Buffer) | undefined;
  const answers: [string, AxiosRequestConfig, Answer][] = [
    ['JSON', {}, (_hit, res) => res.setHeader('content-type', 'application/json').end(json)],
    [
      'JSON with a reviver',
      { parseReviver: (key: string, value: unknown) => (key === 'a' ? 'seen' : value) } as AxiosRequestConfig,
      (_hit, res) => res.end(json),
    ],
    ['broken JSON', {}, (_hit, res) => res.end('{"a":')],
    [
      'broken JSON that must not be',
      { responseType: 'json', transitional: { silentJSONParsing: false } },
      (_hit, res) => res.end('{"a":'),
    ],
    ['a byte order mark', {}, (_hit, res) => res.end('\uFEFF{"a":1}')],
    ['text', { responseType: 'text' }, (_hit, res) => res.end('{"a":1}')],
    ['bytes', { responseType: 'arraybuffer' }, (_hit, res) => res.end(Buffer.from([0, 255, 1]))],
    ['a stream', { responseType: 'stream' }, (_hit, res) => res.end('streamed')],
    ['a refused stream', { responseType: 'stream' }, (_hit, res) => res.writeHead(404).end('streamed')],
    ['latin1', { responseEncoding: 'latin1' }, (_hit, res) => res.end(Buffer.from([0xe4]))],
    ['many UTF-8 characters', {}, (_hit, res) => res.end('ж'.repeat(100_000))],
    ['gzip', {}, coded('gzip', gzipSync(json))],
    ['GZIP', {}, coded('GZIP', gzipSync(json))],
    ['compress', {}, coded('compress', gzipSync(json))],
    ['deflate', {}, coded('deflate', deflateSync(json))],
    ['raw deflate', {}, coded('deflate', deflateRawSync(json))],
    ['br', {}, coded('br', brotliCompressSync(json))],
    ['zstd', { responseType: 'text' }, coded('zstd', zstd?.(json) ?? 'not decoded here')],
    ['an empty body said to be gzip', {}, coded('gzip', '')],
    ['an empty body said to be br', {}, coded('br', '')],
    ['gzip left alone', { decompress: false, responseType: 'arraybuffer' }, coded('gzip', gzipSync(json))],
    ['gzip as a stream', { responseType: 'stream' }, coded('gzip', gzipSync(json))],
    ['nothing', {}, (_hit, res) => res.writeHead(204).end()],
    [
      'headers twice',
      {},
      (_hit, res) => res.writeHead(200, { 'set-cookie': ['a=1', 'b=2'], 'x-two': ['1', '2'] }).end(),
    ],
    ['a reason of its own', {}, (_hit, res) => res.writeHead(299, 'Something Else').end()],
    ['a 404', {}, (_hit, res) => res.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"none"}')],
    ['a 500', {}, (_hit, res) => res.writeHead(500).end('down')],
    ['validateStatus', { validateStatus: (status) => status === 418 }, (_hit, res) => res.writeHead(418).end('tea')],
    ['no validateStatus', { validateStatus: null }, (_hit, res) => res.writeHead(500).end('down')],
    [
      'transformResponse',
      { transformResponse: [(data: string, headers, status) => `${data} ${headers['x-seen']} ${status}`] },
      (_hit, res) => res.setHeader('x-seen', 'yes').end('a'),
    ],
    [
      'a transformResponse that throws',
      {
        transformResponse: () => {
          throw new Error('mine');
        },
      },
      (_hit, res) => res.end('a'),
    ],
    ['a body beyond maxContentLength', { maxContentLength: 2000 }, (_hit, res) => res.end('#'.repeat(5000))],
    ['a body within maxContentLength', { maxContentLength: 2000 }, (_hit, res) => res.end('#'.repeat(2000))],
    ['a decoded body beyond maxContentLength', { maxContentLength: 2000 }, coded('gzip', gzipSync('#'.repeat(5000)))],
    [
      'a body cut short',
      {},
      (_hit, res) => {
        res.writeHead(200, { 'x-seen': 'yes' }).write('chunk');
        setTimeout(() => res.destroy(), 20);
      },
    ],
  ];
  test.each(answers)('%s', async (_what, config, answer) => {
    await expectSame((client, url) => client.get(url, config), answer);
  });

  test('what is known of a reply that cannot be decoded', async () => {
    const api = await startApi((_hit, res) =>
      res.writeHead(206, { 'content-encoding': 'gzip', 'x-seen': 'yes' }).end('no'),
    );
    const [bare, ours] = await Promise.all(
      Object.values(startBoth()).map((client) => client.get(api.url).catch((error: unknown) => error)),
    );
    for (const error of [bare, ours] as AxiosError[]) {
      expect(error).toMatchObject({ code: 'Z_DATA_ERROR', isAxiosError: true, status: 206, response: { status: 206 } });
      expect(error.response?.headers).toMatchObject({ 'x-seen': 'yes' });
    }
  });

  test('a stream that grows beyond maxContentLength breaks', async () => {
    const api = await startApi((_hit, res) => res.end(Buffer.alloc(2 ** 20)));
    for (const client of Object.values(startBoth())) {
      const { data } = await client.get<Readable>(api.url, { responseType: 'stream', maxContentLength: 1024 });
      const error: unknown = await text(data).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 'ERR_BAD_RESPONSE',
        message: 'maxContentLength size of 1024 exceeded',
        isAxiosError: true,
      });
    }
  });

  test('a default maxContentLength where axios has none', () => {
    expect(startBoth().ours.defaults.maxContentLength).toBe(256 * 1024 * 1024);
  });

  test('its config, with what interceptors left in it, and what came of it', async () => {
    const api = await startApi((_hit, res) => res.end('"ok"'));
    const { ours } = startBoth();
    ours.interceptors.request.use((config) => Object.assign(config, { startedAt: 5 }));
    const response = await ours.get('/foo', { baseURL: api.url });
    expect(response.config).toMatchObject({ baseURL: api.url, url: '/foo', method: 'get', startedAt: 5 });
    expect(response).toMatchObject({
      exchange: { attempts: 1, cache: 'bypass', credential: { id: expect.any(String) } },
    });
  });

  test('a data: url, without the network', async () => {
    const { bare, ours } = startBoth();
    const url = `data:application/octet-stream;base64,${Buffer.from('123').toString('base64')}`;
    for (const responseType of [undefined, 'text', 'stream', 'arraybuffer'] as const) {
      const config = responseType === undefined ? {} : { responseType };
      expect(await ending(ours.get(url, config).then((r) => ({ ...r, request: {} })))).toEqual(
        await ending(bare.get(url, config).then((r) => ({ ...r, request: {} }))),
      );
    }
  });
});

describe('refuses what axios refuses:', () => {
  test.each<[string, Call]>([
    ['a timeout that is no number', (client, url) => client.get(url, { timeout: {} as number })],
    ['a protocol', (client) => client.get('ftp:google.com')],
    ['an address', (client) => client.get('http://192.168.0.285')],
    ['params', (client, url) => client.get(url, { params: { bad: new Date(Number.NaN) } })],
    ['a request beyond maxBodyLength', (client, url) => client.post(url, 'x'.repeat(100), { maxBodyLength: 10 })],
    ['data that no transform has encoded', (client, url) => client.post(url, { a: 1 }, { transformRequest: [] })],
    ['a signal that has fired', (client, url) => client.get(url, { signal: AbortSignal.abort() })],
    ['a cancelToken that was cancelled', (client, url) => client.get(url, { cancelToken: cancelled() })],
    [
      'an interceptor that throws',
      (client, url) => {
        client.interceptors.request.use(() => {
          throw new Error('from interceptor');
        });
        return client.get(url);
      },
    ],
  ])('%s', async (_what, call) => {
    const { end } = await expectSame(call);
    expect(end).toHaveProperty('error');
  });

  test('a wrong extra, before anything is sent', async () => {
    const api = await startApi((_hit, res) => res.end());
    const { ours } = startBoth();
    await expect(ours.get(api.url, { cost: 0, labels: 'x' } as AxiosRequestConfig)).rejects.toMatchObject({
      code: 'ERR_CONFIG',
    });
    await expect(ours.get(api.url, { cahce: false } as AxiosRequestConfig)).rejects.toMatchObject({
      message: 'axios: cahce: unknown field, did you mean cache?',
    });
    expect(api.hits).toHaveLength(0);
  });

  test('the fields that interceptors keep on a config pass', async () => {
    const api = await startApi((_hit, res) => res.end());
    const { ours } = startBoth();
    let seen: unknown;
    ours.interceptors.response.use((response) => {
      seen = response.config;
      return response;
    });
    const theirs = { _retry: true, retries: 2, 'axios-retry': { retries: 3 }, metadata: { startedAt: 1 } };
    await ours.get(api.url, theirs as AxiosRequestConfig);
    expect(seen).toMatchObject(theirs);
  });
});

function cancelled(): import('axios').CancelToken {
  const source = axios.CancelToken.source();
  source.cancel('Operation has been canceled.');
  return source.token;
}
