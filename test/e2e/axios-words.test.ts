import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import axios, { AxiosError, AxiosHeaders } from 'axios';
import type { AxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Answer, Hit } from './support/api.js';
import { startApi } from './support/api.js';
import { startManager } from './support/workspace.js';

const secrets = { key_based: { test_api: { keys: ['the-key'], apply: { headers: { 'x-api-key': '{key}' } } } } };

/** What of a request must be the same, whoever sends it. */
function essence({ method, path, headers, body }: Hit): object {
  const boundary = /boundary=(.+)$/.exec(headers['content-type'] ?? '')?.[1];
  const plain = (value: string | undefined): string | undefined =>
    boundary === undefined ? value : value?.replaceAll(boundary, 'BOUNDARY');
  return {
    method,
    path,
    body: plain(body),
    contentType: plain(headers['content-type'])?.replace(/;? ?charset=utf-8/i, ''),
    authorization: headers.authorization,
    accept: headers.accept,
    custom: headers['x-custom'],
  };
}

/** The same words to bare axios and to `send`, on the same server: both must say and get the same. */
async function both(
  config: (url: string) => AxiosRequestConfig,
  answer?: Answer,
): Promise<{ hits: readonly Hit[]; results: unknown[] }> {
  const api = await startApi(answer);
  const req = startManager({ secrets }).request('test_api', { userAgent: false, retry: { attempts: 1 } });
  const results: unknown[] = [];
  for (const sending of [axios.request(config(api.url)), req.send(config(api.url))]) {
    const { status, data, headers } = await sending.catch((error: unknown) => {
      if (error instanceof AxiosError && error.response !== undefined)
        return { ...error.response, data: [error.code, error.message, error.response.data] };
      throw error;
    });
    results.push({
      status,
      data: data instanceof Readable ? await text(data) : (data as unknown),
      type: headers['content-type'] as unknown,
    });
  }
  return { hits: api.hits, results };
}

describe('says on the wire what axios says for', () => {
  it.each<[string, (url: string) => AxiosRequestConfig]>([
    ['a get', (url) => ({ url })],
    [
      'params',
      (url) => ({ url: `${url}/a?x=1`, params: { q: 'a b', list: [1, 2], nested: { deep: true }, none: null } }),
    ],
    [
      'URLSearchParams as params',
      (url) => ({
        url,
        params: new URLSearchParams([
          ['a', '1'],
          ['a', '2'],
        ]),
      }),
    ],
    ['a baseURL', (url) => ({ baseURL: `${url}/v1/`, url: '/items' })],
    ['a baseURL and an absolute url', (url) => ({ baseURL: 'http://unused.example', url: `${url}/x` })],
    ['an object', (url) => ({ url, method: 'post', data: { a: [1, 'ä'], b: null } })],
    ['an array', (url) => ({ url, method: 'put', data: [1, 2] })],
    ['a string', (url) => ({ url, method: 'post', data: 'a=1&b=2' })],
    [
      'a JSON string',
      (url) => ({ url, method: 'post', data: '{"a":1}', headers: { 'Content-Type': 'application/json' } }),
    ],
    [
      'an object as a form',
      (url) => ({
        url,
        method: 'post',
        data: { a: 1, b: [2, 3] },
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
    ],
    ['URLSearchParams', (url) => ({ url, method: 'post', data: new URLSearchParams({ a: '1 2' }) })],
    [
      'bytes',
      (url) => ({
        url,
        method: 'post',
        data: Buffer.from('bytes'),
        headers: { 'content-type': 'application/octet-stream' },
      }),
    ],
    [
      'a stream',
      (url) => ({
        url,
        method: 'post',
        data: Readable.from(['one', 'two']),
        headers: { 'content-type': 'text/plain' },
      }),
    ],
    ['a delete with a body', (url) => ({ url, method: 'delete', data: { a: 1 } })],
    ['basic authentication', (url) => ({ url, auth: { username: 'user', password: 'pa:ss' } })],
    ['userinfo in the url', (url) => ({ url: url.replace('//', '//user:p%40ss@') })],
    ['plain headers', (url) => ({ url, headers: { 'X-Custom': 'a', Accept: 'text/html' } })],
    ['AxiosHeaders', (url) => ({ url, headers: new AxiosHeaders({ 'X-Custom': 'b' }) })],
    [
      'transformRequest',
      (url) => ({
        url,
        method: 'post',
        data: { a: 1 },
        transformRequest: [(data: object) => JSON.stringify({ ...data, b: 2 })],
        headers: { 'content-type': 'application/json' },
      }),
    ],
  ])('%s', async (_what, config) => {
    const { hits, results } = await both(config);
    expect(hits).toHaveLength(2);
    expect(essence(hits[1] as Hit)).toEqual(essence(hits[0] as Hit));
    expect(results[1]).toEqual(results[0]);
  });
});

describe('gives what axios gives for', () => {
  const json = Buffer.from('{"a":["ä"]}');
  const answers: [string, AxiosRequestConfig, Answer][] = [
    ['JSON', {}, (_hit, res) => res.setHeader('content-type', 'application/json').end(json)],
    ['JSON of another type', {}, (_hit, res) => res.setHeader('content-type', 'text/plain').end('[1]')],
    ['broken JSON', {}, (_hit, res) => res.setHeader('content-type', 'application/json').end('{"a":')],
    ['a byte order mark', {}, (_hit, res) => res.end('\uFEFF{"a":1}')],
    ['text', { responseType: 'text' }, (_hit, res) => res.end('{"a":1}')],
    ['bytes', { responseType: 'arraybuffer' }, (_hit, res) => res.end(Buffer.from([0, 255, 1]))],
    ['a stream', { responseType: 'stream' }, (_hit, res) => res.end('streamed')],
    ['gzip', {}, (_hit, res) => res.setHeader('content-encoding', 'gzip').end(gzipSync(json))],
    ['latin1', { responseEncoding: 'latin1' }, (_hit, res) => res.end(Buffer.from([0xe4]))],
    ['nothing', {}, (_hit, res) => res.writeHead(204).end()],
    ['a HEAD', { method: 'head' }, (_hit, res) => res.setHeader('content-length', '10').end()],
    ['a 404', {}, (_hit, res) => res.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"none"}')],
    ['a 500', {}, (_hit, res) => res.writeHead(500).end('down')],
    ['validateStatus', { validateStatus: (status) => status === 418 }, (_hit, res) => res.writeHead(418).end('tea')],
    ['no validateStatus', { validateStatus: null }, (_hit, res) => res.writeHead(500).end('down')],
    [
      'a redirect',
      {},
      (hit, res) =>
        hit.path === '/' ? res.writeHead(302, { location: '/next' }).end() : res.end(`"${hit.method} ${hit.path}"`),
    ],
    [
      'a redirected post',
      { method: 'post', data: { a: 1 } },
      (hit, res) =>
        hit.path === '/'
          ? res.writeHead(303, { location: '/next' }).end()
          : res.end(JSON.stringify([hit.method, hit.body])),
    ],
    [
      'a post redirected as it is',
      { method: 'post', data: { a: 1 } },
      (hit, res) =>
        hit.path === '/'
          ? res.writeHead(307, { location: '/next' }).end()
          : res.end(JSON.stringify([hit.method, hit.body])),
    ],
    [
      'no redirects',
      { maxRedirects: 0, validateStatus: null },
      (_hit, res) => res.writeHead(302, { location: '/next' }).end('here'),
    ],
    ['transformResponse', { transformResponse: [(data: string) => `${data}!`] }, (_hit, res) => res.end('a')],
  ];
  it.each(answers)('%s', async (_what, config, answer) => {
    const { results } = await both((url) => ({ url, ...config }), answer);
    expect(results[1]).toEqual(results[0]);
  });

  it.each<[string, AxiosRequestConfig]>([
    ['a body beyond maxContentLength', { maxContentLength: 10 }],
    ['a request beyond maxBodyLength', { method: 'post', data: 'x'.repeat(100), maxBodyLength: 10 }],
    ['a name without an address', { url: 'http://name.invalid/' }],
    ['too many redirects', { maxRedirects: 3 }],
  ])('%s: the same code', async (_what, { url, ...config }) => {
    const api = await startApi((hit, res) =>
      config.maxRedirects === undefined
        ? res.end('x'.repeat(100))
        : res.writeHead(302, { location: `${hit.path}x` }).end(),
    );
    const req = startManager({ secrets }).request('test_api', { retry: { attempts: 1 } });
    const given = { ...config, url: url ?? api.url };
    const [bare, ours] = await Promise.all(
      [axios.request(given), req.send(given)].map((sending) => sending.catch((error: unknown) => error)),
    );
    expect(axios.isAxiosError(ours)).toBe(true);
    expect((ours as AxiosError).code).toBe((bare as AxiosError).code);
  });
});

describe('takes fetch’s words:', () => {
  it.each<[string, unknown]>([
    ['a string', 'text'],
    ['a Blob', new Blob(['blob'], { type: 'text/csv' })],
    ['URLSearchParams', new URLSearchParams({ a: '1' })],
    ['an ArrayBuffer', new TextEncoder().encode('buffer').buffer],
    ['a ReadableStream', new Blob(['streamed']).stream()],
  ])('%s', async (_what, body) => {
    const api = await startApi();
    const again = body instanceof ReadableStream ? new Blob(['streamed']).stream() : body;
    await fetch(api.url, { method: 'POST', body, duplex: 'half' } as RequestInit);
    const req = startManager({ secrets }).request('test_api');
    await req.send(new URL(api.url), { method: 'POST', body: again, headers: new Headers({ 'x-custom': 'c' }) });
    const [theirs, ours] = api.hits;
    expect(ours?.body).toBe(theirs?.body);
    expect(ours?.headers['content-type']?.toLowerCase()).toBe(theirs?.headers['content-type']?.toLowerCase());
    expect(ours?.headers['x-custom']).toBe('c');
  });

  it('FormData', async () => {
    const api = await startApi();
    const form = new FormData();
    form.set('field', 'ä');
    form.set('file', new Blob(['content'], { type: 'text/plain' }), 'a.txt');
    const req = startManager({ secrets }).request('test_api');
    await req.send(api.url, { method: 'POST', body: form });
    const [hit] = api.hits;
    const parsed = await new Response(hit?.body ?? '', {
      headers: { 'content-type': hit?.headers['content-type'] ?? '' },
    }).formData();
    expect(parsed.get('field')).toBe('ä');
    expect(await (parsed.get('file') as File).text()).toBe('content');
  });
});
