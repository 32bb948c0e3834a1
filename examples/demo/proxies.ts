/** Three forward proxies in a process of their own; the second one asks for a user and a password. */
import { once } from 'node:events';
import { createServer, request as sendOn, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { serveParent } from './child.js';
import type { ProxySettings } from './settings.js';

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'upgrade']);
const ASK = { 'proxy-authenticate': 'Basic realm="demo"' };

/** The headers that travel on, with this proxy in `via` (RFC 9110 §7.6.3): by it the API tells the proxies apart. */
function onward(headers: IncomingHttpHeaders, name: string): IncomingHttpHeaders {
  const kept = Object.fromEntries(Object.entries(headers).filter(([header]) => !HOP_BY_HOP.has(header)));
  return { ...kept, via: headers.via === undefined ? `1.1 ${name}` : `${headers.via}, 1.1 ${name}` };
}

function forwardProxy(name: string, userinfo: string | undefined): Server {
  const expected = userinfo === undefined ? undefined : `Basic ${Buffer.from(userinfo).toString('base64')}`;
  const admits = (headers: IncomingHttpHeaders): boolean =>
    expected === undefined || headers['proxy-authorization'] === expected;

  const server = createServer((request, response) => {
    if (!admits(request.headers)) {
      response.writeHead(407, ASK).end();
      return;
    }
    if (!URL.canParse(request.url ?? '')) {
      response.writeHead(400).end('this is a proxy: it wants an absolute url');
      return;
    }
    const upstream = sendOn(request.url ?? '', { method: request.method, headers: onward(request.headers, name) });
    upstream.on('response', (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    });
    upstream.on('error', () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { 'content-type': 'text/plain' }).end('the origin did not answer');
    });
    request.pipe(upstream);
  });

  server.keepAliveTimeout = 60_000;
  server.on('connect', (request, client: Duplex, head: Buffer) => {
    client.on('error', () => client.destroy());
    if (!admits(request.headers)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="demo"\r\n\r\n');
      return;
    }
    const target = new URL(`tcp://${request.url ?? ''}`);
    const origin = connect(Number(target.port), target.hostname, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      origin.write(head);
      origin.pipe(client).pipe(origin);
    });
    origin.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    client.on('close', () => origin.destroy());
  });
  return server;
}

serveParent<{ ports: number[] }>(async (settings) => ({
  ports: await Promise.all(
    (settings as ProxySettings).proxies.map(async ({ name, userinfo }) => {
      const server = forwardProxy(name, userinfo);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  ),
}));
