import { createServer, request as send, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { AxiosInstance, AxiosProgressEvent, AxiosRequestConfig } from 'axios';
import { describe, expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../servers/certificate.js';
import { startHttp2 } from '../servers/http2-origin.js';
import { startProxy } from '../servers/proxy.js';
import { ending, startApi, startBoth } from './clients.js';

type Answer = Parameters<typeof startApi>[0];
type Call = (client: AxiosInstance, url: string) => Promise<unknown>;

/** How the same call ends for bare axios and for the door: alike. */
async function expectSameEnd(call: Call, answer: Answer): Promise<Record<string, unknown>> {
  const api = await startApi(answer);
  const { bare, ours } = startBoth();
  const expected = await ending(call(bare, api.url));
  const found = await ending(call(ours, api.url));
  expect(found).toEqual(expected);
  return found as Record<string, unknown>;
}

/** What Node warns of while `work` is done, such as listeners that are never taken away. */
async function warningsOf(work: () => Promise<unknown>): Promise<string[]> {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', onWarning);
  try {
    await work();
    // They are told on a later turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('warning', onWarning);
  }
  return warnings;
}

const echo: Answer = ({ method, path, headers, body }, res) =>
  res.end(JSON.stringify({ method, path, body, type: headers['content-type'] ?? null }));

describe('on the wire, as axios has it:', () => {
  test('an IPv6 address', async () => {
    const server = createServer((req, res) => res.end(JSON.stringify(req.headers.host))).listen(0, '::1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { readonly port: number };
    for (const client of Object.values(startBoth()))
      expect((await client.get(`http://[::1]:${port}/`)).data).toBe(`[::1]:${port}`);
  });

  const body = Buffer.from('"str"');
  test.each<[string, Buffer]>([
    ['gzip', gzipSync(body)],
    ['compress', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['deflate', deflateRawSync(body)],
    ['br', brotliCompressSync(body)],
  ])('a body in %s: in pieces, and cut', async (coding, coded) => {
    const pieces = await expectSameEnd(
      (client, url) => client.get(url),
      (_hit, res) => {
        res.setHeader('content-encoding', coding).write(coded.subarray(0, 3));
        setImmediate(() => res.end(coded.subarray(3)));
      },
    );
    expect(pieces).toMatchObject({ response: { data: 'str' } });
    const api = await startApi((_hit, res) => {
      res.setHeader('content-encoding', coding).write(coded);
      setImmediate(() => res.destroy());
    });
    for (const client of Object.values(startBoth())) {
      const error: unknown = await client.get(api.url, { maxRedirects: 0 }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ isAxiosError: true, code: expect.stringMatching(/ECONNRESET|ERR_BAD_RESPONSE/) });
    }
  });

  test('a body of 24 MB, though follow-redirects has a bound of 10', async () => {
    const { response } = await expectSameEnd(
      (client, url) => client.post(url, { data: 'ж'.repeat(12 * 2 ** 20) }),
      (hit, res) => res.end(String(hit.body.length)),
    );
    expect(response).toMatchObject({ data: 12 * 2 ** 20 + '{"data":""}'.length });
  });

  test('a stream within maxBodyLength, and without redirects', async () => {
    await expectSameEnd(
      (client, url) =>
        client.post(url, Readable.from(['x'.repeat(512)]), {
          maxBodyLength: 1024,
          maxRedirects: 0,
          headers: { 'content-type': 'application/octet-stream' },
        }),
      echo,
    );
  });

  test('a form of the package form-data', async () => {
    const LegacyForm = createRequire(createRequire(import.meta.url).resolve('axios'))(
      'form-data',
    ) as new () => Readable & { append(name: string, value: unknown, options?: object): void };
    const api = await startApi((_hit, res) => res.end());
    const parsed: unknown[] = [];
    for (const client of Object.values(startBoth())) {
      const form = new LegacyForm();
      form.append('foo', 'bar');
      form.append('file', Buffer.from('foo'), { filename: 'bar.jpg', contentType: 'image/jpeg' });
      await client.post(api.url, form, { headers: { 'Content-Type': 'multipart/form-data' } });
      const hit = api.hits.at(-1);
      const type = String(hit?.headers['content-type']);
      const fields = await new Response(hit?.body ?? '', { headers: { 'content-type': type } }).formData();
      const file = fields.get('file') as File;
      parsed.push([fields.get('foo'), file.name, file.type, await file.text(), hit?.headers['content-length']]);
    }
    expect(parsed[1]).toEqual(parsed[0]);
    expect(parsed[1]).toMatchObject(['bar', 'bar.jpg', 'image/jpeg', 'foo', expect.any(String)]);
  });

  test.each([null, false, true])('an object as a form, its lists written by indexes: %s', async (indexes) => {
    const fieldsOf = async (client: AxiosInstance, url: string): Promise<unknown> => {
      const { data } = await client.postForm(
        url,
        { list: ['1', ['2']], users: [{ name: 'Ann' }], deep: { x: '1' } },
        { formSerializer: { indexes } },
      );
      return [...(await new Response(data.body, { headers: { 'content-type': data.type } }).formData())];
    };
    const api = await startApi(echo);
    const { bare, ours } = startBoth();
    expect(await fieldsOf(ours, api.url)).toEqual(await fieldsOf(bare, api.url));
  });

  test('a form type in any letters', async () => {
    for (const name of ['content-type', 'Content-Type', 'CONTENT-TYPE']) {
      const { response } = await expectSameEnd(
        (client, url) => client.post(url, { a: ['1'] }, { headers: { [name]: 'application/x-www-form-urlencoded' } }),
        echo,
      );
      expect(response).toMatchObject({ data: { body: 'a%5B%5D=1' } });
    }
  });

  test('a data: url as a Blob', async () => {
    for (const client of Object.values(startBoth())) {
      const { data } = await client.get<Blob>('data:application/octet-stream;base64,MTIz', { responseType: 'blob' });
      expect([data.type, await data.text()]).toEqual(['application/octet-stream', '123']);
    }
  });

  test('a scheme that nobody can send', async () => {
    const { error } = await expectSameEnd((client) => client.get('tel:484-695-3408'), echo);
    expect(error).toMatchObject({ message: 'Unsupported protocol tel:' });
  });

  test('a dozen redirects, and thirty at once on one connection: no listener stays', async () => {
    const api = await startApi((hit, res) => {
      const hop = Number(hit.path.slice(1));
      if (hop < 12) res.writeHead(302, { location: `/${hop + 1}` }).end();
      else res.end(String(hop));
    });
    const { ours } = startBoth();
    const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => httpAgent.destroy());
    const warnings = await warningsOf(async () => {
      expect((await ours.get(`${api.url}/0`)).data).toBe(12);
      expect((await ours.get(`${api.url}/0`, { httpAgent })).data).toBe(12);
      await Promise.all(Array.from({ length: 30 }, () => ours.get(`${api.url}/12`, { httpAgent })));
      await Promise.all(Array.from({ length: 30 }, () => ours.get(`${api.url}/12`)));
    });
    expect(warnings).toEqual([]);
  });

  test('no timeout after one that was not needed', async () => {
    const api = await startApi((hit, res) =>
      hit.path === '/slow' ? void setTimeout(() => res.end('slow'), 150) : res.end('quick'),
    );
    const { ours } = startBoth();
    expect((await ours.get(`${api.url}/quick`, { timeout: 100 })).data).toBe('quick');
    expect((await ours.get(`${api.url}/slow`, { timeout: 0 })).data).toBe('slow');
  });
});

describe('proxies of a call, as axios has them:', () => {
  test('by https, before an https origin', async () => {
    const certificate = selfSigned();
    const api = await startApi((_hit, res) => res.end('"through"'), certificate);
    await using proxy = await startProxy({ certificate });
    for (const client of Object.values(startBoth())) {
      const { data } = await client.get(api.url, {
        proxy: { protocol: 'https:', host: '127.0.0.1', port: proxy.port },
        httpsAgent: new HttpsAgent({ rejectUnauthorized: false }),
      });
      expect(data).toBe('through');
    }
    expect(proxy.tunnels).toBe(2);
  });

  test('hostname before host, with every redirect, each of which beforeRedirect sees', async () => {
    const api = await startApi((hit, res) => {
      const hop = Number(hit.path.slice(1));
      if (hop < 3) res.writeHead(302, { location: `/${hop + 1}` }).end();
      else res.end(String(hop));
    });
    await using proxy = await startProxy();
    for (const client of Object.values(startBoth())) {
      let seen = 0;
      const before = proxy.requests;
      const { data } = await client.get(`${api.url}/0`, {
        proxy: { hostname: '127.0.0.1', host: '0.0.0.1', protocol: 'http', port: proxy.port } as never,
        beforeRedirect: () => void (seen += 1),
      });
      expect([data, seen, proxy.requests - before]).toEqual([3, 3, 4]);
    }
  });

  test('an empty name and password are refused', async () => {
    const proxy = { protocol: 'http:', host: 'proxy.invalid', port: 1, auth: { username: '', password: '' } };
    for (const client of Object.values(startBoth())) {
      const refused = client.get('http://127.0.0.1:1/', { proxy });
      await expect(refused).rejects.toMatchObject({ message: 'Invalid proxy authorization', code: 'ERR_BAD_OPTION' });
    }
  });

  test('a Proxy-Authorization that the caller wrote stays with the first request', async () => {
    const other = await startApi((hit, res) => res.end(JSON.stringify(hit.headers['proxy-authorization'] ?? null)));
    const api = await startApi((_hit, res) => res.writeHead(302, { location: other.url }).end());
    for (const client of Object.values(startBoth())) {
      const { data } = await client.get(api.url, { headers: { 'pRoXy-AuThOrIzAtIoN': 'Basic YTpi' } });
      expect([data, api.hits.at(-1)?.headers['proxy-authorization']]).toEqual([null, 'Basic YTpi']);
    }
  });
});

describe('what leads elsewhere, as axios has it:', () => {
  type Lookup = NonNullable<AxiosRequestConfig['lookup']>;
  const entryByCallback = ((_host: string, _options: object, done: (error: null, entry: object) => void) =>
    done(null, { address: '127.0.0.1', family: 4 })) as unknown as Lookup;
  const list = (async () => ['127.0.0.1', 4]) as unknown as Lookup;
  test.each([
    ['an entry by callback', entryByCallback],
    ['a list, async', list],
  ])('lookup that gives %s', async (_what, lookup) => {
    const { response } = await expectSameEnd(
      (client, url) => client.post(url.replace('127.0.0.1', 'fake-name.axios'), 'test', { lookup }),
      echo,
    );
    expect(response).toMatchObject({ data: { body: 'test' } });
  });

  test('lookup that finds nothing', async () => {
    for (const client of Object.values(startBoth())) {
      const lost = client.get('http://no-such-name.invalid/', { lookup: systemLookup as unknown as Lookup });
      await expect(lost).rejects.toMatchObject({ code: 'ENOTFOUND', message: expect.stringContaining('ENOTFOUND') });
    }
  });

  test('allowedSocketPaths', async () => {
    const socketPath = join(tmpdir(), `pm-net-${process.pid}-${Date.now()}.sock`);
    const server = createServer((req, res) => res.end(JSON.stringify(req.url))).listen(socketPath);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const by = async (words: object): Promise<unknown[]> =>
      Promise.all(
        Object.values(startBoth()).map((client) =>
          client.get('http://localhost/echo', words).then(
            ({ data }) => data as unknown,
            ({ code, message }: Error & { readonly code: string }) => [code, message],
          ),
        ),
      );
    const allowed = [
      { socketPath },
      { socketPath, allowedSocketPaths: ['/nowhere.sock', socketPath] },
      { socketPath, allowedSocketPaths: [relative(process.cwd(), socketPath)] },
    ];
    for (const words of allowed) expect(await by(words)).toEqual(['/echo', '/echo']);
    const refused = [
      { socketPath: '/var/run/docker.sock', allowedSocketPaths: ['/tmp/allowed.sock'] },
      { socketPath: '/tmp/allowed/../other.sock', allowedSocketPaths: ['/tmp/allowed/app.sock'] },
      { socketPath: 12_345 },
    ];
    for (const words of refused) {
      const [bare, ours] = await by(words);
      expect(ours).toEqual(bare);
      expect(ours).toMatchObject(['ERR_BAD_OPTION_VALUE', expect.any(String)]);
    }
  });

  test('a transport of the caller’s, also where it fails', async () => {
    const api = await startApi(echo);
    for (const client of Object.values(startBoth())) {
      let asked = 0;
      const transport = {
        request: (...given: Parameters<typeof send>) => {
          asked += 1;
          return send(...given);
        },
      };
      expect((await client.post(api.url, 'x', { transport, maxRedirects: 0 })).data).toMatchObject({ body: 'x' });
      expect(asked).toBe(1);
      const broken = {
        request: (...given: Parameters<typeof send>) => {
          const request = send(...given);
          return request.on('socket', (socket) =>
            socket.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
          );
        },
      };
      const failed = client.post(api.url, 'x', { transport: broken, maxRedirects: 0 });
      await expect(failed).rejects.toMatchObject({ isAxiosError: true, code: 'EPIPE' });
    }
  });

  test('httpVersion 2: one session for an origin and its options, another for others', async () => {
    const certificate = selfSigned();
    const origin = await startHttp2((_req, res) => res.end('"ok"'), certificate);
    onTestFinished(origin.close);
    let sessions = 0;
    origin.server.on('session', () => (sessions += 1));
    const base = { httpVersion: 2, http2Options: { rejectUnauthorized: false } } as AxiosRequestConfig;
    const other = { ...base, http2Options: { rejectUnauthorized: false, sessionTimeout: 2000 } } as AxiosRequestConfig;
    const { ours } = startBoth();
    await Promise.all([ours.get(origin.url, base), ours.get(origin.url, base)]);
    expect(sessions).toBe(1);
    await ours.get(origin.url, other);
    expect(sessions).toBe(2);
  });
});

describe('progress and rates, as axios has them:', () => {
  const body = 'test'.repeat(3);

  test.each(['onUploadProgress', 'onDownloadProgress'] as const)(
    '%s of a stream whose length is known',
    async (word) => {
      const server = createServer((req, res) => {
        res.setHeader('content-length', String(req.headers['content-length']));
        req.pipe(res);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      onTestFinished(() => void server.close());
      const { port } = server.address() as { readonly port: number };
      const { ours } = startBoth();
      const events: AxiosProgressEvent[] = [];
      const { data } = await ours.post(`http://127.0.0.1:${port}`, Readable.from(['test', 'test', 'test']), {
        [word]: (event: AxiosProgressEvent) => events.push(event),
        headers: { 'content-length': body.length },
        responseType: 'text',
        maxRedirects: 0,
      });
      expect(data).toBe(body);
      const flag = word === 'onUploadProgress' ? 'upload' : 'download';
      expect(events.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(body.length);
      expect(events.at(-1)).toMatchObject({ loaded: body.length, total: body.length, progress: 1, [flag]: true });
    },
  );

  test('maxRate of a download', async () => {
    const api = await startApi((_hit, res) => res.end('x'.repeat(3000)));
    const { ours } = startBoth();
    const events: AxiosProgressEvent[] = [];
    const { data } = await ours.get(api.url, {
      maxRate: [0, 4000],
      onDownloadProgress: (event) => events.push(event),
    });
    expect(data).toHaveLength(3000);
    // At full speed it would come in one piece.
    expect(events.length).toBeGreaterThan(1);
  });
});
