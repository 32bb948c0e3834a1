import { Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { Secret } from '../../src/secret.js';
import { wireStage } from '../../src/stages/wire.js';
import type { RedirectHop } from '../../src/transport/transport.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { bodyOf, startOrigin, type Origin } from '../servers/origin.js';
import { startProxy } from '../servers/proxy.js';
import { testExchange } from '../support/exchange.js';
import { faultOf, observe, proxyAt, textOf, wireRequest } from './wire.js';

const transport = undiciTransport();
const cleanups: (() => Promise<void>)[] = [() => transport.close()];
const open = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const server = await starting;
  cleanups.unshift(() => server.close());
  return server;
};
afterEach(async () => {
  for (const close of cleanups.splice(0, cleanups.length - 1)) await close();
});
const options = { maxRedirects: 5 };

/** `/302/x` redirects to `/x` by 302, and so on; what does not redirect tells what came. */
const origin = (): Promise<Origin> =>
  open(
    startOrigin(async (request, response) => {
      const [, status, to] = /^\/(\d{3})(\/.*|=.*)/.exec(request.url ?? '') ?? [];
      const body = (await bodyOf(request)).toString();
      if (status && to)
        response
          .writeHead(Number(status), { location: to.startsWith('=') ? decodeURIComponent(to.slice(1)) : to })
          .end('moved');
      else if (request.url === '/lost') response.writeHead(302).end('nowhere');
      else
        response.end(
          JSON.stringify({
            method: request.method,
            url: request.url,
            host: request.headers.host,
            type: request.headers['content-type'],
            body,
          }),
        );
    }),
  );

test('redirects are followed on the same connection, with the url that answered', async () => {
  const server = await origin();
  const { url } = server;
  const observation = observe();
  const reply = await transport.send(wireRequest(`${url}/302/307/end?a=b#part`, { options }), observation);
  expect(reply.status).toBe(200);
  expect(reply.url.href).toBe(`${url}/end?a=b#part`);
  expect(observation.redirects).toBe(2);
  expect(server.connections).toBe(1);
});

test('with maxRedirects 0 the 3xx is the reply; so is one without a Location, and a 304', async () => {
  const { url } = await origin();
  const reply = await transport.send(wireRequest(`${url}/302/end`), observe());
  expect(reply.status).toBe(302);
  expect(await textOf(reply.body)).toBe('moved');
  expect((await transport.send(wireRequest(`${url}/lost`, { options }), observe())).status).toBe(302);
  expect((await transport.send(wireRequest(`${url}/304/end`, { options }), observe())).status).toBe(304);
});

test('more than maxRedirects is ERR_FR_TOO_MANY_REDIRECTS', async () => {
  const { url } = await origin();
  const twice = `${url}/302/302/end`;
  expect((await transport.send(wireRequest(twice, { options: { maxRedirects: 2 } }), observe())).status).toBe(200);
  const fault = await faultOf(transport.send(wireRequest(twice, { options: { maxRedirects: 1 } }), observe()));
  expect(fault).toMatchObject({ code: 'ERR_FR_TOO_MANY_REDIRECTS', phase: 'response', sent: true });
});

test.each([
  [301, 'POST', 'GET'],
  [302, 'POST', 'GET'],
  [303, 'POST', 'GET'],
  [303, 'PUT', 'GET'],
  [301, 'PUT', 'PUT'],
  [302, 'DELETE', 'DELETE'],
  [307, 'POST', 'POST'],
  [308, 'PUT', 'PUT'],
])('after %i a %s goes on as %s, with its body only where the method stays', async (status, method, then) => {
  const { url } = await origin();
  const headers = [['content-type', 'text/plain']] as const;
  const reply = await transport.send(
    wireRequest(`${url}/${status}/end`, { method, headers, body: 'hello', options }),
    observe(),
  );
  const seen = JSON.parse(await textOf(reply.body));
  expect(seen).toMatchObject({ method: then, body: method === then ? 'hello' : '' });
  expect(seen.type).toBe(method === then ? 'text/plain' : undefined);
});

test('303 leaves HEAD as it is', async () => {
  const methods: (string | undefined)[] = [];
  const { url } = await open(
    startOrigin((request, response) => {
      methods.push(request.method);
      response.writeHead(request.url === '/' ? 303 : 200, { location: '/end' }).end();
    }),
  );
  await transport.send(wireRequest(url, { method: 'HEAD', options }), observe());
  expect(methods).toEqual(['HEAD', 'HEAD']);
});

test('a streamed body is sent once: 307 is a fault, 303 goes on without it', async () => {
  const { url } = await origin();
  const body = () => Readable.from(['hello']);
  const fault = await faultOf(
    transport.send(wireRequest(`${url}/307/end`, { method: 'POST', body: body(), options }), observe()),
  );
  expect(fault).toMatchObject({ code: 'ERR_FR_REDIRECTION_FAILURE', phase: 'response', sent: true });
  const reply = await transport.send(
    wireRequest(`${url}/303/end`, { method: 'POST', body: body(), options }),
    observe(),
  );
  expect(JSON.parse(await textOf(reply.body))).toMatchObject({ method: 'GET' });
});

test.each(['ftp://example.com/', 'javascript:alert(1)', 'http://:bad:'])(
  'a Location of %s is a fault that does not repeat it',
  async (location) => {
    const { url } = await origin();
    const fault = await faultOf(
      transport.send(wireRequest(`${url}/302=${encodeURIComponent(location)}`, { options }), observe()),
    );
    expect(fault).toMatchObject({ code: 'ERR_FR_REDIRECTION_FAILURE', phase: 'response', sent: true });
    expect(fault.message).not.toContain(location);
  },
);

test('onRedirect is asked before each hop and gives the request for it', async () => {
  const server = await origin();
  const hops: [number, string, string][] = [];
  const onRedirect = async ({ status, from, to }: RedirectHop) => {
    hops.push([status, from.url.pathname, to.pathname]);
    return { ...from, url: to, headers: [['content-type', `hop/${hops.length}`]] as const };
  };
  const reply = await transport.send(wireRequest(`${server.url}/302/307/end`, { options, onRedirect }), observe());
  expect(hops).toEqual([
    [302, '/302/307/end', '/307/end'],
    [307, '/307/end', '/end'],
  ]);
  expect(JSON.parse(await textOf(reply.body)).type).toBe('hop/2');
});

test.each([
  [303, { method: 'GET', body: undefined, headers: [['x-own', 'kept']] }],
  [
    307,
    {
      method: 'POST',
      body: 'hello',
      headers: [
        ['content-type', 'text/plain'],
        ['x-own', 'kept'],
      ],
    },
  ],
])('onRedirect is told what the hop after a %i takes along, and whence', async (status, expected) => {
  const server = await origin();
  const elsewhere = await origin();
  const hops: RedirectHop[] = [];
  const onRedirect = async (hop: RedirectHop) => {
    hops.push(hop);
    return { ...hop.from, url: hop.to };
  };
  const headers = [
    ['content-type', 'text/plain'],
    ['x-own', 'kept'],
    ['Host', 'virtual.example'],
  ] as const;
  const first = `${server.url}/${status}=${encodeURIComponent(`${elsewhere.url}/end`)}`;
  await transport.send(wireRequest(first, { method: 'POST', body: 'hello', headers, options, onRedirect }), observe());
  expect(hops).toMatchObject([{ status, from: { ...expected, url: new URL(first) } }]);
});

test('a key in the body keeps no 303 to another origin from being followed, and is not sent there', async () => {
  const elsewhere = await origin();
  const server = await open(
    startOrigin((_request, response) => void response.writeHead(303, { location: `${elsewhere.url}/end` }).end()),
  );
  const run = wireStage({ transport, clock: { now: () => Date.now() } });
  const base = testExchange();
  const charged: number[] = [];
  const lease = {
    key: { id: 'k', windows: [], secret: new Secret('hush-hush', 'k') },
    proxy: undefined,
    taken: [],
    charge: async (cost: number) => void charged.push(cost),
    settle: async () => {},
  };
  const request = {
    ...base.request,
    method: 'POST',
    url: new URL(server.url),
    headers: [['content-type', 'application/x-www-form-urlencoded']] as const,
    body: 'k={key}',
  };
  const reply = await run({ ...base, request, lease });
  expect(JSON.parse(await textOf(reply.body))).toMatchObject({ method: 'GET', url: '/end', body: '' });
  expect(charged).toEqual([1]);
});

test('an onRedirect that rejects ends the exchange before the hop is sent', async () => {
  const server = await origin();
  const no = new Error('not there');
  const observation = observe();
  const onRedirect = () => Promise.reject(no);
  await expect(transport.send(wireRequest(`${server.url}/302/end`, { options, onRedirect }), observation)).rejects.toBe(
    no,
  );
  expect(server.requests).toBe(1);
  expect(observation.redirects).toBe(0);
});

test('a host header does not follow to another origin', async () => {
  const [first, second] = [await origin(), await origin()];
  const headers = [['Host', 'virtual.example']] as const;
  const elsewhere = `${first.url}/302=${encodeURIComponent(`${second.url}/end`)}`;
  const reply = await transport.send(wireRequest(elsewhere, { headers, options }), observe());
  expect(JSON.parse(await textOf(reply.body)).host).toBe(`127.0.0.1:${second.port}`);
});

test('a fault of a later hop says that something was sent', async () => {
  const server = await origin();
  const dead = encodeURIComponent('http://127.0.0.1:1/');
  const fault = await faultOf(transport.send(wireRequest(`${server.url}/302=${dead}`, { options }), observe()));
  expect(fault).toMatchObject({ code: 'ECONNREFUSED', phase: 'connect', sent: true });
});

test('redirects go through the same proxy; a streamed reply is the last one only', async () => {
  const [server, proxy] = [await origin(), await open(startProxy())];
  const request = wireRequest(`${server.url}/302/end`, {
    proxy: proxyAt(proxy.url),
    options: { ...options, body: 'stream' },
  });
  const reply = await transport.send(request, observe());
  expect(JSON.parse(await textOf(reply.body))).toMatchObject({ url: '/end' });
  expect(proxy.requests).toBe(2);
});
