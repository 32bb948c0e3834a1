/**
 * The API of the demo, in a process of its own: every caller (a key, or the proxy that the request came through)
 * may come so many times per window, then it is told 429. It counts on its own; the demo compares.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { serveParent } from './child.js';
import { BLOB, type ApiSettings, type ServerStats } from './settings.js';

const HOST = '127.0.0.1';
const SLOW_MS = 150;

interface Caller {
  readonly name: string;
  readonly limit: number;
  arrived: number;
  refused: number;
  inWindow: number;
  windowEndsMs: number;
}

const opened = (name: string, limit: number): Caller => ({
  name,
  limit,
  arrived: 0,
  refused: 0,
  inWindow: 0,
  windowEndsMs: 0,
});

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** The name that the last proxy on the way gave itself (RFC 9110 §7.6.3). */
function lastProxy(request: IncomingMessage): string | undefined {
  return request.headers.via?.split(',').at(-1)?.trim().split(' ')[1];
}

function createApi(settings: ApiSettings): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const byKey = new Map(settings.keys.map(({ name, key, limit }) => [key, opened(name, limit)]));
  const byProxy = new Map(settings.proxies.map(({ name, limit }) => [name, opened(name, limit)]));
  const failedOnce = new Set<string>();
  let requests = 0;

  /** Counts the caller in; false when it was told to come later. */
  function admit(caller: Caller, response: ServerResponse): boolean {
    const nowMs = Date.now();
    caller.arrived += 1;
    if (nowMs >= caller.windowEndsMs) {
      caller.inWindow = 0;
      caller.windowEndsMs = nowMs + settings.windowMs;
    }
    response.setHeader('x-demo-caller', caller.name);
    if (caller.inWindow >= caller.limit) {
      caller.refused += 1;
      response.setHeader('retry-after', Math.ceil((caller.windowEndsMs - nowMs) / 1000));
      sendJson(response, 429, { error: `${caller.name} is used up` });
      return false;
    }
    caller.inWindow += 1;
    return true;
  }

  /** True the first time that this url is asked for. */
  function firstTime(url: URL): boolean {
    const again = failedOnce.has(url.href);
    failedOnce.add(url.href);
    return !again;
  }

  async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const item = url.searchParams.get('n');
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /v1/quotes':
      case 'GET /shop/items':
      case 'GET /catalog':
        sendJson(response, 200, { item });
        return;
      case 'POST /v1/orders': {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        sendJson(response, 201, { ordered: JSON.parse(Buffer.concat(chunks).toString()) });
        return;
      }
      case 'GET /v1/blob':
        response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(BLOB);
        return;
      case 'GET /shop/slow':
        await delay(SLOW_MS);
        sendJson(response, 200, { item });
        return;
      case 'GET /shop/busy':
        if (firstTime(url)) sendJson(response, 503, { error: 'busy, try again' });
        else sendJson(response, 200, { item });
        return;
      case 'GET /shop/reset':
        if (firstTime(url)) request.socket.resetAndDestroy();
        else sendJson(response, 200, { item });
        return;
      default:
        sendJson(response, 404, { error: 'no such route' });
    }
  }

  return async function api(request, response) {
    const url = new URL(request.url ?? '/', `http://${HOST}`);
    if (url.pathname === '/stats') {
      const callers = [...byKey.values(), ...byProxy.values()];
      const stats: ServerStats = {
        callers: Object.fromEntries(callers.map(({ name, arrived, refused }) => [name, { arrived, refused }])),
        requests,
      };
      sendJson(response, 200, stats);
      return;
    }
    requests += 1;
    const caller = url.pathname.startsWith('/shop/')
      ? byProxy.get(lastProxy(request) ?? '')
      : byKey.get(String(request.headers['x-api-key']));
    if (caller === undefined) sendJson(response, 401, { error: 'no known key or proxy' });
    else if (admit(caller, response)) await answer(request, response, url);
  };
}

serveParent<{ port: number }>(async (given) => {
  const settings = given as ApiSettings;
  const api = createApi(settings);
  const server = createServer((request, response) => {
    api(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  // Longer than any run, so that no connection is closed just as a request is put onto it.
  server.keepAliveTimeout = 60_000;
  const listening = async (port: number): Promise<void> => {
    server.listen(port, HOST);
    await once(server, 'listening');
  };
  try {
    await listening(settings.port ?? 0);
  } catch {
    await listening(0);
  }
  return { port: (server.address() as AddressInfo).port };
});
