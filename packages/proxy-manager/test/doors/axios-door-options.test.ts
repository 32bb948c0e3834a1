import { Agent as HttpAgent, createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { Agent as HttpsAgent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import axios, { AxiosError } from 'axios';
import type { AxiosInstance, AxiosProgressEvent, AxiosRequestConfig } from 'axios';
import { describe, expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../servers/certificate.js';
import { closedPort, startRaw } from '../servers/faulty.js';
import { listen } from '../servers/listen.js';
import { startProxy } from '../servers/proxy.js';
import { ending, startApi, startBoth, startRequest } from './clients.js';

type Call = (client: AxiosInstance, url: string) => ReturnType<AxiosInstance['request']>;
type Answer = Parameters<typeof startApi>[0];

/** How the same call ends for bare axios and for the door: alike. */
async function expectSameEnd(call: Call, answer: Answer): Promise<Record<string, unknown>> {
  const api = await startApi(answer);
  const { bare, ours } = startBoth();
  const expected = await ending(call(bare, api.url));
  const found = await ending(call(ours, api.url));
  expect(found).toEqual(expected);
  return found as Record<string, unknown>;
}

const hang: Answer = () => {};

describe('time and aborts, as axios has them:', () => {
  test.each<[string, AxiosRequestConfig]>([
    ['timeout', { timeout: 60 }],
    ['a timeout as text', { timeout: '60' as unknown as number }],
    ['timeoutErrorMessage', { timeout: 60, timeoutErrorMessage: 'oops, timeout' }],
    ['clarifyTimeoutError', { timeout: 60, transitional: { clarifyTimeoutError: true } }],
    ['timeout without redirects', { timeout: 60, maxRedirects: 0 }],
  ])('%s', async (_what, config) => {
    const { error } = await expectSameEnd((client, url) => client.get(url, config), hang);
    expect(error).toMatchObject({ code: expect.stringMatching(/^ECONNABORTED$|^ETIMEDOUT$/) });
  });

  test('a signal', async () => {
    const { error } = await expectSameEnd((client, url) => client.get(url, { signal: AbortSignal.timeout(60) }), hang);
    expect(error).toMatchObject({ code: 'ERR_CANCELED', isCancel: true, message: 'canceled' });
  });

  test('a cancelToken, of one request and of many', async () => {
    const api = await startApi(hang);
    for (const client of Object.values(startBoth())) {
      const source = axios.CancelToken.source();
      const before = api.hits.length;
      const calls = [1, 2, 3].map((id) =>
        client.get(`/${id}`, { baseURL: api.url, cancelToken: source.token }).catch((error: unknown) => error),
      );
      await expect.poll(() => api.hits.length).toBe(before + 3);
      source.cancel('Operation has been canceled.');
      for (const error of await Promise.all(calls)) {
        expect(axios.isCancel(error)).toBe(true);
        expect(error).toMatchObject({ message: 'Operation has been canceled.', code: 'ERR_CANCELED' });
      }
    }
  });

  test('a signal that fires while a stream is read', async () => {
    const api = await startApi((_hit, res) => void res.write('first'));
    for (const client of Object.values(startBoth())) {
      const controller = new AbortController();
      const { data } = await client.get<Readable>(api.url, { responseType: 'stream', signal: controller.signal });
      const reading = text(data).catch((error: unknown) => error);
      controller.abort();
      expect(await reading).toMatchObject({ code: 'ERR_CANCELED', name: 'CanceledError' });
    }
  });

  test('a port where nobody listens', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/`;
    for (const client of Object.values(startBoth())) {
      const error: unknown = await client.get(url).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(AxiosError);
      expect(error).toMatchObject({ isAxiosError: true, code: 'ECONNREFUSED', config: { url } });
      expect((error as Error).cause).toMatchObject({ code: 'ECONNREFUSED' });
    }
  });

  test('the stack leads to the caller', async () => {
    const api = await startApi((_hit, res) => res.writeHead(400).end());
    const { ours } = startBoth();
    const callerOfOurs = async (): Promise<unknown> => await ours.get(api.url);
    const error: unknown = await callerOfOurs().catch((reason: unknown) => reason);
    expect((error as Error).stack?.match(/callerOfOurs/g)).toHaveLength(1);
  });
});

describe('redirects, as axios has them:', () => {
  const round: Answer = (hit, res) =>
    hit.path === '/one'
      ? res.writeHead(302, { location: '/two', 'x-why': 'moved' }).end()
      : res.end(`${hit.method} ${hit.path}`);

  test.each<[string, Call, Answer]>([
    ['followed', (client, url) => client.get(`${url}/one`, { maxRedirects: 1 }), round],
    ['not followed', (client, url) => client.get(`${url}/one`, { maxRedirects: 0 }), round],
    ['of a HEAD', (client, url) => client.head(`${url}/one`), round],
    ['of a post', (client, url) => client.post(`${url}/one`, { a: 1 }), round],
    [
      'without end',
      (client, url) => client.get(url, { maxRedirects: 3 }),
      (hit, res) => res.writeHead(302, { location: `${hit.path}x` }).end(),
    ],
    ['to a body beyond maxContentLength', (client, url) => client.get(`${url}/one`, { maxContentLength: 3 }), round],
    [
      'that beforeRedirect stops',
      (client, url) =>
        client.get(`${url}/one`, {
          beforeRedirect: ({ path }, { headers, statusCode }) => {
            throw new Error(`${path} ${headers['x-why']} ${statusCode}`);
          },
        }),
      round,
    ],
  ])('%s', async (_what, call, answer) => {
    const end = await expectSameEnd(call, answer);
    expect(end['error'] ?? end['response']).toBeDefined();
  });

  test('the url that answered', async () => {
    const api = await startApi(round);
    for (const client of Object.values(startBoth())) {
      const { request } = await client.get<unknown, { request: { res: { responseUrl: string } } }>(`${api.url}/one`);
      expect(request.res.responseUrl).toBe(`${api.url}/two`);
    }
  });

  test('beforeRedirect sees where it goes, and sets headers and auth', async () => {
    const api = await startApi((hit, res) =>
      hit.path === '/one'
        ? res.writeHead(302, { location: '/two' }).end()
        : res.end(
            JSON.stringify([hit.headers['x-added'], hit.headers['x-dropped'] ?? null, hit.headers.authorization]),
          ),
    );
    const seen: unknown[] = [];
    for (const client of Object.values(startBoth())) {
      const { data } = await client.get(`${api.url}/one`, {
        headers: { 'x-dropped': 'yes' },
        beforeRedirect: (options, _response, request) => {
          seen.push([options['hostname'], Number(options['port']), options['path'], options['method'], request?.url]);
          options['headers']['x-added'] = 'yes';
          delete options['headers']['x-dropped'];
          options['auth'] = 'user:pass';
        },
      });
      expect(data).toEqual(['yes', null, `Basic ${btoa('user:pass')}`]);
    }
    expect(seen[1]).toEqual(seen[0]);
  });

  test('beforeRedirect sees no key, and may not lead elsewhere', async () => {
    const api = await startApi((hit, res) =>
      hit.path === '/one'
        ? res.writeHead(302, { location: `/two?echo=${String(hit.headers['x-api-key'])}` }).end()
        : res.end('x'),
    );
    const { axios: ours } = startRequest();
    const seen: unknown[] = [];
    await ours.get(`${api.url}/one`, { beforeRedirect: (...given) => void seen.push(structuredClone(given)) });
    expect(inspect(seen, { depth: 10 })).not.toContain('the-secret-key');
    expect(api.hits[1]).toMatchObject({ path: '/two?echo=the-secret-key', headers: { 'x-api-key': 'the-secret-key' } });
    const elsewhere = ours.get(`${api.url}/one`, {
      beforeRedirect: (options) => void (options['hostname'] = 'evil.example'),
    });
    await expect(elsewhere).rejects.toMatchObject({ code: 'ERR_CONFIG', message: expect.stringContaining('hostname') });
  });

  test('sensitiveHeaders stay with their origin', async () => {
    const other = await startApi((hit, res) =>
      res.end(JSON.stringify([hit.headers['x-mine'], hit.headers['x-yours'] ?? null])),
    );
    const api = await startApi((_hit, res) => res.writeHead(302, { location: other.url }).end());
    for (const client of Object.values(startBoth())) {
      const { data } = await client.get(api.url, {
        headers: { 'x-mine': 'a', 'X-Yours': 'b' },
        sensitiveHeaders: ['x-yours'],
      } as AxiosRequestConfig);
      expect(data).toEqual(['a', null]);
    }
    await expect(
      startBoth().ours.get(api.url, { sensitiveHeaders: 'x' } as unknown as AxiosRequestConfig),
    ).rejects.toThrow('sensitiveHeaders');
  });
});

describe('streams up, as axios has them:', () => {
  test('one that fails', async () => {
    const { error } = await expectSameEnd(
      (client, url) => client.post(url, createReadStream('/nonexistent/file')),
      hang,
    );
    expect(error).toMatchObject({ code: 'ENOENT', message: expect.stringContaining('no such file') });
  });

  test('one that is destroyed', async () => {
    const { error } = await expectSameEnd((client, url) => {
      const stream = new PassThrough();
      stream.write('some');
      setTimeout(() => stream.destroy(), 50);
      return client.post(url, stream);
    }, hang);
    expect(error).toMatchObject({ code: 'ERR_CANCELED', message: 'Request stream has been aborted' });
  });

  test('one that is destroyed while the reply comes', async () => {
    const server = await listen(createServer((req, res) => req.pipe(res)));
    onTestFinished(() => server.close());
    for (const client of Object.values(startBoth())) {
      const stream = new PassThrough();
      stream.write('some');
      const { data } = await client.post<Readable>(`http://127.0.0.1:${server.port}`, stream, {
        responseType: 'stream',
      });
      const reading = text(data).catch((error: unknown) => error);
      stream.destroy();
      expect(await reading).toMatchObject({ code: 'ERR_CANCELED' });
    }
  });

  test('one beyond maxBodyLength', async () => {
    const { error } = await expectSameEnd(
      (client, url) =>
        client.post(url, Readable.from([Buffer.alloc(2 ** 21)]), { maxBodyLength: 1024, maxRedirects: 0 }),
      (_hit, res) => res.end(),
    );
    expect(error).toMatchObject({ code: 'ERR_BAD_REQUEST', message: 'Request body larger than maxBodyLength limit' });
  });
});

describe('what only axios’s own adapter knows goes through it and the same stages:', () => {
  test('progress, both ways', async () => {
    const api = await startApi((_hit, res) => res.end('y'.repeat(20_000)));
    const last: unknown[] = [];
    for (const client of Object.values(startBoth())) {
      const events: AxiosProgressEvent[] = [];
      await client.post(api.url, 'x'.repeat(10_000), {
        onUploadProgress: (event) => events.push(event),
        onDownloadProgress: (event) => events.push(event),
      });
      const end = (direction: 'download' | 'upload'): unknown => {
        const of = events.findLast((event) => event[direction]);
        return [of?.loaded, of?.total, of?.progress, of?.lengthComputable];
      };
      last.push([end('upload'), end('download')]);
    }
    expect(last[1]).toEqual(last[0]);
    expect(last[1]).toEqual([
      [10_000, 10_000, 1, true],
      [20_000, 20_000, 1, true],
    ]);
  });

  test('maxRate', async () => {
    const api = await startApi((_hit, res) => res.end('x'));
    const { ours } = startBoth();
    const startedMs = performance.now();
    await ours.post(api.url, 'x'.repeat(3000), { maxRate: [4000, 0] });
    expect(performance.now() - startedMs).toBeGreaterThan(400);
  });

  type Lookup = NonNullable<AxiosRequestConfig['lookup']>;
  const byCallback: Lookup = (
    _host: string,
    _options: object,
    done: (error: null, address: never, family: 4) => void,
  ) => done(null, '127.0.0.1' as never, 4);
  const asAddress: Lookup = async () => '127.0.0.1';
  const asEntry: Lookup = async () => ({ address: '127.0.0.1', family: 4 });
  test.each<[string, Lookup]>([
    ['by callback', byCallback],
    ['async, with an address alone', asAddress],
    ['async, with an entry', asEntry],
  ])('lookup %s', async (_what, lookup) => {
    const { response } = await expectSameEnd(
      (client, url) =>
        client.post(url.replace('127.0.0.1', 'fake-name.axios'), 'x', { lookup, family: 4 } as AxiosRequestConfig),
      (hit, res) => res.end(`"${String(hit.headers.host)}"`),
    );
    expect(response).toMatchObject({ data: expect.stringContaining('fake-name.axios') });
  });

  test.each([4, 6] as const)('family %i', async (family) => {
    const asked: unknown[] = [];
    const lookup = ((_host: string, options: { readonly family?: unknown }, done: (...found: unknown[]) => void) => {
      asked.push(options.family);
      done(null, '127.0.0.1', 4);
    }) as unknown as Lookup;
    const api = await startApi((_hit, res) => res.end('"ok"'));
    for (const [name, client] of Object.entries(startBoth())) {
      const url = api.url.replace('127.0.0.1', `${name}.axios`);
      expect((await client.get<string>(url, { lookup, family })).data).toBe('ok');
    }
    expect(asked).toEqual([family, family]);
  });

  test('insecureHTTPParser', async () => {
    // A character that no header may hold.
    await using server = await startRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nx-odd: a\u0001b\r\n\r\nodd'));
    const url = `http://127.0.0.1:${server.port}/`;
    for (const client of Object.values(startBoth())) {
      const { data } = await client.get<string>(url, { insecureHTTPParser: true });
      expect(data).toBe('odd');
      const strict: unknown = await client.get(url, { httpAgent: new HttpAgent() }).catch((error: unknown) => error);
      expect(strict).toMatchObject({ isAxiosError: true, code: expect.stringMatching(/^HPE_/) });
    }
  });

  test('socketPath, within allowedSocketPaths', async () => {
    const socketPath = join(tmpdir(), `pm-${process.pid}-${Date.now()}.sock`);
    const server = createServer((req, res) => res.end(JSON.stringify(req.url))).listen(socketPath);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    for (const client of Object.values(startBoth())) {
      expect((await client.get('http://localhost:4444/socket', { socketPath })).data).toBe('/socket');
      expect(
        (await client.get('/path', { socketPath, allowedSocketPaths: socketPath } as AxiosRequestConfig)).data,
      ).toBe('/path');
      await expect(
        client.get('/path', { socketPath, allowedSocketPaths: [] } as AxiosRequestConfig),
      ).rejects.toMatchObject({ code: 'ERR_BAD_OPTION_VALUE' });
    }
  });

  test('proxy, with a password', async () => {
    await using proxy = await startProxy({ username: 'user', password: 'pass' });
    const api = await startApi((_hit, res) => res.end('"through"'));
    const config = {
      proxy: { protocol: 'http', host: '127.0.0.1', port: proxy.port, auth: { username: 'user', password: 'pass' } },
    };
    for (const client of Object.values(startBoth())) expect((await client.get(api.url, config)).data).toBe('through');
    expect(proxy.requests).toBe(2);
  });

  test('httpsAgent, which keeps its connection', async () => {
    const certificate = selfSigned();
    const api = await startApi((_hit, res) => res.end('"ok"'), certificate);
    const httpsAgent = new HttpsAgent({ ca: certificate.cert, keepAlive: true });
    onTestFinished(() => httpsAgent.destroy());
    const { axios: ours } = startRequest({ httpsAgent });
    expect((await ours.get(api.url)).data).toBe('ok');
    expect((await ours.get(api.url)).data).toBe('ok');
    expect(api.connections).toBe(1);
  });

  test('an unknown httpVersion', async () => {
    const config: object = { httpVersion: 3 };
    const { error } = await expectSameEnd((client, url) => client.get(url, config), hang);
    expect(error).toMatchObject({ code: 'ERR_BAD_OPTION_VALUE' });
  });

  test('httpVersion 2: every kind of reply, uploads, aborts', async () => {
    const server = createSecureServer(selfSigned(), (req, res) => {
      res.setHeader('x-version', req.httpVersion);
      if (req.url === '/moved') res.writeHead(302, { location: '/' }).end();
      else if (req.url !== '/hang') req.pipe(res);
    });
    const { port, close } = await listen(server);
    onTestFinished(close);
    const http2 = {
      baseURL: `https://127.0.0.1:${port}`,
      httpVersion: 2,
      http2Options: { rejectUnauthorized: false },
    } as AxiosRequestConfig;
    const { ours } = startBoth();
    for (const [responseType, expected] of [
      ['text', '{"a":1}'],
      ['json', { a: 1 }],
      ['arraybuffer', Buffer.from('{"a":1}')],
    ] as const) {
      const { data, headers } = await ours.post('/', '{"a":1}', { ...http2, responseType });
      expect(data).toEqual(expected);
      expect(headers['x-version']).toBe('2.0');
    }
    const { data } = await ours.post('/', 'streamed', { ...http2, responseType: 'stream' });
    expect(await text(data)).toBe('streamed');
    expect((await ours.get('/moved', http2)).status).toBe(200);
    await expect(ours.get('/hang', { ...http2, timeout: 60 })).rejects.toMatchObject({ code: 'ECONNABORTED' });
    await expect(ours.get('/hang', { ...http2, signal: AbortSignal.timeout(60) })).rejects.toMatchObject({
      code: 'ERR_CANCELED',
    });
  });
});

describe('an instance is axios’s own:', () => {
  test('an adapter of the caller’s is asked, and nothing of the pipeline', async () => {
    const request = startRequest();
    const answer = { data: 'mine', status: 200, statusText: 'OK', headers: {}, config: {} as never };
    const response = await request.axios.get('http://127.0.0.1:9/', { adapter: async () => answer });
    expect(response.data).toBe('mine');
    expect(response).not.toHaveProperty('exchange');
    const byName = await startApi((_hit, res) => res.end('"ok"'));
    await request.axios.get(byName.url, { adapter: 'http' });
    expect(byName.hits[0]?.headers).not.toHaveProperty('x-api-key');
  });

  test('one that is created from it goes through the pipeline, with its words over those of the first', async () => {
    const api = await startApi((_hit, res) => res.end('"ok"'));
    const { axios: first } = startRequest({ baseURL: api.url, headers: { 'x-first': '1', 'x-both': '1' } });
    const second = first.create({ headers: { 'x-both': '2' } });
    expect(await second.get('/items')).toMatchObject({ data: 'ok', exchange: { attempts: 1 } });
    expect(api.hits[0]).toMatchObject({
      path: '/items',
      headers: { 'x-api-key': 'the-secret-key', 'x-first': '1', 'x-both': '2' },
    });
  });

  test('a form of a package gives its type and length alone where formDataHeaderPolicy says so', async () => {
    const form = (): Readable =>
      Object.assign(Readable.from(['form']), {
        append: () => {},
        toString: () => '[object FormData]',
        getHeaders: () => ({ 'content-type': 'multipart/form-data; boundary=b', 'x-of-the-form': 'yes' }),
        getLength: (done: (error: null, length: number) => void) => done(null, 4),
      });
    for (const formDataHeaderPolicy of ['legacy', 'content-only'] as const) {
      const { response } = await expectSameEnd(
        (client, url) => client.post(url, form(), { formDataHeaderPolicy } as AxiosRequestConfig),
        ({ headers }, res) =>
          res.end(
            JSON.stringify([headers['content-type'], headers['x-of-the-form'] ?? null, headers['content-length']]),
          ),
      );
      const own = formDataHeaderPolicy === 'legacy' ? 'yes' : null;
      expect(response).toMatchObject({ data: ['multipart/form-data; boundary=b', own, expect.anything()] });
    }
  });
});

describe('no key is seen', () => {
  const KEY = 'the-secret-key';
  const everything = (value: unknown): string =>
    inspect(value, { depth: 20, showHidden: true }) +
    JSON.stringify(value instanceof AxiosError ? value.toJSON() : value);

  test('in a response or an error, with agents that hold sockets', async () => {
    const api = await startApi((hit, res) =>
      res.writeHead(hit.path === '/ok' ? 200 : 500, { 'x-echo': String(hit.headers['x-api-key']) }).end('"x"'),
    );
    const httpAgent = new HttpAgent({ keepAlive: true });
    onTestFinished(() => httpAgent.destroy());
    const { axios: ours } = startRequest({ httpAgent });
    for (const config of [{}, { httpAgent }]) {
      const { config: shown, request, headers } = await ours.get(`${api.url}/ok`, config);
      expect(everything({ shown, request, headers })).not.toContain(KEY);
      expect(everything(await ours.get(api.url, config).catch((error: unknown) => error))).not.toContain(KEY);
    }
    expect(api.hits.every(({ headers }) => headers['x-api-key'] === KEY)).toBe(true);
  });

  test('that the caller wrote by hand, in whatever fails afterwards', async () => {
    const api = await startApi((hit, res) => (hit.path.startsWith('/cut') ? res.destroy() : res.end('{"a":')));
    const request = startRequest({ secrets: { key_based: { api: { keys: [KEY] } } } });
    const { key = '' } = await request.getKeyProxy();
    const call = (path: string): AxiosRequestConfig & { labels: object } => ({
      baseURL: api.url,
      url: path,
      method: 'post',
      params: { k: key },
      headers: { 'x-key': key, authorization: `Bearer ${key}` },
      data: { key },
      responseType: 'json',
      transitional: { silentJSONParsing: false },
      labels: { key },
    });
    for (const path of ['/cut', '/broken-json']) {
      const error: unknown = await request.axios.request(call(path)).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(AxiosError);
      expect(everything(error)).not.toContain(KEY);
    }
    expect(api.hits[1]).toMatchObject({ path: `/broken-json?k=${KEY}`, body: `{"key":"${KEY}"}` });
  });
});
