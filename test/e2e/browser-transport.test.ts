import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { ClosedError, ConfigError, ProxyManager, TransportFault } from 'proxy-manager';
import type { ProxyCredential, Transport, WireObservation, WireOptions, WireRequest } from 'proxy-manager';
import { expect, it, onTestFinished, vi } from 'vitest';
import { impitTransport, type ImpitTransportOptions } from '../../examples/impit/transport.js';
import { listen, startApi } from './support/api.js';
import { tempDir } from './support/workspace.js';

type Parts = Partial<Omit<WireRequest, 'options' | 'url'>> & { readonly options?: Partial<WireOptions> };

function wire(url: string, parts: Parts = {}): WireRequest {
  return {
    method: 'GET',
    url: new URL(url),
    headers: [],
    body: undefined,
    proxy: undefined,
    signal: new AbortController().signal,
    onRedirect: async ({ from, to }) => ({ ...from, url: to }),
    ...parts,
    options: {
      body: 'buffer',
      decompress: true,
      maxRedirects: 0,
      maxResponseBytes: 1_000_000,
      maxRequestBytes: Number.POSITIVE_INFINITY,
      ...parts.options,
    },
  };
}

function observe(): WireObservation {
  const unknown = { connectMs: undefined, ttfbMs: undefined, downloadMs: undefined };
  return { sent: false, redirects: 0, bytesSent: 0, bytesReceived: 0, ...unknown };
}

function chrome(options: Partial<ImpitTransportOptions> = {}): Transport {
  const transport = impitTransport({ browser: 'chrome151', ...options });
  onTestFinished(() => transport.close());
  return transport;
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.unreachable('it resolved'),
    (error: unknown) => error,
  );
}

/** What was told of a failed exchange. */
async function faulted(request: WireRequest): Promise<{ code: string; phase: string; sent: boolean; text: string }> {
  const observation = observe();
  const error = await failure(chrome().send(request, observation));
  if (!(error instanceof TransportFault)) throw new Error('expected a TransportFault', { cause: error });
  expect(error.sent).toBe(observation.sent);
  expect(error.cause).toBeUndefined();
  return { code: error.code, phase: error.phase, sent: error.sent, text: error.message };
}

function proxyAt(port: number, protocol: ProxyCredential['protocol'] = 'http', login?: string): ProxyCredential {
  const userinfo = login === undefined ? undefined : { id: 'p1', reveal: () => login };
  return {
    id: 'p1',
    windows: [],
    protocol,
    hostname: '127.0.0.1',
    port,
    userinfo: userinfo as unknown as ProxyCredential['userinfo'],
  };
}

async function tcp(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: TcpServer = createTcpServer((socket) => {
    sockets.add(socket);
    onConnection(socket.on('error', () => {}));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const freePort = 1;

/** A promise, and what resolves it. */
function awaited<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let settle: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => (settle = resolve));
  return { promise, resolve: settle };
}

it('sends the fields of the browser behind those of the caller, and nothing that gives another client away', async () => {
  const api = await startApi();
  const request = wire(`${api.url}/a`, {
    method: 'POST',
    headers: [
      ['Accept', 'application/json, text/plain, */*'],
      ['Accept-Encoding', 'gzip'],
      ['X-Key', 'k'],
      ['X-Tag', '1'],
      ['X-Tag', '2'],
    ],
    body: 'hello',
  });
  const observation = observe();
  const reply = await chrome().send(request, observation);
  expect(reply).toMatchObject({ status: 200, statusText: 'OK', url: request.url });
  expect(Buffer.from(reply.body as Uint8Array).toString()).toBe('{"path":"/a"}');
  expect(reply.headers).toContainEqual(['content-type', 'application/json']);
  expect(observation).toMatchObject({ sent: true, bytesSent: 5, ttfbMs: expect.any(Number) });
  expect(observation.downloadMs).toBeTypeOf('number');

  const [hit] = api.hits;
  expect(hit?.body).toBe('hello');
  expect(hit?.headers).toMatchObject({ 'x-key': 'k', 'x-tag': '1, 2', 'accept-encoding': 'gzip, deflate, br, zstd' });
  expect(hit?.headers['accept']).toMatch(/^text\/html/);
  expect(hit?.headers['user-agent']).toMatch(/Chrome\/151/);
  expect(hit?.headers['sec-ch-ua']).toMatch(/"151"/);
  expect(hit?.headers['content-type']).toBeUndefined();
  const fields = Object.keys(hit?.headers ?? {});
  expect(fields.indexOf('sec-ch-ua')).toBeLessThan(fields.indexOf('user-agent'));
});

it('greets TLS as Chrome does', async () => {
  const { promise: hello, resolve } = awaited<Buffer>();
  const port = await tcp((socket) => {
    socket.once('data', (chunk) => {
      resolve(chunk);
      socket.destroy();
    });
  });
  expect(await faulted(wire(`https://localhost:${port}/`))).toMatchObject({ code: 'ECONNRESET', sent: false });
  const bytes = await hello;
  // record 5, handshake 4, version 2, random 32, session id 1 + n, length of the suites 2, then the first suite
  const suites = 5 + 4 + 2 + 32 + 1 + (bytes[43] ?? 0) + 2;
  const first = bytes.readUInt16BE(suites);
  // GREASE (RFC 8701): Chrome puts a value that means nothing first, Node none.
  expect((first & 0x0f0f).toString(16)).toBe('a0a');
});

it('takes the coding off the head of a body that impit decoded, and leaves it where there is no body', async () => {
  const api = await startApi(({ path }, res) => {
    res.setHeader('content-encoding', path === '/br' ? 'x-unknown' : 'gzip');
    if (path === '/304') res.statusCode = 304;
    res.end(path === '/304' ? '' : gzipSync('hello'));
  });
  const get = (path: string, method = 'GET'): Promise<readonly string[]> =>
    chrome()
      .send(wire(`${api.url}${path}`, { method }), observe())
      .then(({ headers }) => headers.map(([name]) => name));
  expect(await get('/')).not.toEqual(expect.arrayContaining(['content-encoding']));
  expect(await get('/')).not.toContain('content-length');
  expect(await get('/br')).toContain('content-encoding');
  expect(await get('/304')).toContain('content-encoding');
  expect(await get('/', 'HEAD')).toContain('content-encoding');
});

it('bounds both bodies', async () => {
  const api = await startApi(({ path }, res) => {
    if (path === '/bomb') res.setHeader('content-encoding', 'gzip');
    res.end(path === '/bomb' ? gzipSync(Buffer.alloc(50_000_000)) : 'ok');
  });
  expect(await faulted(wire(`${api.url}/bomb`))).toMatchObject({
    code: 'ERR_BAD_RESPONSE',
    phase: 'response',
    sent: true,
  });
  const streamed = await chrome().send(wire(`${api.url}/bomb`, { options: { body: 'stream' } }), observe());
  expect(await failure((streamed.body as Readable).toArray())).toMatchObject({ code: 'ERR_BAD_RESPONSE' });

  const tooMuch = { method: 'POST', options: { maxRequestBytes: 10 } };
  expect(await faulted(wire(api.url, { ...tooMuch, body: 'x'.repeat(11) }))).toMatchObject({
    code: 'ERR_BAD_REQUEST',
    sent: false,
  });
  const stream = Readable.from(['123456', '7890ab'], { objectMode: false });
  expect(await faulted(wire(`${api.url}/up`, { ...tooMuch, body: stream }))).toMatchObject({
    code: 'ERR_BAD_REQUEST',
    sent: true,
  });
  expect(stream.destroyed).toBe(true);
  expect(api.hits.map(({ path }) => path)).toEqual(['/bomb', '/bomb']);
});

it('streams both ways', async () => {
  const api = await startApi(({ body }, res) => res.end(body.toUpperCase()));
  const body = Readable.from(['one ', 'two'], { objectMode: false });
  const observation = observe();
  const reply = await chrome().send(wire(api.url, { method: 'PUT', body, options: { body: 'stream' } }), observation);
  expect(Buffer.concat(await (reply.body as Readable).toArray()).toString()).toBe('ONE TWO');
  expect(observation.bytesSent).toBe(7);

  const broken = new Readable({
    read() {
      this.destroy(new Error('the disk failed'));
    },
  });
  expect(await failure(chrome().send(wire(api.url, { method: 'PUT', body: broken }), observe()))).toMatchObject({
    message: 'the disk failed',
  });
});

it('says in the words of axios what failed, and whether anything was sent', async () => {
  const key = 'secret-key';
  const at = (port: number, parts?: Parts): Promise<Awaited<ReturnType<typeof faulted>>> =>
    faulted(wire(`http://127.0.0.1:${port}/?key=${key}`, parts));
  const answering = (text: string): Promise<number> => tcp((socket) => socket.once('data', () => socket.end(text)));
  const mute = await tcp(() => {});

  const faults = [
    await at(freePort),
    await faulted(wire(`http://nowhere.invalid/?key=${key}`)),
    await at(await tcp((socket) => socket.once('data', () => socket.destroy()))),
    await at(await tcp((socket) => socket.once('data', () => socket.resetAndDestroy()))),
    await at(await answering('rubbish rubbish\r\n\r\n')),
    await at(await answering('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort')),
    await at(mute, { options: { headersMs: 100 } }),
    await faulted(wire(`https://127.0.0.1:${await answering('HTTP/1.1 200 OK\r\n\r\n')}/?key=${key}`)),
  ];
  expect(faults.map(({ code, phase, sent }) => `${code} ${phase} ${sent}`)).toEqual([
    'ECONNREFUSED connect false',
    'ENOTFOUND connect false',
    'ECONNRESET request true',
    'ECONNRESET request true',
    'ERR_BAD_RESPONSE request true',
    'ECONNRESET response true',
    'ETIMEDOUT request true',
    'EPROTO connect false',
  ]);
  expect(faults.map(({ text }) => text).join()).not.toContain(key);
});

it('gives proxies their password, and tells whose fault it is', async () => {
  const seen: string[] = [];
  const answer = { status: 200 };
  const server = createServer((req, res) => {
    seen.push(`${req.method} ${req.url} ${req.headers['proxy-authorization']}`);
    res.writeHead(answer.status).end('from the proxy');
  });
  server.on('connect', (req, socket) => {
    seen.push(`${req.method} ${req.url} ${req.headers['proxy-authorization']}`);
    socket.end(`HTTP/1.1 ${answer.status} No\r\n\r\n`);
  });
  const port = await listen(server);
  const login = 'us er:p@ss:/#';
  const basic = `Basic ${Buffer.from(login).toString('base64')}`;
  const proxy = proxyAt(port, 'http', login);

  const reply = await chrome().send(wire('http://api.invalid/a', { proxy }), observe());
  expect(Buffer.from(reply.body as Uint8Array).toString()).toBe('from the proxy');
  answer.status = 407;
  const plain = await faulted(wire('http://api.invalid/b', { proxy }));
  const tunnel = await faulted(wire('https://api.invalid/', { proxy }));
  answer.status = 502;
  const noWay = await faulted(wire('https://api.invalid/', { proxy }));
  const dead = await faulted(wire('http://api.invalid/', { proxy: proxyAt(freePort) }));
  const noSocks = await faulted(wire('http://api.invalid/', { proxy: proxyAt(port, 'socks5') }));
  const faults = [plain, tunnel, noWay, dead, noSocks];
  expect(faults.map(({ code, phase, sent }) => `${code} ${phase} ${sent}`)).toEqual([
    'ERR_PROXY_AUTH_REQUESTED proxy false',
    'ERR_PROXY_AUTH_REQUESTED proxy false',
    'ERR_PROXY_TUNNEL tunnel false',
    'ECONNREFUSED proxy false',
    'ERR_PROXY_TUNNEL tunnel false',
  ]);
  expect(seen.slice(0, 3)).toEqual([
    `GET http://api.invalid/a ${basic}`,
    `GET http://api.invalid/b ${basic}`,
    `CONNECT api.invalid:443 ${basic}`,
  ]);
  for (const { text } of faults) expect(text).not.toMatch(/p@ss|127\.0\.0\.1/);
});

it('lets a SOCKS proxy look the name up', async () => {
  const asked: string[] = [];
  const port = await tcp((socket) => {
    socket.once('data', () => {
      socket.write(Uint8Array.of(5, 0));
      socket.once('data', (request) => {
        asked.push(request.subarray(5, 5 + (request[4] ?? 0)).toString());
        socket.end(Uint8Array.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0));
      });
    });
  });
  expect(await faulted(wire('http://api.invalid/', { proxy: proxyAt(port, 'socks5') }))).toMatchObject({
    code: 'ERR_PROXY_TUNNEL',
    phase: 'tunnel',
  });
  expect(asked).toEqual(['api.invalid']);
});

it('follows redirects only as it is let', async () => {
  const api = await startApi(({ path }, res) => {
    if (path.startsWith('/go')) res.writeHead(302, { location: path === '/go' ? '/there' : '/go/on' });
    res.end('here');
  });
  const observation = observe();
  const followed = wire(`${api.url}/go`, { method: 'POST', body: 'x', options: { maxRedirects: 3 } });
  const reply = await chrome().send(followed, observation);
  expect(reply.url.pathname).toBe('/there');
  expect(observation.redirects).toBe(1);
  expect(api.hits.map(({ method, path, body }) => `${method} ${path} ${body}`)).toEqual(['POST /go x', 'GET /there ']);
  expect((await chrome().send(wire(`${api.url}/go`), observe())).status).toBe(302);
  expect(await faulted(wire(`${api.url}/go/on`, { options: { maxRedirects: 2 } }))).toMatchObject({
    code: 'ERR_FR_TOO_MANY_REDIRECTS',
  });
  const stopped = wire(`${api.url}/go`, {
    options: { maxRedirects: 1 },
    onRedirect: () => Promise.reject(new Error('not there')),
  });
  expect(await failure(chrome().send(stopped, observe()))).toMatchObject({ message: 'not there' });
});

it('ends with the reason of the signal, and hangs up on a body that nobody reads on', async () => {
  const { promise: hungUp, resolve } = awaited<void>();
  const { promise: asked, resolve: onAsked } = awaited<void>();
  const api = await startApi(({ path }, res) => {
    if (path === '/mute') return onAsked(undefined);
    res.on('close', resolve).write('first');
    return undefined;
  });
  const waiting = new AbortController();
  const mute = chrome().send(wire(`${api.url}/mute`, { signal: waiting.signal }), observe());
  await asked;
  waiting.abort('enough');
  expect(await failure(mute)).toBe('enough');

  const reading = new AbortController();
  const streamed = wire(`${api.url}/drip`, { signal: reading.signal, options: { body: 'stream' } });
  const { body } = await chrome().send(streamed, observe());
  // With all of it read that is there, impit waits for the next byte, and would hang up only then by itself.
  await once(body as Readable, 'readable');
  const read = failure((body as Readable).toArray());
  await new Promise(setImmediate);
  reading.abort(new Error('that is all'));
  expect(await read).toMatchObject({ message: 'that is all' });
  await hungUp;
});

it('ends what is under way when it is closed, and sends nothing any more', async () => {
  const { promise: asked, resolve: onAsked } = awaited<void>();
  const api = await startApi(() => onAsked());
  const transport = chrome();
  const waiting = failure(transport.send(wire(api.url), observe()));
  await asked;
  await transport.close();
  expect(await waiting).toBeInstanceOf(ClosedError);
  expect(await failure(transport.send(wire(api.url), observe()))).toBeInstanceOf(ClosedError);
  expect(api.hits).toHaveLength(1);
});

it('refuses what impit cannot do before anything is sent', async () => {
  const api = await startApi();
  const tls = { id: 't', ca: 'c', cert: undefined, key: undefined, passphrase: undefined };
  const refused: Parts[] = [
    { method: 'PROPFIND' },
    { body: 'x' },
    { tls },
    { options: { decompress: false } },
    { options: { axios: { socketPath: '/x' } } },
    { headers: [['x', 'a\r\nb: c']] },
  ];
  for (const parts of refused) {
    const observation = observe();
    expect(await failure(chrome().send(wire(api.url, parts), observation))).toBeInstanceOf(ConfigError);
    expect(observation.sent).toBe(false);
  }
  vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await failure(chrome().send(wire(api.url), observe()))).toMatchObject({
    message: expect.stringContaining('HTTPS_PROXY'),
  });
  expect(api.hits).toHaveLength(0);
});

it('counts a use through the pipeline only where something was sent', async () => {
  const api = await startApi();
  const transport = chrome();
  const manager = new ProxyManager({
    transport,
    dataDir: tempDir(),
    secrets: { key_based: { shop: { limit: 5, refresh_rate: 1, keys: ['shop-key-1'] } } },
    retry: { attempts: 1 },
  });
  onTestFinished(() => manager.close());
  const shop = manager.request('shop', { headers: { 'x-key': '{key}' }, userAgent: false });
  await expect(shop.send('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const res = await shop.fetch(`${api.url}/x`);
  expect(await res.json()).toEqual({ path: '/x' });
  expect(api.hits[0]?.headers['x-key']).toBe('shop-key-1');
  const [usage] = await manager.usage('shop');
  expect(usage?.windows[0]?.used).toBe(1);
});
