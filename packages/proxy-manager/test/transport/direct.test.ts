import { Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { undiciTransport } from '../../src/transport/undici.js';
import { selfSigned } from '../servers/certificate.js';
import { closedPort, startFaulty, startRaw } from '../servers/faulty.js';
import { bodyOf, startOrigin } from '../servers/origin.js';
import { faultOf, observe, textOf, wireRequest } from './wire.js';

const certificate = selfSigned();
const transport = undiciTransport({ tls: { ca: certificate.cert }, connectMs: 500, headersMs: 100, bodyMs: 100 });
const cleanups: (() => Promise<void>)[] = [() => transport.close()];
const open = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const server = await starting;
  cleanups.unshift(() => server.close());
  return server;
};
afterEach(async () => {
  for (const close of cleanups.splice(0, cleanups.length - 1)) await close();
});

const echo = () =>
  startOrigin(async (request, response) => {
    const body = await bodyOf(request);
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.setHeader('X-Mixed-Case', 'yes');
    response.end(
      JSON.stringify({ method: request.method, url: request.url, headers: request.rawHeaders, body: body.toString() }),
    );
  });

test('a reply comes back whole: status, headers in order with repeats, body, url, and what was observed', async () => {
  const origin = await open(echo());
  const observation = observe();
  const request = wireRequest(`${origin.url}/items?page=1`, {
    headers: [
      ['X-Api-Key', 'k'],
      ['accept', 'a'],
      ['accept', 'b'],
    ],
  });
  const reply = await transport.send(request, observation);

  expect(reply).toMatchObject({ status: 200, statusText: 'OK', httpVersion: '1.1' });
  expect(reply.url.href).toBe(`${origin.url}/items?page=1`);
  expect(reply.headers.slice(0, 3)).toEqual([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['x-mixed-case', 'yes'],
  ]);
  expect(JSON.parse(await textOf(reply.body))).toEqual({
    method: 'GET',
    url: '/items?page=1',
    headers: [
      'host',
      `127.0.0.1:${origin.port}`,
      'connection',
      'keep-alive',
      'X-Api-Key',
      'k',
      'accept',
      'a',
      'accept',
      'b',
    ],
    body: '',
  });
  expect(observation).toMatchObject({ sent: true, redirects: 0 });
  expect(observation.connectMs).toBeGreaterThan(0);
  expect(observation.ttfbMs).toBeGreaterThan(0);
  expect(observation.downloadMs).toBeGreaterThanOrEqual(0);
  expect(observation.bytesSent).toBeGreaterThan(80);
  expect(observation.bytesReceived).toBeGreaterThan(200);
});

test('the parts of connecting are told where they happened: looking up a name, and TLS', async () => {
  const [plain, secure] = [await open(echo()), await open(startOrigin((_, response) => response.end(), certificate))];
  const [byAddress, byName] = [observe(), observe()];
  await transport.send(wireRequest(plain.url), byAddress);
  await transport.send(wireRequest(`https://localhost:${secure.port}`), byName);
  expect([byAddress.dnsMs, byAddress.tlsMs]).toStrictEqual([undefined, undefined]);
  expect(byName.dnsMs).toBeGreaterThan(0);
  expect(byName.tlsMs).toBeGreaterThan(0);
  expect(byName.connectMs).toBeGreaterThan(Number(byName.tlsMs));
});

test('connections are kept alive: the second exchange has no time of connecting, and counts its own bytes', async () => {
  const origin = await open(echo());
  const [first, second] = [observe(), observe()];
  await transport.send(wireRequest(origin.url), first);
  await transport.send(wireRequest(origin.url), second);
  expect(origin.connections).toBe(1);
  expect(second.connectMs).toBeUndefined();
  expect(second.bytesSent).toBe(first.bytesSent);
});

test.each([
  ['text', () => 'grüße'],
  ['bytes', () => Buffer.from('grüße')],
  ['a stream', () => Readable.from([Buffer.from('grü'), Buffer.from('ße')])],
])('a body of %s arrives', async (_kind, body) => {
  const origin = await open(echo());
  const reply = await transport.send(wireRequest(origin.url, { method: 'POST', body: body() }), observe());
  expect(JSON.parse(await textOf(reply.body))).toMatchObject({ method: 'POST', body: 'grüße' });
});

test('every status resolves', async () => {
  const origin = await open(startOrigin((_request, response) => response.writeHead(503).end('later')));
  const reply = await transport.send(wireRequest(origin.url), observe());
  expect(reply.status).toBe(503);
  expect(await textOf(reply.body)).toBe('later');
});

test('hints that come ahead of the reply are passed over', async () => {
  const origin = await open(
    startOrigin((_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.end('reply');
    }),
  );
  const reply = await transport.send(wireRequest(origin.url), observe());
  expect(reply.status).toBe(200);
  expect(await textOf(reply.body)).toBe('reply');
});

test.each([
  ['HEAD', 200],
  ['GET', 204],
  ['GET', 304],
])('%s with %i has no body, and keeps its headers', async (method, status) => {
  const origin = await open(
    startOrigin((_request, response) => response.writeHead(status, { 'content-encoding': 'gzip' }).end()),
  );
  const reply = await transport.send(wireRequest(origin.url, { method }), observe());
  expect(reply.status).toBe(status);
  expect(reply.headers).toContainEqual(['content-encoding', 'gzip']);
  expect(reply.body).toHaveLength(0);
});

test('a body that comes with the reply to a HEAD is no part of it, nor of the next reply', async () => {
  const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody';
  const origin = await open(startRaw((socket) => socket.write(answer)));
  const url = `http://127.0.0.1:${origin.port}`;
  const head = await transport.send(wireRequest(url, { method: 'HEAD' }), observe());
  expect([head.status, await textOf(head.body)]).toEqual([200, '']);
  const next = await transport.send(wireRequest(url), observe());
  expect(await textOf(next.body)).toBe('body');
});

test('the proxies of the environment are not looked at: the pool says which', async () => {
  const nobody = `http://127.0.0.1:${await closedPort()}`;
  const names = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
  for (const name of names) process.env[name] = nobody;
  try {
    for (const secure of [undefined, certificate]) {
      const origin = await open(startOrigin((_request, response) => response.end('direct'), secure));
      const { body } = await transport.send(wireRequest(origin.url), observe());
      expect(await textOf(body)).toBe('direct');
    }
  } finally {
    for (const name of names) delete process.env[name];
  }
});

test('TLS is spoken with an origin that we trust, and resumed', async () => {
  const origin = await open(
    startOrigin(
      (request, response) =>
        response.end(
          String(
            'isSessionReused' in request.socket && (request.socket as import('node:tls').TLSSocket).isSessionReused(),
          ),
        ),
      certificate,
    ),
  );
  const close = { headers: [['connection', 'close']] as const };
  const first = await transport.send(wireRequest(origin.url, close), observe());
  const second = await transport.send(wireRequest(origin.url, close), observe());
  expect([await textOf(first.body), await textOf(second.body)]).toEqual(['false', 'true']);
});

test.each([
  ['expired', selfSigned({ notAfter: new Date(Date.now() - 1000) }), 'CERT_HAS_EXPIRED'],
  ['of another name', selfSigned({ names: ['other.example'] }), 'ERR_TLS_CERT_ALTNAME_INVALID'],
])('a certificate that is %s is refused before anything is sent', async (_kind, bad, code) => {
  const trusting = undiciTransport({ tls: { ca: bad.cert } });
  cleanups.unshift(() => trusting.close());
  const origin = await open(startOrigin((_request, response) => response.end(), bad));
  const observation = observe();
  const fault = await faultOf(trusting.send(wireRequest(`${origin.url}/?appid=SECRET`), observation));
  expect(fault).toMatchObject({ code, phase: 'connect', sent: false });
  expect(fault.message).toContain(origin.url);
  expect(fault.message).not.toContain('SECRET');
  expect(observation.sent).toBe(false);
  expect(origin.requests).toBe(0);
});

test('a certificate that nobody vouches for is refused', async () => {
  const origin = await open(startOrigin((_request, response) => response.end(), selfSigned()));
  const fault = await faultOf(transport.send(wireRequest(origin.url), observe()));
  expect(fault).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', phase: 'connect', sent: false });
});

test('a closed port is ECONNREFUSED, an unknown name ENOTFOUND: nothing was sent', async () => {
  const url = `http://127.0.0.1:${await closedPort()}`;
  const refused = await faultOf(transport.send(wireRequest(`${url}/x?appid=SECRET`), observe()));
  expect(refused).toMatchObject({ code: 'ECONNREFUSED', phase: 'connect', sent: false });
  expect(refused.message).toBe(`${url} refused the connection (ECONNREFUSED)`);
  const unknown = await faultOf(transport.send(wireRequest('http://nobody.invalid'), observe()));
  expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(unknown.code);
  expect(unknown).toMatchObject({ phase: 'connect', sent: false });
});

test('an origin that says nothing in the TLS handshake is ETIMEDOUT', async () => {
  const origin = await open(startFaulty('hang'));
  const fault = await faultOf(transport.send(wireRequest(`https://127.0.0.1:${origin.port}`), observe()));
  expect(fault).toMatchObject({ code: 'ETIMEDOUT', phase: 'connect', sent: false });
  expect(origin.connections).toBe(1);
});

test.each([
  ['reset', 'ECONNRESET'],
  ['close', 'ECONNRESET'],
  ['hang', 'ETIMEDOUT'],
  ['garbage', 'ERR_BAD_RESPONSE'],
] as const)('an origin that answers a request by %s is %s, and the request was sent', async (how, code) => {
  const origin = await open(startFaulty(how));
  const observation = observe();
  const fault = await faultOf(
    transport.send(wireRequest(`http://127.0.0.1:${origin.port}/?appid=SECRET`), observation),
  );
  expect(fault).toMatchObject({ code, phase: 'request', sent: true });
  expect(fault.message).toContain(`GET http://127.0.0.1:${origin.port} `);
  expect(fault.message).not.toContain('SECRET');
  expect(observation.sent).toBe(true);
  expect(origin.connections).toBe(1);
});

test.each([
  ['by length', 'content-length: 100\r\n\r\nhalf'],
  ['by length, not kept alive', 'content-length: 100\r\nconnection: close\r\n\r\nhalf'],
  ['chunked', 'transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ['chunked, not kept alive', 'transfer-encoding: chunked\r\nconnection: close\r\n\r\n4\r\nhalf\r\n'],
])('a body cut short (%s) is ECONNRESET in the response', async (_kind, rest) => {
  const origin = await open(startRaw((socket) => socket.end(`HTTP/1.1 200 OK\r\n${rest}`)));
  const fault = await faultOf(transport.send(wireRequest(`http://127.0.0.1:${origin.port}`), observe()));
  expect(fault).toMatchObject({ code: 'ECONNRESET', phase: 'response', sent: true });
});

test('a body that stops arriving is ETIMEDOUT in the response', async () => {
  const origin = await open(startRaw((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')));
  const fault = await faultOf(transport.send(wireRequest(`http://127.0.0.1:${origin.port}`), observe()));
  expect(fault).toMatchObject({ code: 'ETIMEDOUT', phase: 'response', sent: true });
});

test.each([
  ['head', ''],
  ['body', 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n'],
])('a %s that comes byte by byte is ETIMEDOUT in the end', async (_part, before) => {
  const origin = await open(
    startRaw((socket) => {
      socket.write(before === '' ? 'HTTP/1.1 200 OK\r\nx: ' : before);
      const trickle = setInterval(() => socket.write('y'), 20);
      socket.on('error', () => {}).on('close', () => clearInterval(trickle));
    }),
  );
  const fault = await faultOf(transport.send(wireRequest(`http://127.0.0.1:${origin.port}`), observe()));
  expect(fault).toMatchObject({ code: 'ETIMEDOUT', sent: true });
});

test('a body in crumbs comes whole', async () => {
  const crumbs = 100_000;
  const origin = await open(
    startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n');
      socket.end(`${'1\r\ny\r\n'.repeat(crumbs)}0\r\n\r\n`);
    }),
  );
  const { body } = await transport.send(wireRequest(`http://127.0.0.1:${origin.port}`), observe());
  expect(await textOf(body)).toBe('y'.repeat(crumbs));
});

test('100 MB of headers end at the first that do not fit', async () => {
  let written = 0;
  const origin = await open(
    startRaw((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\n');
      const line = `x: ${'y'.repeat(1_000)}\r\n`.repeat(100);
      const more = (): void => {
        while (written < 100e6 && !socket.destroyed) {
          written += line.length;
          if (!socket.write(line)) return void socket.once('drain', more);
        }
      };
      more();
    }),
  );
  const fault = await faultOf(transport.send(wireRequest(`http://127.0.0.1:${origin.port}`), observe()));
  expect(fault.code).toBe('HPE_HEADER_OVERFLOW');
  expect(written).toBeLessThan(10e6);
});

test('more headers than fit are HPE_HEADER_OVERFLOW', async () => {
  const origin = await open(startRaw((socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)));
  const fault = await faultOf(transport.send(wireRequest(`http://127.0.0.1:${origin.port}`), observe()));
  expect(fault.code).toBe('HPE_HEADER_OVERFLOW');
});

test('a header that would break out of its line is refused before a connection is made, and not shown', async () => {
  const origin = await open(echo());
  const observation = observe();
  const sending = transport.send(wireRequest(origin.url, { headers: [['x-api-key', 'SECRET\r\nx: y']] }), observation);
  await expect(sending).rejects.toMatchObject({ code: 'ERR_CONFIG', message: expect.not.stringContaining('SECRET') });
  expect(observation.sent).toBe(false);
  expect(origin.connections).toBe(0);
});

test('a request body beyond maxRequestBytes is refused: at once when its length is known, on the way when it streams', async () => {
  const origin = await open(echo());
  const options = { maxRequestBytes: 10 };
  const observation = observe();
  const known = await faultOf(
    transport.send(wireRequest(origin.url, { method: 'POST', body: 'x'.repeat(11), options }), observation),
  );
  expect(known).toMatchObject({ code: 'ERR_BAD_REQUEST', phase: 'request', sent: false });
  expect(observation.sent).toBe(false);
  const body = Readable.from([Buffer.alloc(6), Buffer.alloc(6)]);
  const streamed = await faultOf(transport.send(wireRequest(origin.url, { method: 'POST', body, options }), observe()));
  expect(streamed).toMatchObject({ code: 'ERR_BAD_REQUEST', phase: 'request', sent: true });
  const fits = await transport.send(
    wireRequest(origin.url, { method: 'POST', body: Readable.from(['x'.repeat(10)]), options }),
    observe(),
  );
  expect(fits.status).toBe(200);
});

test('a kept connection that the server closed meanwhile is replaced without a fault', async () => {
  const origin = await open(
    startOrigin((_request, response) => {
      response.end('ok');
      response.socket?.end();
    }),
  );
  for (let i = 0; i < 5; i++) {
    const reply = await transport.send(wireRequest(origin.url), observe());
    expect(await textOf(reply.body)).toBe('ok');
    await expect.poll(() => origin.openConnections, { interval: 1 }).toBe(0);
  }
  expect(origin.connections).toBe(5);
});

test('a kept connection that is reset by the next request is a fault, and not repeated in secret', async () => {
  const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
  const origin = await open(
    startRaw((socket, soFar) => (soFar.split('GET').length > 2 ? socket.resetAndDestroy() : socket.write(answer))),
  );
  const url = `http://127.0.0.1:${origin.port}`;
  await transport.send(wireRequest(url), observe());
  const fault = await faultOf(transport.send(wireRequest(url), observe()));
  expect(fault).toMatchObject({ code: 'ECONNRESET', phase: 'request', sent: true });
  expect(origin.connections).toBe(1);
});

test('close() hangs up every connection; what was in flight and what comes after is told so', async () => {
  const closing = undiciTransport();
  const origin = await open(startFaulty('hang'));
  const url = `http://127.0.0.1:${origin.port}`;
  const kept = await open(echo());
  await closing.send(wireRequest(kept.url), observe());
  const inFlight = closing.send(wireRequest(url), observe());
  const told = expect(inFlight).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await expect.poll(() => origin.openConnections).toBe(1);
  await closing.close();
  await told;
  await expect(closing.send(wireRequest(url), observe())).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await expect.poll(() => origin.openConnections + kept.openConnections).toBe(0);
});
