import { getEventListeners, once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { undiciTransport } from '../../src/transport/undici.js';
import { startFaulty, startRaw } from '../servers/faulty.js';
import { startOrigin } from '../servers/origin.js';
import { observe, proxyAt, textOf, wireRequest } from './wire.js';

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
const head = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n';

test('an aborted request is not sent at all', async () => {
  const origin = await open(startOrigin((_request, response) => response.end()));
  const reason = new Error('enough');
  const observation = observe();
  const signal = AbortSignal.abort(reason);
  await expect(transport.send(wireRequest(origin.url, { signal }), observation)).rejects.toBe(reason);
  expect(observation.sent).toBe(false);
  expect(origin.connections).toBe(0);
});

test('a request that is aborted in the moment in which it is given its connection is not sent', async () => {
  const origin = await open(startOrigin((_request, response) => response.end('x')));
  const narrow = undiciTransport({ connections: 1 });
  cleanups.unshift(() => narrow.close());
  const leaving = new AbortController();
  // The end of the first one is noted right before it hands its connection on.
  const noted = observe();
  Object.defineProperty(noted, 'downloadMs', {
    set() {
      queueMicrotask(() => leaving.abort(new Error('changed my mind')));
    },
  });
  const first = narrow.send(wireRequest(origin.url), noted);
  const observation = observe();
  const second = narrow.send(wireRequest(origin.url, { signal: leaving.signal }), observation);
  const third = narrow.send(wireRequest(origin.url), observe());
  await expect(second).rejects.toThrow('changed my mind');
  expect(observation.sent).toBe(false);
  expect([(await first).status, (await third).status, origin.connections]).toEqual([200, 200, 1]);
});

test.each([
  ['in the TLS handshake', 'hang', (port: number) => wireRequest(`https://127.0.0.1:${port}`), false],
  [
    'in the TLS handshake with a proxy',
    'hang',
    (port: number) => wireRequest('http://a.invalid', { proxy: proxyAt(`https://127.0.0.1:${port}`) }),
    false,
  ],
  [
    'waiting for a tunnel',
    'hang',
    (port: number) => wireRequest('https://a.invalid', { proxy: proxyAt(`http://127.0.0.1:${port}`) }),
    false,
  ],
  [
    'waiting for a SOCKS proxy',
    'hang',
    (port: number) => wireRequest('http://a.invalid', { proxy: proxyAt(`socks5://127.0.0.1:${port}`) }),
    false,
  ],
  ['waiting for a reply', 'hang', (port: number) => wireRequest(`http://127.0.0.1:${port}`), true],
  [
    'waiting for a reply through a proxy',
    'hang',
    (port: number) => wireRequest('http://a.invalid', { proxy: proxyAt(`http://127.0.0.1:${port}`) }),
    true,
  ],
  [
    'sending',
    'hang',
    (port: number) =>
      wireRequest(`http://127.0.0.1:${port}`, { method: 'POST', body: new PassThrough().on('error', () => {}) }),
    true,
  ],
  ['in the body', 'body', (port: number) => wireRequest(`http://127.0.0.1:${port}`), true],
] as const)('an abort %s rejects at once with its reason and hangs up', async (_when, how, requestTo, sent) => {
  const server = await open(how === 'hang' ? startFaulty('hang') : startRaw((socket) => socket.write(`${head}half`)));
  const controller = new AbortController();
  const reason = { anything: 'can be a reason' };
  const observation = observe();
  const request = { ...requestTo(server.port), signal: controller.signal };
  const sending = transport.send(request, observation);
  const told = expect(sending).rejects.toBe(reason);
  await expect.poll(() => server.openConnections, { interval: 5 }).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort(reason);
  await told;
  expect(observation.sent).toBe(sent);
  expect(request.body instanceof Readable && !request.body.destroyed).toBe(false);
  await expect.poll(() => server.openConnections).toBe(0);
  expect(server.connections).toBe(1);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
});

test('an abort while a stream is being read breaks it off with the reason', async () => {
  const server = await open(startRaw((socket) => socket.write(`${head}half`)));
  const controller = new AbortController();
  const reason = new Error('enough');
  const request = wireRequest(`http://127.0.0.1:${server.port}`, {
    signal: controller.signal,
    options: { body: 'stream' },
  });
  const { body } = await transport.send(request, observe());
  const reading = expect(textOf(body)).rejects.toBe(reason);
  controller.abort(reason);
  await reading;
  await expect.poll(() => server.openConnections).toBe(0);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
});

test('an abort before a kept connection is used again sends nothing on it', async () => {
  const origin = await open(startOrigin((_request, response) => response.end()));
  await transport.send(wireRequest(origin.url), observe());
  const controller = new AbortController();
  const observation = observe();
  const sending = transport.send(wireRequest(origin.url, { signal: controller.signal }), observation);
  const told = expect(sending).rejects.toBe('enough');
  await Promise.resolve();
  controller.abort('enough');
  await told;
  expect(observation.sent).toBe(false);
  expect(origin.requests).toBe(1);
});

test('no listener stays on a signal after a reply, a fault, or the end of a stream', async () => {
  const origin = await open(startOrigin((_request, response) => response.end('ok')));
  const broken = await open(startFaulty('reset'));
  const { signal } = new AbortController();
  await transport.send(wireRequest(origin.url, { signal }), observe());
  const streamed = await transport.send(wireRequest(origin.url, { signal, options: { body: 'stream' } }), observe());
  await textOf(streamed.body);
  const failing = transport.send(wireRequest(`http://127.0.0.1:${broken.port}`, { signal }), observe());
  await expect(failing).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('an abort of one exchange leaves the others alone', async () => {
  const origin = await open(startOrigin((request, response) => void (request.url === '/slow' || response.end('ok'))));
  const controller = new AbortController();
  const slow = transport.send(wireRequest(`${origin.url}/slow`, { signal: controller.signal }), observe());
  const told = expect(slow).rejects.toThrow('This operation was aborted');
  const others = Array.from({ length: 10 }, () => transport.send(wireRequest(origin.url), observe()));
  controller.abort();
  await told;
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual(Array(10).fill(200));
});

test('a body stream of the caller that fails fails the exchange with its code', async () => {
  const origin = await open(startOrigin((request) => void request.on('error', () => {}).resume()));
  const body = new PassThrough();
  const sending = transport.send(wireRequest(origin.url, { method: 'POST', body }), observe());
  const told = expect(sending).rejects.toMatchObject({ code: 'ENOENT', phase: 'request', sent: true });
  body.write('start');
  await once(body, 'resume').catch(() => {});
  await expect.poll(() => origin.requests).toBe(1);
  body.destroy(Object.assign(new Error('no such file'), { code: 'ENOENT' }));
  await told;
});
