import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { closedPort, startRaw } from '../servers/faulty.js';
import { startApi, startRequest, type Api, type Hit } from './clients.js';

type Answer = Parameters<typeof startApi>[0];
type Call = (fetch: typeof globalThis.fetch, url: string) => Promise<Response>;
type Words = Parameters<typeof fetch>[1] & object;

const answerOk: Answer = (_hit, res) => res.setHeader('content-type', 'application/json').end('"ok"');

/** What of a request must be the same, whoever sends it. */
function essence({ method, path, headers, body }: Hit): object {
  const type = String(headers['content-type'] ?? '');
  const boundary = /boundary=(.+)$/.exec(type)?.[1] ?? '\0';
  const custom = Object.fromEntries(
    Object.entries(headers).filter(([name]) => /^(?:accept|x-custom|authorization)$/.test(name)),
  );
  return { method, path, custom, type: type.replace(boundary, '').toLowerCase(), body: body.replaceAll(boundary, '') };
}

/** What a caller sees of a response, in data that can be compared. */
async function seen(response: Response): Promise<object> {
  const { ok, status, statusText, url, redirected, type, headers } = response;
  const clone = response.clone();
  const text = await response.text();
  const fields = [...headers].filter(
    ([name]) => !/^(?:connection|content-length|date|keep-alive|transfer-encoding)$/.test(name),
  );
  return {
    ok,
    status,
    statusText,
    url,
    redirected,
    type,
    fields,
    text,
    cookies: headers.getSetCookie(),
    isUsed: response.bodyUsed,
    hasBody: response.body !== null,
    clone: [clone.url, clone.redirected, clone.type, await clone.text()],
    isResponse: response instanceof Response,
  };
}

async function ending(call: Promise<Response>): Promise<object> {
  return call.then(
    async (response) => ({ response: await seen(response) }),
    (error: unknown) => ({ name: (error as Error).name, isTypeError: error instanceof TypeError }),
  );
}

/** The same call by the platform's fetch and by the door, on one server: both must say and get the same. */
async function expectSame(call: Call, answer: Answer = answerOk): Promise<{ api: Api; end: object }> {
  const api = await startApi(answer);
  const { fetch: ours } = startRequest();
  const expected = await ending(call(fetch, api.url));
  const until = api.hits.length;
  const found = await ending(call(ours, api.url));
  expect(found).toEqual(expected);
  expect(api.hits.slice(until).map(essence)).toEqual(api.hits.slice(0, until).map(essence));
  return { api, end: found };
}

const post = (body: unknown, more: object = {}): Words => ({ method: 'POST', body, ...more }) as Words;
const streamed = (): ReadableStream => new Blob(['streamed']).stream();

describe('says what fetch says:', () => {
  test.each<[string, Call]>([
    ['a get', (f, url) => f(url)],
    ['an URL', (f, url) => f(new URL('/a?b=c#d', url))],
    ['a Request', (f, url) => f(new Request(url, { headers: { 'x-custom': '1' } }))],
    ['a Request with a body', (f, url) => f(new Request(url, { method: 'PUT', body: 'text' }))],
    ['a Request with a form', (f, url) => f(new Request(url, { method: 'POST', body: form() }))],
    ['a Request with a stream', (f, url) => f(new Request(url, post(streamed(), { duplex: 'half' })))],
    [
      'a Request and words over it',
      (f, url) =>
        f(new Request(url, { method: 'PUT', body: 'text' }), { method: 'POST', headers: { 'x-custom': '2' } }),
    ],
    [
      'Headers',
      (f, url) =>
        f(url, {
          headers: new Headers([
            ['x-custom', 'a'],
            ['X-Custom', 'b'],
          ]),
        }),
    ],
    ['pairs', (f, url) => f(url, { headers: [['x-custom', 'a']] })],
    ['accept', (f, url) => f(url, { headers: { accept: 'text/html' } })],
    ['a method in small letters', (f, url) => f(url, { method: 'delete' })],
    ['an empty body', (f, url) => f(url, post(''))],
    ['a string', (f, url) => f(url, post('täxt'))],
    ['a string with a type', (f, url) => f(url, post('{}', { headers: { 'content-type': 'application/json' } }))],
    ['a number', (f, url) => f(url, post(5))],
    ['a plain object', (f, url) => f(url, post({ a: 1 }))],
    ['URLSearchParams', (f, url) => f(url, post(new URLSearchParams({ a: '1 ä' })))],
    ['FormData', (f, url) => f(url, post(form()))],
    ['a Blob', (f, url) => f(url, post(new Blob(['blob'], { type: 'text/csv' })))],
    ['a Blob without a type', (f, url) => f(url, post(new Blob(['blob'])))],
    ['an ArrayBuffer', (f, url) => f(url, post(new TextEncoder().encode('buffer').buffer))],
    ['a typed array', (f, url) => f(url, post(new Uint16Array([0x4141])))],
    ['a DataView', (f, url) => f(url, post(new DataView(new TextEncoder().encode('xviewx').buffer, 1, 4)))],
    ['a ReadableStream', (f, url) => f(url, post(streamed(), { duplex: 'half' }))],
    ['an async iterable', (f, url) => f(url, post(Readable.from(['one', 'two']), { duplex: 'half' }))],
    ['a stream without duplex', (f, url) => f(url, post(streamed()))],
    ['a GET with a body', (f, url) => f(url, { method: 'GET', body: 'x' })],
    ['a method that is none', (f, url) => f(url, { method: 'a b' })],
    ['a method that is forbidden', (f, url) => f(url, { method: 'CONNECT' })],
    ['a header that cannot be', (f, url) => f(url, { headers: { 'x-custom': 'a\r\nb: c' } })],
    ['an url that is none', (f) => f('/relative')],
    ['an url with a password', (f, url) => f(url.replace('//', '//user:pass@'))],
    ['a protocol that is not http', (f) => f('ftp://example.com/')],
    [
      'a Request that was used',
      async (f, url) => {
        const used = new Request(url, post('x'));
        await used.text();
        return f(used);
      },
    ],
  ])('%s', async (_what, call) => {
    await expectSame(call);
  });

  test('does not repeat what was written as a method: it may be a key', async () => {
    const error: unknown = await startRequest()
      .fetch('http://a.example/', { method: 'a key' })
      .catch((reason: unknown) => reason);
    expect(inspect(error)).toMatch(/method/);
    expect(inspect(error)).not.toContain('a key');
  });

  function form(): FormData {
    const made = new FormData();
    made.set('field', 'ä');
    made.set('file', new Blob(['content'], { type: 'text/plain' }), 'a.txt');
    return made;
  }
});

describe('gives what fetch gives:', () => {
  const to =
    (status: number, location = '/next'): Answer =>
    (hit, res) =>
      hit.path === '/'
        ? res.writeHead(status, { location }).end('moved')
        : res.end(`${hit.method} ${hit.path} ${hit.body}`);
  test.each<[string, Words, Answer]>([
    ['text', {}, (_hit, res) => res.end('täxt')],
    ['nothing', {}, (_hit, res) => res.writeHead(204).end()],
    ['a HEAD', { method: 'HEAD' }, (_hit, res) => res.setHeader('content-length', '10').end()],
    ['a 404', {}, (_hit, res) => res.writeHead(404, 'Nope').end('none')],
    ['a 500', {}, (_hit, res) => res.writeHead(500).end('down')],
    // Node writes it in Latin-1 and fetch reads it as UTF-8: what comes of it is no byte any more.
    ['a reason in other letters', {}, (_hit, res) => res.writeHead(404, 'nicht verfügbar').end('none')],
    ['a 304', { headers: { 'if-none-match': '"x"' } }, (_hit, res) => res.writeHead(304, { etag: '"x"' }).end()],
    ['cookies', {}, (_hit, res) => res.writeHead(200, { 'set-cookie': ['a=1', 'b=2'], 'x-two': ['1', '2'] }).end()],
    ['a body of many pieces', {}, (_hit, res) => res.end('ж'.repeat(500_000))],
    ['a redirect', {}, to(302)],
    ['a redirect with a fragment', {}, to(302, '/next#there')],
    ['a redirected post', { method: 'POST', body: 'x' }, to(302)],
    ['a post redirected as it is', { method: 'POST', body: 'x' }, to(307)],
    ['a stream that cannot be redirected', post(streamed(), { duplex: 'half' }), to(307)],
    ['a redirect by hand', { redirect: 'manual' }, to(302)],
    ['a redirect that is an error', { redirect: 'error' }, to(302)],
    ['no redirect, which is no error', { redirect: 'error' }, (_hit, res) => res.end('here')],
    ['redirects without end', {}, (hit, res) => res.writeHead(302, { location: `${hit.path}x` }).end()],
  ])('%s', async (what, words, answer) => {
    // A stream can be given to one of them only.
    const fresh = (): Words => (words.body instanceof ReadableStream ? { ...words, body: streamed() } : words);
    const { end } = await expectSame((f, url) => f(url, fresh()), answer);
    expect(end, what).toBeDefined();
  });

  test('a decoded body, and no length or coding that is not its own', async () => {
    const api = await startApi((_hit, res) => res.setHeader('content-encoding', 'gzip').end(gzipSync('{"a":"ä"}')));
    const response = await startRequest().fetch(api.url);
    expect(await response.json()).toEqual({ a: 'ä' });
  });

  test('a status that no Response can be made with', async () => {
    const api = await startApi((_hit, res) => res.writeHead(999).end('no'));
    expect(await startRequest().fetch(api.url)).toMatchObject({ status: 999, ok: false });
  });

  test('a head that echoes the key as a name, which no Headers take', async () => {
    const api = await startApi((hit, res) => {
      res.writeHead(200, { [`x-${String(hit.headers['x-api-key'])}`]: 'a', 'x-b': 'b' }).end('text');
    });
    const response = await startRequest().fetch(api.url);
    expect([response.headers.get('x-b'), await response.text()]).toEqual(['b', 'text']);
    expect(JSON.stringify([...response.headers])).not.toContain('the-secret-key');
  });

  test('its head at once and its body as it comes, in a byte stream with back-pressure', async () => {
    let cut = 0;
    const api = await startApi((_hit, res) => {
      res.on('close', () => (cut += 1));
      res.write('first');
    });
    const response = await startRequest().fetch(api.url);
    const reader = response.body?.getReader({ mode: 'byob' });
    const { value } = (await reader?.read(new Uint8Array(100))) ?? {};
    expect(Buffer.from(value ?? []).toString()).toBe('first');
    await reader?.cancel();
    await expect.poll(() => cut).toBe(1);
  });

  test('a body sent up as it comes, answered while it goes', async () => {
    let send = (_text: string): void => {};
    let end = (): void => {};
    const body = new ReadableStream({
      start(controller) {
        send = (text) => controller.enqueue(new TextEncoder().encode(text));
        end = () => controller.close();
      },
    });
    const got = withResolvers();
    const { createServer } = await import('node:http');
    const server = createServer((req, res) => {
      req.once('data', (chunk) => {
        expect(String(chunk)).toBe('one');
        got.resolve();
      });
      req.pipe(res);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as import('node:net').AddressInfo;
    const sending = startRequest().fetch(`http://127.0.0.1:${port}/`, post(body, { duplex: 'half' }));
    send('one');
    await got.promise;
    const response = await sending;
    send(' two');
    end();
    expect(await response.text()).toBe('one two');
    server.close();
    server.closeAllConnections();
  });

  test('a Request’s small body again where it is asked for again', async () => {
    let refusals = 1;
    const api = await startApi((hit, res) => (refusals-- > 0 ? res.writeHead(503).end() : res.end(hit.body)));
    const { fetch: ours } = startRequest({ retry: { attempts: 2 } });
    const response = await ours(new Request(api.url, { method: 'PUT', body: 'again' }));
    expect([response.status, await response.text(), api.hits.length]).toEqual([200, 'again', 2]);
  });

  test('the Request’s own url, headers and extras', async () => {
    const api = await startApi((_hit, res) => res.end('x'));
    const request = startRequest({ headers: { 'x-custom': 'mine' }, params: { v: 1 }, cache: true });
    const base = startRequest({ baseURL: `${api.url}/v1/` });
    const read = async (fetch: typeof globalThis.fetch, url: string, init?: Words): Promise<number> => {
      await (await fetch(url, init)).text();
      return api.hits.length;
    };
    const one = await read(request.fetch, `${api.url}/a`);
    // A reply is stored behind the caller's back.
    let last = one;
    await expect
      .poll(async () => -last + (last = await read(request.fetch, `${api.url}/a`, { cache: 'default' } as Words)))
      .toBe(0);
    expect(await read(request.fetch, `${api.url}/a`, { cache: 'no-store' } as Words)).toBe(last + 1);
    await read(base.fetch, 'items', { headers: { 'x-custom': '{key}' } });
    const said = api.hits.map(({ path, headers }) => [path, headers['x-custom'], headers['x-api-key']]);
    expect([said[0], said.at(-1)]).toEqual([
      ['/a?v=1', 'mine', 'the-secret-key'],
      ['/v1/items', 'the-secret-key', 'the-secret-key'],
    ]);
  });
});

describe('integrity, as fetch has it:', () => {
  const body = 'täxt';
  const digest = (kind: string, of = body): string => `${kind}-${createHash(kind).update(of).digest('base64')}`;
  const url = digest('sha512').replaceAll('+', '-').replaceAll('/', '_');
  test.each<[string, string]>([
    ['the digest', digest('sha256')],
    ['that of another body', digest('sha256', 'other')],
    ['several, one of which is right', `${digest('sha384', 'other')}  ${digest('sha384')}\n`],
    ['a right one, and a stronger wrong one', `${digest('sha256')} ${digest('sha512', 'other')}`],
    ['a wrong one, and a stronger right one', `${digest('sha256', 'other')} ${digest('sha512')}`],
    ['a digest in the letters of urls', url],
    ['a kind that nobody knows', 'md5-x'],
    ['no digest at all', 'nonsense'],
    ['nothing', ''],
  ])('%s', async (_what, integrity) => {
    await expectSame(
      (f, to) => f(to, { integrity }),
      (_hit, res) => res.end(body),
    );
    await expectSame(
      (f, to) => f(new Request(to, { integrity })),
      (_hit, res) => res.end(body),
    );
  });

  test('of a body that comes in pieces, in a coding, or is none', async () => {
    const answers: Answer[] = [
      (_hit, res) => {
        res.write('tä');
        setImmediate(() => res.end('xt'));
      },
      (_hit, res) => res.setHeader('content-encoding', 'gzip').end(gzipSync(body)),
      (_hit, res) => res.writeHead(204).end(),
    ];
    for (const answer of answers) {
      const integrity = digest('sha256');
      const { end } = await expectSame(async (f, to) => {
        const response = await f(to, { integrity });
        return new Response(response.body, { status: response.status });
      }, answer);
      expect(end).toBeDefined();
    }
  });

  test('a digest with options, which say nothing yet', async () => {
    const api = await startApi((_hit, res) => res.end(body));
    const { fetch: ours } = startRequest();
    const integrity = `${digest('sha256')}?ct=text/plain`;
    expect(await (await ours(api.url, { integrity })).text()).toBe(body);
    await expect(ours(api.url, { integrity: integrity.replace('-', '-x') })).rejects.toThrow('fetch failed');
  });

  test('a body that is not the one is told as the cause', async () => {
    const api = await startApi((_hit, res) => res.end(body));
    await expect(startRequest().fetch(api.url, { integrity: digest('sha256', 'other') })).rejects.toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
      cause: { message: 'integrity mismatch' },
    });
  });
});

describe('a Response is read as fetch’s:', () => {
  type Read = (response: Response) => Promise<unknown>;
  const answers: Readonly<Record<string, Answer>> = {
    'that is there': (_hit, res) => res.setHeader('content-type', 'application/json').end('\uFEFF{"a":"ä"}'),
    'that comes in pieces': (_hit, res) => {
      res.setHeader('content-type', 'application/json').write('{"a":');
      setTimeout(() => res.end('"ä"}'), 20);
    },
    'that is no JSON': (_hit, res) => res.end(Buffer.from([0x7b, 0xff, 0xc3])),
    'that is a form': (_hit, res) => res.setHeader('content-type', 'application/x-www-form-urlencoded').end('a=1&b=2'),
    'that is empty': (_hit, res) => res.end(),
    'that is none': (_hit, res) => res.writeHead(204).end(),
  };
  const reads: Readonly<Record<string, Read>> = {
    text: (response) => response.text(),
    json: (response) => response.json(),
    bytes: async (response) => Buffer.from(await response.arrayBuffer()).toString('hex'),
    blob: async (response) => {
      const blob = await response.blob();
      return [blob.type, await blob.text()];
    },
    form: async (response) => [...(await response.formData())],
    body: async (response) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body ?? []) chunks.push(chunk as Uint8Array);
      return Buffer.concat(chunks).toString('hex');
    },
    'the body made a Response again': (response) => new Response(response.body, response).text(),
    'text of the one and a clone': async (response) => {
      const clone = response.clone();
      return [await response.text(), await clone.text(), clone.url === response.url, clone.status];
    },
    'text of a clone of a clone': (response) => response.clone().clone().text(),
    'text after the body was looked at': async (response) => [response.body?.locked, await response.text()],
    'text twice': async (response) => [await response.text(), await response.text()],
    'bytes after text': async (response) => [await response.text(), await response.arrayBuffer()],
    'a clone after text': async (response) => [await response.text(), await response.clone().text()],
    'text of a body that somebody reads': async (response) => {
      response.body?.getReader();
      return response.text();
    },
    'text by the platform’s own method': (response) => Response.prototype.text.call(response),
    'JSON by the platform’s own method': (response) => Response.prototype.json.call(response),
    'blob by the platform’s own method': async (response) => (await Response.prototype.blob.call(response)).text(),
    'text of both of a clone by the platform’s own method': async (response) => {
      const clone = Response.prototype.clone.call(response);
      return [await clone.text(), await response.text(), response.bodyUsed];
    },
    'what the platform’s own method leaves': async (response) => {
      await Response.prototype.text.call(response);
      return [response.bodyUsed, response.body?.locked, await response.text()];
    },
    'the platform’s own method after text': async (response) => {
      await response.text();
      return Response.prototype.text.call(response);
    },
    'the platform’s own method after the body was looked at': async (response) => {
      const isLocked = response.body?.locked;
      return [isLocked, await Response.prototype.text.call(response)];
    },
    'a wrapper around it': async (response) => {
      const wrapper = new Proxy(response, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
      return [wrapper.status, wrapper.headers.get('content-type'), await wrapper.text()];
    },
    'what is used': async (response) => {
      const before = response.bodyUsed;
      const reading = response.text();
      const during = response.bodyUsed;
      await reading;
      return [before, during, response.bodyUsed, response.body?.locked];
    },
  };

  const outcome = async (read: Read, response: Response): Promise<unknown> =>
    read(response).catch((error: unknown) => [(error as Error).name, (error as Error).message]);

  test.each(Object.entries(answers))('a body %s', async (_what, answer) => {
    const api = await startApi(answer);
    const { fetch: ours } = startRequest();
    for (const [how, read] of Object.entries(reads)) {
      const expected = await outcome(read, await fetch(api.url));
      expect([how, await outcome(read, await ours(api.url))]).toEqual([how, expected]);
    }
  });

  test('its bytes are the reader’s own', async () => {
    const api = await startApi((_hit, res) => res.end('mine'));
    const { fetch: ours } = startRequest({ cache: true });
    const bytes = new Uint8Array(await (await ours(api.url)).arrayBuffer());
    expect(bytes.buffer.byteLength).toBe(4);
    bytes.fill(0);
    await expect.poll(async () => (await ours(api.url)).text()).toBe('mine');
  });
});

describe('ends as fetch ends:', () => {
  const hang: Answer = () => {};

  test.each<[string, unknown]>([
    ['without a reason', undefined],
    ['with an error', new RangeError('mine')],
    ['with a word', 'mine'],
  ])('an abort %s', async (_what, reason) => {
    const api = await startApi(hang);
    for (const f of [fetch, startRequest().fetch]) {
      const hits = api.hits.length;
      const controller = new AbortController();
      const ended = f(api.url, { signal: controller.signal }).catch((error: unknown) => error);
      await expect.poll(() => api.hits.length).toBe(hits + 1);
      controller.abort(reason);
      expect(await ended).toBe(controller.signal.reason);
    }
  });

  test('an abort before it began, and by a Request’s own signal', async () => {
    const { fetch: ours } = startRequest();
    const signal = AbortSignal.abort('early');
    await expect(ours('http://127.0.0.1:9/', { signal })).rejects.toBe('early');
    await expect(ours(new Request('http://127.0.0.1:9/', { signal }))).rejects.toBe('early');
  });

  test('an abort by a Request’s own signal while it waits', async () => {
    const api = await startApi(hang);
    for (const f of [fetch, startRequest().fetch]) {
      const hits = api.hits.length;
      const controller = new AbortController();
      const ended = f(new Request(api.url, { signal: controller.signal })).catch((error: unknown) => error);
      await expect.poll(() => api.hits.length).toBe(hits + 1);
      controller.abort('enough');
      expect(await ended).toBe('enough');
    }
  });

  test('an abort while a stream goes up, which is told so, unlike by the platform’s', async () => {
    await using server = await startRaw(() => {});
    const controller = new AbortController();
    let wasCancelled = false;
    const body = new ReadableStream({
      start: (stream) => stream.enqueue(new Uint8Array(1000)),
      cancel: () => void (wasCancelled = true),
    });
    const words = post(body, { duplex: 'half', signal: controller.signal });
    const ended = startRequest()
      .fetch(`http://127.0.0.1:${server.port}/`, words)
      .catch((error: unknown) => error);
    await expect.poll(() => server.connections).toBe(1);
    controller.abort('enough');
    expect(await ended).toBe('enough');
    await expect.poll(() => [wasCancelled, server.openConnections]).toEqual([true, 0]);
  });

  test('an abort while the body is read', async () => {
    const api = await startApi((_hit, res) => void res.write('first'));
    for (const f of [fetch, startRequest().fetch]) {
      const controller = new AbortController();
      const response = await f(api.url, { signal: controller.signal });
      const reading = response.text().catch((error: unknown) => error);
      controller.abort('enough');
      expect(await reading).toBe('enough');
    }
  });

  test('AbortSignal.timeout', async () => {
    const api = await startApi(hang);
    await expect(startRequest().fetch(api.url, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  test('a port where nobody listens: a TypeError whose cause tells', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/`;
    for (const f of [fetch, startRequest().fetch]) {
      const error: unknown = await f(url).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ message: 'fetch failed', cause: { code: 'ECONNREFUSED' } });
    }
  });

  test('a body cut short: a TypeError on reading', async () => {
    const api = await startApi((_hit, res) => {
      res.write('first');
      setImmediate(() => res.destroy());
    });
    for (const f of [fetch, startRequest().fetch]) {
      const response = await f(api.url);
      await expect(response.text()).rejects.toBeInstanceOf(TypeError);
    }
  });

  test('the Request’s timeout, an empty pool, and what is refused: a TypeError with the cause', async () => {
    const api = await startApi((hit, res) => (hit.path === '/hang' ? undefined : res.end('x')));
    await expect(startRequest({ timeout: 50 }).fetch(`${api.url}/hang`)).rejects.toMatchObject({
      name: 'TypeError',
      cause: { code: 'ETIMEDOUT', message: 'timeout of 50ms exceeded' },
    });
    const { fetch: ours } = startRequest({
      secrets: {
        key_based: {
          api: { keys: ['the-secret-key'], limit: 1, refresh_rate: 60, apply: { headers: { k: '{key}' } } },
        },
      },
    });
    await ours(api.url);
    await expect(ours(api.url)).rejects.toMatchObject({
      name: 'TypeError',
      cause: { code: 'ERR_POOL_EXHAUSTED' },
    });
    await expect(ours(api.url, { dispatcher: {} } as Words)).rejects.toMatchObject({ cause: { code: 'ERR_CONFIG' } });
    await expect(ours(api.url, { cost: -1 } as Words)).rejects.toMatchObject({ cause: { code: 'ERR_CONFIG' } });
  });

  test('the timeout of one call, over the Request’s', async () => {
    const api = await startApi((hit, res) => (hit.path === '/hang' ? undefined : res.end('x')));
    const { fetch: ours } = startRequest({ timeout: 600_000 });
    await expect(ours(`${api.url}/hang`, { timeout: 50 })).rejects.toMatchObject({
      name: 'TypeError',
      cause: { code: 'ETIMEDOUT', message: 'timeout of 50ms exceeded' },
    });
    const none = await startRequest({ timeout: 1 }).fetch(api.url, { timeout: 0 });
    expect(await none.text()).toBe('x');
  });

  test('a mistake of the caller says that it was fetch, before anything is sent', async () => {
    const api = await startApi((_hit, res) => res.end('x'));
    const { fetch: ours } = startRequest({ secrets: { key_based: { api: { keys: ['the-secret-key'] } } } });
    const message = async (call: Promise<unknown>): Promise<unknown> => call.catch((error: Error) => error.message);
    expect(await message(ours(api.url))).toMatch(/^fetch on endpoint "api": nothing says where the key goes/);
    expect(await message(ours('/items'))).toMatch(/^fetch: url: expected an absolute/);
    expect(await message(ours(api.url, { cahce: false } as Words))).toBe(
      'fetch: cahce: unknown field, did you mean cache?',
    );
    expect(api.hits).toHaveLength(0);
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
