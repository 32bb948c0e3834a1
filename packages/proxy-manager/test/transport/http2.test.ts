import { once } from 'node:events';
import { constants, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import { Readable } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { Http2Connection } from '../../src/transport/http2-connection.js';
import { routeTo } from '../../src/transport/route.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { selfSigned } from '../servers/certificate.js';
import { startHttp2, type Http2Origin } from '../servers/http2-origin.js';
import { END_HEADERS, END_STREAM, field, frame, FRAME, startRawHttp2 } from '../servers/raw-http2.js';
import { listen } from '../servers/listen.js';
import { startProxy } from '../servers/proxy.js';
import { startSocks } from '../servers/socks.js';
import { faultOf, observe, proxyAt, textOf, wireRequest } from './wire.js';

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => unknown;

/** This machine may have a lot to do. */
const PATIENT = { timeout: 20_000 };

const certificate = selfSigned();
const transport = undiciTransport({ tls: { ca: certificate.cert } });
const cleanups: (() => Promise<void>)[] = [() => transport.close()];
const open = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const server = await starting;
  cleanups.unshift(() => server.close());
  return server;
};
afterEach(async () => {
  for (const close of cleanups.splice(0, cleanups.length - 1)) await close();
});

const start = (handler: Handler, settings = {}): Promise<Http2Origin> =>
  open(startHttp2(handler, certificate, settings));

const echo: Handler = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  response.setHeader('set-cookie', ['a=1', 'b=2']);
  response.end(
    JSON.stringify({
      version: request.httpVersion,
      method: request.method,
      path: request.url,
      authority: request.authority,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    }),
  );
};

const many = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

test('an origin that offers HTTP/2 is spoken to in it, by all on one connection', async () => {
  const origin = await start(echo);
  const replies = await many(20, (index) =>
    transport.send(
      wireRequest(`${origin.url}/items?n=${index}`, {
        method: 'POST',
        body: `body ${index}`,
        headers: [
          ['X-Mixed', 'yes'],
          ['connection', 'close'],
        ],
      }),
      observe(),
    ),
  );
  for (const [index, { body, headers, httpVersion, status }] of replies.entries()) {
    expect({ status, httpVersion }).toEqual({ status: 200, httpVersion: '2' });
    expect(headers).toContainEqual(['set-cookie', 'a=1']);
    expect(headers).toContainEqual(['set-cookie', 'b=2']);
    expect(headers.some(([name]) => name.startsWith(':'))).toBe(false);
    expect(JSON.parse(await textOf(body))).toMatchObject({
      version: '2.0',
      method: 'POST',
      path: `/items?n=${index}`,
      authority: `127.0.0.1:${origin.port}`,
      headers: { 'x-mixed': 'yes', 'content-length': String(`body ${index}`.length) },
      body: `body ${index}`,
    });
  }
  expect(origin.connections).toBe(1);
});

test.each<[string, Parameters<typeof wireRequest>[1]]>([
  ['a header', { headers: [['x-api-key', 'SECRET\r\nx: y']] }],
  ['a header with a zero', { headers: [['x-api-key', 'SECRET\0']] }],
  ['the name of a header', { headers: [['x-api-key: SECRET\r\nx', 'y']] }],
  ['the name of a field of the protocol', { headers: [[':path', '/SECRET']] }],
  ['the method', { method: 'GET /SECRET' }],
])('%s that cannot be is refused before it is sent, and not shown', async (_what, words) => {
  let requests = 0;
  const origin = await start((_request, response) => response.end(String((requests += 1))));
  const observation = observe();
  const error: unknown = await transport.send(wireRequest(origin.url, words), observation).catch((it: unknown) => it);
  expect(error).toMatchObject({
    code: 'ERR_CONFIG',
    message: expect.stringMatching(/invalid (?:header|request|x-api)/),
  });
  expect([observation.sent, requests]).toEqual([false, 0]);
  expect((await transport.send(wireRequest(origin.url), observe())).status).toBe(200);
  expect(origin.connections).toBe(1);
});

test('a Host of the caller’s is the authority that is asked', async () => {
  const origin = await start(echo);
  const { body } = await transport.send(wireRequest(origin.url, { headers: [['Host', 'virtual.example']] }), observe());
  expect(JSON.parse(await textOf(body))).toMatchObject({ authority: 'virtual.example' });
});

test('the first exchange tells of the connecting, and each of its own bytes', async () => {
  const origin = await start((_request, response) => response.end('12345'));
  const [first, second] = [observe(), observe()];
  await transport.send(wireRequest(origin.url, { method: 'PUT', body: 'abc' }), first);
  await transport.send(wireRequest(origin.url), second);
  expect(first).toMatchObject({ sent: true, bytesSent: 3, bytesReceived: 5 });
  expect(first.tlsMs).toBeGreaterThan(0);
  expect(second).toMatchObject({ connectMs: undefined, bytesSent: 0, bytesReceived: 5 });
});

test('streams go up and come down, decoded', async () => {
  const text = 'x'.repeat(300_000);
  const origin = await start(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipSync(Buffer.concat(chunks)));
  });
  const { body } = await transport.send(
    wireRequest(origin.url, {
      method: 'POST',
      body: Readable.from([text.slice(0, 100_000), text.slice(100_000)]),
      options: { body: 'stream' },
    }),
    observe(),
  );
  expect(await textOf(body)).toBe(text);
});

test('a hint before the reply is passed over, and HEAD ends with its head', async () => {
  const origin = await start((_request, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    response.setHeader('content-length', 10);
    response.end();
  });
  const reply = await transport.send(wireRequest(origin.url, { method: 'HEAD' }), observe());
  expect(reply.status).toBe(200);
  expect(reply.body).toHaveLength(0);
});

test('as many exchanges share a connection as the origin allows, the others open more', async () => {
  const waiting: Http2ServerResponse[] = [];
  const origin = await start(
    (request, response) => {
      if (request.url === '/') return response.end('ok');
      if (waiting.push(response) === 6) for (const each of waiting) each.end('ok');
      return undefined;
    },
    { maxConcurrentStreams: 2 },
  );
  const patient = undiciTransport({ tls: { ca: certificate.cert } });
  cleanups.unshift(() => patient.close());
  await patient.send(wireRequest(origin.url), observe());
  const replies = await many(6, () => patient.send(wireRequest(`${origin.url}/together`), observe()));
  expect(replies.map(({ status }) => status)).toEqual(Array(6).fill(200));
  expect(origin.connections).toBe(3);
});

test('an abort ends its own stream and no other', async () => {
  const resets: number[] = [];
  const arrived = new Map<string, Http2ServerResponse>();
  const origin = await start((request, response) => {
    if (request.url === '/') return response.end('ok');
    arrived.set(request.url, response);
    if (request.url !== '/slow') return undefined;
    return request.stream.once('close', () => {
      resets.push(request.stream.rstCode);
      arrived.get('/other')?.end('ok');
    });
  });
  await transport.send(wireRequest(origin.url), observe());
  const abort = new AbortController();
  const slow = transport.send(wireRequest(`${origin.url}/slow`, { signal: abort.signal }), observe());
  const other = transport.send(wireRequest(`${origin.url}/other`), observe());
  await expect.poll(() => arrived.size, PATIENT).toBe(2);
  abort.abort('enough');
  await expect(slow).rejects.toBe('enough');
  expect((await other).status).toBe(200);
  expect(resets).toEqual([constants.NGHTTP2_CANCEL]);
});

test('a stream that was refused unread counts as not sent', async () => {
  const origin = await start((request) => request.stream.close(constants.NGHTTP2_REFUSED_STREAM));
  const observation = observe();
  const fault = await faultOf(transport.send(wireRequest(origin.url), observation));
  expect(fault).toMatchObject({ code: 'ECONNRESET', sent: false });
  expect(observation.sent).toBe(false);
});

test.each([
  ['before its head', (request: Http2ServerRequest) => request.stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
  [
    'amid its body',
    (request: Http2ServerRequest, response: Http2ServerResponse) => {
      response.write('half');
      setTimeout(() => request.stream.close(constants.NGHTTP2_INTERNAL_ERROR), 20);
    },
  ],
  ['with its connection', (request: Http2ServerRequest) => request.stream.session?.destroy()],
  [
    'amid its body, with its connection',
    (request: Http2ServerRequest, response: Http2ServerResponse) => {
      response.write('half');
      setTimeout(() => request.stream.session?.destroy(), 20);
    },
  ],
  ['without a word', (request: Http2ServerRequest) => request.stream.close(constants.NGHTTP2_CANCEL)],
])('a reply that is cut off %s is a fault', async (_where, cut) => {
  const origin = await start(cut);
  const fault = await faultOf(transport.send(wireRequest(origin.url), observe()));
  expect(fault).toMatchObject({ code: 'ECONNRESET', sent: true });
});

test('silence is a fault, and the next exchange does not trust that connection', async () => {
  const origin = await start((request, response) => (request.url === '/' ? response.end('ok') : undefined));
  expect((await transport.send(wireRequest(origin.url), observe())).status).toBe(200);
  const fault = await faultOf(
    transport.send(wireRequest(`${origin.url}/silent`, { options: { headersMs: 200 } }), observe()),
  );
  expect(fault).toMatchObject({ code: 'ETIMEDOUT', sent: true });
  expect((await transport.send(wireRequest(origin.url), observe())).status).toBe(200);
  expect(origin.connections).toBe(2);
});

test('a body that stops arriving is a fault in the response', async () => {
  const impatient = undiciTransport({ tls: { ca: certificate.cert }, bodyMs: 200 });
  cleanups.unshift(() => impatient.close());
  const origin = await start((_request, response) => void response.write('half'));
  const fault = await faultOf(impatient.send(wireRequest(origin.url), observe()));
  expect(fault).toMatchObject({ code: 'ETIMEDOUT', phase: 'response', sent: true });
});

test('after a GOAWAY what is under way is finished, and what comes goes over a new connection', async () => {
  const sessions: ServerHttp2Session[] = [];
  const waiting: Http2ServerResponse[] = [];
  const origin = await start((_request, response) => {
    if (waiting.push(response) === 2) for (const each of waiting) each.end('ok');
  });
  origin.server.on('session', (session) => sessions.push(session));
  const early = transport.send(wireRequest(origin.url), observe());
  const [session] = (await once(origin.server, 'session')) as [ServerHttp2Session];
  await once(session, 'stream');
  session.goaway(constants.NGHTTP2_NO_ERROR);
  // Answered in the order of frames: the GOAWAY has been read by then.
  await new Promise<void>((resolve) => session.ping(() => resolve()));
  const late = transport.send(wireRequest(origin.url), observe());
  expect((await early).status).toBe(200);
  expect((await late).status).toBe(200);
  expect(sessions).toHaveLength(2);
});

test('a GOAWAY names the last one that was looked at: those behind it count as not sent', async () => {
  const ok = (stream: number): Buffer =>
    frame(FRAME.headers, END_HEADERS | END_STREAM, stream, field(':status', '204'));
  const server = await open(
    startRawHttp2(certificate, (socket, stream) => {
      if (stream === 1) socket.write(ok(1));
      // The second of two that are under way.
      if (stream === 5)
        socket.write(Buffer.concat([frame(FRAME.goaway, 0, 0, Buffer.of(0, 0, 0, 3, 0, 0, 0, 0)), ok(3)]));
    }),
  );
  const url = `https://127.0.0.1:${server.port}/`;
  await transport.send(wireRequest(url), observe());
  const [early, late] = [observe(), observe()];
  const answered = transport.send(wireRequest(url, { method: 'POST', body: 'a' }), early);
  const refused = faultOf(transport.send(wireRequest(url, { method: 'POST', body: 'b' }), late));
  expect([(await answered).status, early.sent]).toEqual([204, true]);
  expect(await refused).toMatchObject({ code: 'ECONNRESET', sent: false });
  expect(late.sent).toBe(false);
});

test('a GOAWAY that tells an error fails what is under way, each by itself', async () => {
  const origin = await start((request) => {
    if (request.url === '/9') request.stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
  const faults = await many(10, (index) => faultOf(transport.send(wireRequest(`${origin.url}/${index}`), observe())));
  expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(['ECONNRESET']));
});

test.each([
  ['an http proxy', async () => open(startProxy())],
  ['an https proxy', async () => open(startProxy({ certificate }))],
  ['a SOCKS proxy', async () => open(startSocks())],
])('HTTP/2 is spoken through %s as well, by all in one tunnel', async (_kind, startOne) => {
  const [origin, proxy] = [await start(echo), await startOne()];
  const replies = await many(5, () =>
    transport.send(wireRequest(origin.url, { proxy: proxyAt(proxy.url) }), observe()),
  );
  expect(replies.map(({ httpVersion }) => httpVersion)).toEqual(Array(5).fill('2'));
  expect(origin.connections).toBe(1);
});

test('closing ends what is under way', async () => {
  const closing = undiciTransport({ tls: { ca: certificate.cert } });
  const origin = await start(() => {});
  const sending = faultOf(closing.send(wireRequest(origin.url), observe()));
  await once(origin.server, 'request');
  await closing.close();
  expect((await sending).code).toBe('ECONNRESET');
});

test('what is sent at once after a connection broke goes over a new one', async () => {
  let connections = 0;
  const server = await open(
    startRawHttp2(certificate, (socket, stream) => {
      connections += 1;
      const isFirst = connections === 1;
      // An update by nothing is an error of the whole connection.
      if (isFirst) socket.write(frame(FRAME.windowUpdate, 0, 0, Buffer.alloc(4)));
      else socket.write(frame(FRAME.headers, END_HEADERS | END_STREAM, stream, field(':status', '204')));
    }),
  );
  const url = `https://127.0.0.1:${server.port}/`;
  const again = transport.send(wireRequest(url), observe()).catch(() => transport.send(wireRequest(url), observe()));
  expect((await again).status).toBe(204);
});

test('an abort between the handshake and the wait for the settings of the other side ends that wait', async () => {
  const silent = await open(
    listen(createTlsServer({ ...certificate, ALPNProtocols: ['h2'] }, (peer) => peer.resume())),
  );
  const { port } = silent;
  const socket = connectTls({ host: '127.0.0.1', port, ca: certificate.cert, ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  const route = routeTo(new URL(`https://127.0.0.1:${port}`), undefined);
  const limits = { headersMs: 600_000, bodyMs: 600_000 };
  const connection = new Http2Connection(route, { socket, times: { connectMs: 1 } }, limits, () => {});
  await expect(connection.ready(600_000, AbortSignal.abort())).rejects.toThrow('closed without telling its settings');
  await expect.poll(() => silent.openConnections).toBe(0);
});
