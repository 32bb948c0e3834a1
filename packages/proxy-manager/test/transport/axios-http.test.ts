import { getEventListeners } from 'node:events';
import { Agent as HttpAgent, createServer } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { axiosHttpTransport } from '../../src/transport/axios-http.js';
import { createTransport } from '../../src/transport/create.js';
import { selfSigned } from '../servers/certificate.js';
import { closedPort, startFaulty, startRaw } from '../servers/faulty.js';
import { bodyOf, startOrigin } from '../servers/origin.js';
import { startProxy } from '../servers/proxy.js';
import { faultOf, observe, proxyAt, textOf, wireRequest } from './wire.js';

const certificate = selfSigned();
const httpsAgent = new HttpsAgent({ ca: certificate.cert });
const transport = axiosHttpTransport({ connectMs: 5_000 });
/** For those who are never answered. */
const impatient = axiosHttpTransport({ connectMs: 200 });
const cleanups: (() => Promise<void>)[] = [
  async () => {
    await transport.close();
    await impatient.close();
  },
];
const open = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const server = await starting;
  cleanups.unshift(() => server.close());
  return server;
};
afterEach(async () => {
  for (const close of cleanups.splice(0, cleanups.length - 1)) await close();
});
const axios = { family: 4 as const };

const echo = (secure = false) =>
  startOrigin(
    async (request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      const body = (await bodyOf(request)).toString();
      response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.rawHeaders, body }));
    },
    secure ? certificate : undefined,
  );

test('a request goes out with its own headers exactly, and the reply comes back whole', async () => {
  const origin = await open(echo());
  const observation = observe();
  const headers = [
    ['X-Api-Key', 'k'],
    ['accept', 'a'],
    ['accept', 'b'],
  ] as const;
  const request = wireRequest(`${origin.url}/items?page=1`, {
    method: 'POST',
    headers,
    body: 'grüße',
    options: { axios },
  });
  const reply = await transport.send(request, observation);
  expect(reply).toMatchObject({ status: 200, statusText: 'OK', httpVersion: '1.1' });
  expect(reply.headers.slice(0, 2)).toEqual([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ]);
  const seen = JSON.parse(await textOf(reply.body));
  expect(seen).toMatchObject({ method: 'POST', url: '/items?page=1', body: 'grüße' });
  const names = seen.headers.filter((_: string, index: number) => index % 2 === 0);
  expect(names).toEqual(['X-Api-Key', 'accept', 'accept', 'Content-Length', 'Host', 'Connection']);
  expect(observation).toMatchObject({ sent: true });
  expect(observation.connectMs).toBeGreaterThan(0);
  expect(observation.ttfbMs).toBeGreaterThan(0);
  expect(observation.downloadMs).toBeGreaterThanOrEqual(0);
  expect(observation.bytesSent).toBeGreaterThan(80);
  expect(observation.bytesReceived).toBeGreaterThan(200);
});

test.each([
  ['bytes', () => new Uint8Array([103, 114])],
  ['a stream', () => Readable.from([Buffer.from('g'), Buffer.from('r')])],
])('a body of %s arrives', async (_kind, body) => {
  const origin = await open(echo());
  const reply = await transport.send(
    wireRequest(origin.url, { method: 'POST', body: body(), options: { axios } }),
    observe(),
  );
  expect(JSON.parse(await textOf(reply.body)).body).toBe('gr');
});

test('an agent of the caller, socketPath, lookup and insecureHTTPParser do what they do in axios', async () => {
  const secure = await open(echo(true));
  const agent = new HttpAgent({ keepAlive: true });
  const origin = await open(echo());
  const directory = await mkdtemp(join(tmpdir(), 'transport-'));
  const socketPath = join(directory, 'socket');
  const local = createServer((_request, response) => response.end('local'));
  await new Promise<void>((resolve) => local.listen(socketPath, resolve));
  try {
    expect(
      (await transport.send(wireRequest(secure.url, { options: { axios: { httpsAgent } } }), observe())).status,
    ).toBe(200);
    await transport.send(wireRequest(origin.url, { options: { axios: { httpAgent: agent } } }), observe());
    expect(Object.keys(agent.freeSockets)).toHaveLength(1);
    const viaSocket = await transport.send(
      wireRequest('http://localhost/', { options: { axios: { socketPath } } }),
      observe(),
    );
    expect(await textOf(viaSocket.body)).toBe('local');
    const lookup = async (): Promise<[string, 4]> => ['127.0.0.1', 4];
    const looked = await transport.send(
      wireRequest(`http://nobody.invalid:${origin.port}`, { options: { axios: { lookup } } }),
      observe(),
    );
    expect(looked.status).toBe(200);
  } finally {
    agent.destroy();
    local.close();
    await rm(directory, { recursive: true });
  }
});

test.each(['buffer', 'stream'] as const)('a %s reply is decoded and bounded as on the fast way', async (body) => {
  const origin = await open(
    startOrigin((request, response) => {
      response.writeHead(request.url === '/bad' ? 404 : 200, { 'content-encoding': 'gzip' });
      response.end(request.url === '/bad' ? 'by no means' : gzipSync('x'.repeat(1000)));
    }),
  );
  const send = (path: string, maxResponseBytes: number) =>
    transport.send(wireRequest(origin.url + path, { options: { axios, body, maxResponseBytes } }), observe());
  const reply = await send('/', 1000);
  expect(await textOf(reply.body)).toBe('x'.repeat(1000));
  expect(reply.headers.map(([name]) => name)).not.toContain('content-encoding');
  const tooLarge = await faultOf(send('/', 999).then((it) => textOf(it.body)));
  expect(tooLarge).toMatchObject({ code: 'ERR_BAD_RESPONSE', phase: 'response', sent: true });
  const bad = await faultOf(send('/bad', 1000).then((it) => textOf(it.body)));
  expect(bad).toMatchObject({ code: 'Z_DATA_ERROR', phase: 'response', sent: true });
});

test('redirects are followed by our own loop', async () => {
  const origin = await open(
    startOrigin((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/end' });
      response.end(request.url);
    }),
  );
  const hops: string[] = [];
  const request = wireRequest(origin.url, {
    options: { axios, maxRedirects: 1 },
    onRedirect: async ({ from, to }) => {
      hops.push(to.pathname);
      return { ...from, url: to };
    },
  });
  expect(await textOf((await transport.send(request, observe())).body)).toBe('/end');
  expect(hops).toEqual(['/end']);
});

test.each([
  ['reset', 'ECONNRESET', 'request', true],
  ['close', 'ECONNRESET', 'request', true],
  ['garbage', 'HPE_INVALID_CONSTANT', 'request', true],
] as const)(
  'an origin that answers by %s is a TransportFault that holds no part of the request',
  async (how, code, phase, sent) => {
    const origin = await open(startFaulty(how));
    const url = `http://127.0.0.1:${origin.port}/?appid=SECRET`;
    const fault = await faultOf(
      transport.send(wireRequest(url, { headers: [['x-api-key', 'SECRET']], options: { axios } }), observe()),
    );
    expect(fault).toMatchObject({ code, phase, sent });
    expect(inspect(fault, { depth: 10, showHidden: true })).not.toContain('SECRET');
  },
);

test.each(['buffer', 'stream'] as const)(
  'a %s body cut short is ECONNRESET and holds no part of the request',
  async (body) => {
    const origin = await open(startRaw((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')));
    const request = wireRequest(`http://127.0.0.1:${origin.port}/SECRET`, {
      headers: [['x', 'SECRET']],
      options: { axios, body },
    });
    const fault = await faultOf(transport.send(request, observe()).then((reply) => textOf(reply.body)));
    expect(fault).toMatchObject({ code: 'ECONNRESET', phase: 'response', sent: true });
    expect(inspect(fault, { depth: 10, showHidden: true })).not.toContain('SECRET');
  },
);

test('a closed port is ECONNREFUSED, a handshake that hangs ETIMEDOUT: nothing was sent', async () => {
  const observation = observe();
  const refused = await faultOf(
    impatient.send(wireRequest(`http://127.0.0.1:${await closedPort()}`, { options: { axios } }), observation),
  );
  expect(refused).toMatchObject({ code: 'ECONNREFUSED', phase: 'connect', sent: false });
  expect(observation.sent).toBe(false);
  const origin = await open(startFaulty('hang'));
  const hanging = await faultOf(
    impatient.send(wireRequest(`https://127.0.0.1:${origin.port}`, { options: { axios } }), observe()),
  );
  expect(hanging).toMatchObject({ code: 'ETIMEDOUT', phase: 'connect', sent: false });
});

test('to wait for a free socket of the agent is not to connect', async () => {
  const origin = await open(startOrigin((_request, response) => void setTimeout(() => response.end('ok'), 500)));
  const httpAgent = new HttpAgent({ maxSockets: 1 });
  const observations = [observe(), observe()];
  try {
    const replies = await Promise.all(
      observations.map((it) => impatient.send(wireRequest(origin.url, { options: { axios: { httpAgent } } }), it)),
    );
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    for (const { connectMs = 0 } of observations) expect(connectMs).toBeLessThan(200);
  } finally {
    httpAgent.destroy();
  }
});

test('connecting is bounded from when the request has left the queue of its agent, and on a later hop too', async () => {
  const hanging = await open(startFaulty('hang'));
  const url = `https://127.0.0.1:${hanging.port}`;
  const oneByOne = new HttpsAgent({ maxSockets: 1 });
  const startedMs = performance.now();
  const timeOut = async (from: string) => {
    const request = wireRequest(from, { options: { axios: { httpsAgent: oneByOne }, maxRedirects: 1 } });
    const { code, phase } = await faultOf(impatient.send(request, observe()));
    return { code, phase, afterMs: performance.now() - startedMs };
  };
  try {
    const [first, second] = await Promise.all([timeOut(url), timeOut(url)]);
    expect(first).toMatchObject({ code: 'ETIMEDOUT', phase: 'connect' });
    expect(second).toMatchObject({ code: 'ETIMEDOUT', phase: 'connect' });
    expect(second.afterMs - first.afterMs).toBeGreaterThan(150);
    const origin = await open(
      startOrigin((_request, response) => void response.writeHead(302, { location: url }).end()),
    );
    expect(await timeOut(origin.url)).toMatchObject({ code: 'ETIMEDOUT' });
  } finally {
    oneByOne.destroy();
  }
});

test.each(['buffer', 'stream'] as const)(
  'an abort (%s) rejects with its reason, hangs up and leaves no listener',
  async (body) => {
    const origin = await open(startRaw((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')));
    const controller = new AbortController();
    const reason = new Error('enough');
    const request = wireRequest(`http://127.0.0.1:${origin.port}`, {
      signal: controller.signal,
      options: { axios, body },
    });
    const told = expect(transport.send(request, observe()).then((reply) => textOf(reply.body))).rejects.toBe(reason);
    await expect.poll(() => origin.openConnections).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(reason);
    await told;
    await expect.poll(() => origin.openConnections).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  },
);

test('a proxy of the pool is used for http and https origins, with its password', async () => {
  const proxy = await open(startProxy({ username: 'user', password: 'pa:ss' }));
  const [plain, secure] = [await open(echo()), await open(echo(true))];
  const send = (url: string) =>
    transport.send(wireRequest(url, { proxy: proxyAt(proxy.url), options: { axios: { httpsAgent } } }), observe());
  expect((await send(plain.url)).status).toBe(200);
  expect((await send(secure.url)).status).toBe(200);
  expect(proxy).toMatchObject({ requests: 1, tunnels: 1, refusals: 0 });
});

test.each(['http', 'https'])(
  'a proxy that wants another password is ERR_PROXY_AUTH_REQUESTED for an %s origin',
  async (scheme) => {
    const proxy = await open(startProxy({ username: 'user', password: 'right' }));
    const request = wireRequest(`${scheme}://127.0.0.1:9/`, {
      proxy: proxyAt(proxy.url.replace('right', 'SECRET')),
      options: { axios },
    });
    const fault = await faultOf(transport.send(request, observe()));
    expect(fault).toMatchObject({ code: 'ERR_PROXY_AUTH_REQUESTED', phase: 'proxy', sent: false });
    expect(inspect(fault, { depth: 10 })).not.toContain('SECRET');
  },
);

test.each([
  ['403', 'ERR_PROXY_TUNNEL'],
  ['502', 'ERR_PROXY_TUNNEL'],
  ['503', 'ERR_PROXY_TUNNEL'],
  ['504', 'ERR_PROXY_TUNNEL'],
  ['hang', 'ETIMEDOUT'],
] as const)('a proxy that opens no tunnel (%s) is one fault, %s, behind it', async (how, code) => {
  const proxy = await open(startFaulty(how));
  const request = wireRequest('https://127.0.0.1:9/', {
    proxy: proxyAt(`http://127.0.0.1:${proxy.port}`),
    options: { axios },
  });
  expect(await faultOf(impatient.send(request, observe()))).toMatchObject({ code, phase: 'tunnel', sent: false });
});

test('options that would go around the proxy of the pool are refused before anything is sent', async () => {
  class OtherAgent extends HttpAgent {}
  const proxy = await open(startProxy());
  const origin = await open(echo());
  const options = { axios: { httpAgent: new OtherAgent(), socketPath: '/x', proxy: { host: 'a', port: 1 } } };
  const observation = observe();
  const sending = transport.send(wireRequest(origin.url, { proxy: proxyAt(proxy.url), options }), observation);
  await expect(sending).rejects.toMatchObject({
    code: 'ERR_CONFIG',
    problems: [
      expect.stringMatching(/^httpAgent/),
      expect.stringMatching(/^socketPath/),
      expect.stringMatching(/^proxy/),
    ],
  });
  expect(observation.sent).toBe(false);
  const socks = wireRequest(origin.url, { proxy: proxyAt('socks5://127.0.0.1:9'), options: { axios } });
  await expect(transport.send(socks, observe())).rejects.toMatchObject({ code: 'ERR_CONFIG' });
});

test('without a proxy of the pool the one of the environment is not used', async () => {
  const origin = await open(echo());
  process.env['http_proxy'] = `http://127.0.0.1:${await closedPort()}`;
  try {
    expect((await transport.send(wireRequest(origin.url, { options: { axios } }), observe())).status).toBe(200);
  } finally {
    delete process.env['http_proxy'];
  }
});

test('createTransport chooses by exchange: axios where it has options for it, undici else; close() ends both', async () => {
  const both = createTransport();
  const origin = await open(
    startOrigin((_request, response) => response.end(String(response.req.rawHeaders.includes('Host')))),
  );
  const seen = async (options: object) =>
    textOf((await both.send(wireRequest(origin.url, { options }), observe())).body);
  // Node's client writes `Host`, undici `host`.
  expect([await seen({}), await seen({ axios })]).toEqual(['false', 'true']);
  await both.close();
  await expect(both.send(wireRequest(origin.url), observe())).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await expect(both.send(wireRequest(origin.url, { options: { axios } }), observe())).rejects.toMatchObject({
    code: 'ERR_CLOSED',
  });
});
