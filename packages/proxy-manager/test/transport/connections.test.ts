import type { lookup as systemLookup, LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { Client } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { ConnectionPool } from '../../src/transport/connection-pool.js';
import { cachedLookup } from '../../src/transport/dns-cache.js';
import { dial } from '../../src/transport/dial.js';
import { routeTo } from '../../src/transport/route.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { selfSigned } from '../servers/certificate.js';
import { WireExchange } from '../../src/transport/wire-exchange.js';
import { startOrigin, type Origin } from '../servers/origin.js';
import { observe, textOf, wireRequest } from './wire.js';

const cleanups: (() => Promise<void>)[] = [];
const open = async <T extends { close(): Promise<void> }>(starting: Promise<T> | T): Promise<T> => {
  const opened = await starting;
  cleanups.unshift(() => opened.close());
  return opened;
};
afterEach(async () => {
  for (const close of cleanups.splice(0)) await close();
});

test.each(['http', 'https'])('%s: connections of one origin are bounded, the others wait for one', async (scheme) => {
  const certificate = scheme === 'https' ? selfSigned() : undefined;
  const transport = await open(
    undiciTransport({ connections: 3, ...(certificate && { tls: { ca: certificate.cert } }) }),
  );
  const origin = await open(startOrigin((_request, response) => setTimeout(() => response.end('ok'), 10), certificate));
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => transport.send(wireRequest(origin.url), observe())),
  );
  expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(origin.connections).toBe(3);
});

test('whoever waits for a connection can be aborted, and a connection that broke makes room', async () => {
  const transport = await open(undiciTransport({ connections: 1 }));
  let requests = 0;
  const origin = await open(
    startOrigin((request, response) => {
      requests += 1;
      if (request.url === '/break') setTimeout(() => response.destroy(), 30);
      else response.end('ok');
    }),
  );
  const abort = new AbortController();
  const breaking = transport.send(wireRequest(`${origin.url}/break`), observe());
  const aborted = transport.send(wireRequest(origin.url, { signal: abort.signal }), observe());
  const waiting = transport.send(wireRequest(origin.url), observe());
  setTimeout(() => abort.abort('enough'), 10);
  await expect(aborted).rejects.toBe('enough');
  await expect(breaking).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect((await waiting).status).toBe(200);
  expect(requests).toBe(2);
});

test('closing sends away whoever waits for a connection', async () => {
  const transport = undiciTransport({ connections: 1 });
  const origin = await open(startOrigin(() => {}));
  const outcomes = Promise.allSettled([1, 2].map(() => transport.send(wireRequest(origin.url), observe())));
  await expect.poll(() => origin.requests).toBe(1);
  await transport.close();
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('an idle connection is closed before its server would, and the next exchange opens another', async () => {
  const transport = await open(undiciTransport());
  const origin = await open(
    startOrigin((_request, response) => response.setHeader('keep-alive', 'timeout=3').end('ok')),
  );
  await transport.send(wireRequest(origin.url), observe());
  expect(origin.openConnections).toBe(1);
  await expect.poll(() => origin.openConnections, { timeout: 4000 }).toBe(0);
  expect((await transport.send(wireRequest(origin.url), observe())).status).toBe(200);
});

test('of all routes together so many stay idle, and the one unused for the longest goes', async () => {
  const settings = { stepMs: 2_000, headersMs: 2_000, bodyMs: 2_000, tls: {}, sessions: new Map() };
  const pool = new ConnectionPool({ Client }, { ...settings, lookup: cachedLookup() }, { perRoute: 9, idle: 2 });
  await open({ close: () => pool.close(new Error('closed')) });
  const origins = await Promise.all([1, 2, 3].map(() => open(startOrigin((_request, response) => response.end('ok')))));
  const send = async ({ url }: { readonly url: string }): Promise<void> => {
    const request = wireRequest(url);
    const carrier = await pool.take(routeTo(request.url, undefined), request.signal);
    const exchange = new WireExchange(request, carrier, observe(), 2_000);
    carrier.dispatch({ path: '/', method: 'GET', headers: [], body: null }, exchange);
    expect((await exchange.reply).status).toBe(200);
  };
  const [first, second, third] = origins as [Origin, Origin, Origin];
  for (const origin of [first, second, first, third]) await send(origin);
  await expect.poll(() => origins.map(({ openConnections }) => openConnections)).toEqual([1, 0, 1]);
  expect(origins.map(({ connections }) => connections)).toEqual([1, 1, 1]);
});

/** Answers with `addresses`, later; counts. */
function fakeLookup(addresses: readonly LookupAddress[] | Error): { lookup: typeof systemLookup; asked: string[] } {
  const asked: string[] = [];
  const lookup = (name: string, _options: object, callback: (...result: unknown[]) => void): void => {
    asked.push(name);
    setImmediate(() => (addresses instanceof Error ? callback(addresses) : callback(null, addresses)));
  };
  return { lookup: lookup as unknown as typeof systemLookup, asked };
}

const ask = (lookup: ReturnType<typeof cachedLookup>, name: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    lookup(name, { all: true }, (error, all) => (error === null ? resolve(all) : reject(error)));
  });

test('a name is looked up once for all who want it at a time, and remembered', async () => {
  const addresses = [{ address: '127.0.0.1', family: 4 }];
  const { lookup, asked } = fakeLookup(addresses);
  const cached = cachedLookup(lookup);
  expect(await Promise.all([ask(cached, 'a.test'), ask(cached, 'a.test')])).toEqual([addresses, addresses]);
  expect(await ask(cached, 'a.test')).toEqual(addresses);
  await ask(cached, 'b.test');
  expect(asked).toEqual(['a.test', 'b.test']);
});

test('that a name has no address is not remembered', async () => {
  const { lookup, asked } = fakeLookup(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
  const cached = cachedLookup(lookup);
  await expect(ask(cached, 'a.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  await expect(ask(cached, 'a.test')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  expect(asked).toHaveLength(2);
});

test.each([
  ['refuses', '::1'],
  ['is silent', '100::1'],
])('where the first address %s, the next one is tried', async (_how, first) => {
  const origin = await open(startOrigin((_request, response) => response.end('ok')));
  const { lookup } = fakeLookup([
    { address: first, family: 6 },
    { address: '127.0.0.1', family: 4 },
  ]);
  const settings = { stepMs: 2000, tls: {}, sessions: new Map(), lookup: cachedLookup(lookup), alpn: [] };
  const route = routeTo(new URL(`http://both.test:${origin.port}`), undefined);
  const socket = await dial(route, undefined, settings, new AbortController().signal);
  expect(socket.remoteAddress).toBe('127.0.0.1');
  socket.end('GET / HTTP/1.0\r\n\r\n');
  expect(await textOf(socket)).toContain('ok');
  if (!socket.closed) await once(socket, 'close');
});
