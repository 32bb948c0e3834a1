import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { undiciTransport } from '../../src/transport/undici.js';
import type { WireReply } from '../../src/transport/transport.js';
import { startRaw } from '../servers/faulty.js';
import { startOrigin } from '../servers/origin.js';
import { faultOf, observe, textOf, wireRequest } from './wire.js';

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

const text = 'grüße '.repeat(20_000);
const serve = (body: Uint8Array, encoding: string) =>
  open(
    startOrigin((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding, 'content-length': body.length, etag: 'x' }).end(body),
    ),
  );
const stream = (reply: WireReply): Readable => {
  if (reply.body instanceof Readable) return reply.body;
  throw new Error('expected a stream');
};

describe.each(['buffer', 'stream'] as const)('a reply as a %s', (body) => {
  test.each([
    ['gzip', gzipSync(text)],
    ['X-GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['identity', Buffer.from(text)],
  ])('is decoded from %s', async (encoding, coded) => {
    const origin = await serve(coded, encoding);
    const reply = await transport.send(wireRequest(origin.url, { options: { body } }), observe());
    expect(await textOf(reply.body)).toBe(text);
    expect(reply.headers).toContainEqual(['etag', 'x']);
    const names = new Set(reply.headers.map(([name]) => name));
    const kept = encoding === 'identity';
    expect([names.has('content-encoding'), names.has('content-length')]).toEqual([kept, kept]);
  });

  test.each([
    ['gzip', gzipSync(text), 'gzip'],
    ['x-gzip', gzipSync(text), 'gzip'],
    ['br', brotliCompressSync(text), 'br'],
    ['deflate', deflateSync(text), undefined],
    ['gzip, br', brotliCompressSync(gzipSync(text)), undefined],
    ['identity', Buffer.from(text), undefined],
  ])('tells what it was decoded from, where that is whole and one coding: %s', async (encoding, bytes, coding) => {
    const origin = await serve(bytes, encoding);
    const reply = await transport.send(wireRequest(origin.url, { options: { body } }), observe());
    await textOf(reply.body);
    const isTold = coding !== undefined && body === 'buffer';
    expect(reply.coded?.coding).toBe(isTold ? coding : undefined);
    expect(isTold ? bytes.equals(reply.coded?.bytes ?? Buffer.of()) : true).toBe(true);
  });

  test.each([
    ['unasked', 'gzip', false],
    ['unknown', 'zstd', true],
    ['partly unknown', 'gzip, zstd', true],
  ])('is left alone where its coding is %s', async (_kind, encoding, decompress) => {
    const origin = await serve(gzipSync(text), encoding);
    const reply = await transport.send(wireRequest(origin.url, { options: { body, decompress } }), observe());
    expect(await textOf(reply.body)).toBe(gzipSync(text).toString());
    expect(reply.headers).toContainEqual(['content-encoding', encoding]);
  });

  test('is empty where the server announces a coding and sends nothing', async () => {
    const origin = await serve(Buffer.alloc(0), 'gzip');
    const reply = await transport.send(wireRequest(origin.url, { options: { body } }), observe());
    expect(await textOf(reply.body)).toBe('');
  });

  test.each([
    ['plain', 'identity', Buffer.alloc(5001)],
    ['a gzip bomb', 'gzip', gzipSync(Buffer.alloc(50_000_000))],
    ['a brotli bomb', 'br', brotliCompressSync(Buffer.alloc(50_000_000))],
    ['a bomb in a bomb', 'gzip, gzip', gzipSync(gzipSync(Buffer.alloc(50_000_000)))],
    ['much coded for little', 'gzip', Buffer.concat(Array<Buffer>(10_000).fill(gzipSync('')))],
  ])('is ERR_BAD_RESPONSE beyond maxResponseBytes: %s', async (_kind, encoding, coded) => {
    const origin = await serve(coded, encoding);
    const request = wireRequest(origin.url, { options: { body, maxResponseBytes: 5000 } });
    const fault = await faultOf(transport.send(request, observe()).then((reply) => textOf(reply.body)));
    expect(fault).toMatchObject({ code: 'ERR_BAD_RESPONSE', phase: 'response', sent: true });
    expect(fault.message).toContain('maxContentLength size of 5000 exceeded');
  });

  test('fits where it is just as long as maxResponseBytes', async () => {
    const origin = await serve(gzipSync(Buffer.alloc(5000)), 'gzip');
    const request = wireRequest(origin.url, { options: { body, maxResponseBytes: 5000 } });
    expect(await textOf((await transport.send(request, observe())).body)).toHaveLength(5000);
  });

  test('is a fault where it is not what its coding says', async () => {
    const origin = await serve(Buffer.from('by no means gzip'), 'gzip');
    const fault = await faultOf(
      transport.send(wireRequest(origin.url, { options: { body } }), observe()).then((reply) => textOf(reply.body)),
    );
    expect(fault).toMatchObject({ code: 'Z_DATA_ERROR', phase: 'response', sent: true });
  });

  test.each(['gzip', 'identity'])('is ECONNRESET where it is cut short (%s)', async (encoding) => {
    const half = gzipSync(text).subarray(0, 50);
    const origin = await open(
      startRaw((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: 1000\r\n\r\n`);
        socket.end(half);
      }),
    );
    const url = `http://127.0.0.1:${origin.port}`;
    const fault = await faultOf(
      transport.send(wireRequest(url, { options: { body } }), observe()).then((reply) => textOf(reply.body)),
    );
    expect(fault).toMatchObject({ code: 'ECONNRESET', phase: 'response', sent: true });
  });
});

test('a stream is handed over with the head, before the body has come', async () => {
  let response: ServerResponse | undefined;
  const origin = await open(startOrigin((_request, it) => void (response = it).write('first ')));
  const observation = observe();
  const reply = await transport.send(wireRequest(origin.url, { options: { body: 'stream' } }), observation);
  expect(observation.downloadMs).toBeUndefined();
  response?.end('last');
  expect(await textOf(stream(reply))).toBe('first last');
  expect(observation.downloadMs).toBeGreaterThan(0);
  expect(observation.bytesReceived).toBeGreaterThan(10);
});

test('a connection is free for the next exchange once its stream was read to the end', async () => {
  const origin = await open(startOrigin((_request, response) => response.end('x'.repeat(100_000))));
  for (let i = 0; i < 3; i++) {
    const reply = await transport.send(wireRequest(origin.url, { options: { body: 'stream' } }), observe());
    expect(await textOf(stream(reply))).toHaveLength(100_000);
  }
  expect(origin.connections).toBe(1);
});

test.each(['identity', 'gzip'])('a stream (%s) that nobody reads holds the server back', async (encoding) => {
  const total = 64 * 1024 * 1024;
  let response: ServerResponse | undefined;
  const origin = await open(
    startOrigin(async (_request, it) => {
      response = it.writeHead(200, { 'content-encoding': encoding });
      // Stored blocks of gzip: as long as what they hold.
      const chunk = encoding === 'gzip' ? gzipSync(Buffer.alloc(65_536), { level: 0 }) : Buffer.alloc(65_536);
      for (let sent = 0; sent < total && !it.destroyed; sent += 65_536) if (!it.write(chunk)) await once(it, 'drain');
      it.end();
    }),
  );
  const request = wireRequest(origin.url, { options: { body: 'stream', maxResponseBytes: Number.POSITIVE_INFINITY } });
  const body = stream(await transport.send(request, observe()));
  // The server is stuck once all buffers between are full and stay so.
  const written = (): number => response?.socket?.bytesWritten ?? 0;
  const stuck = async (): Promise<boolean> => {
    const before = written();
    await new Promise((resolve) => setTimeout(resolve, 50));
    return written() === before && response?.writableNeedDrain === true;
  };
  await expect.poll(stuck, { timeout: 5000 }).toBe(true);
  expect(written()).toBeLessThan(total / 2);
  let length = 0;
  for await (const chunk of body) length += chunk.length;
  expect(length).toBe(total);
});

test.each(['identity', 'gzip'])('destroying a stream (%s) hangs up', async (encoding) => {
  const origin = await open(
    startOrigin((_request, response) => response.writeHead(200, { 'content-encoding': encoding }).write(gzipSync('x'))),
  );
  const reply = await transport.send(wireRequest(origin.url, { options: { body: 'stream' } }), observe());
  stream(reply).destroy();
  await expect.poll(() => origin.openConnections).toBe(0);
});
