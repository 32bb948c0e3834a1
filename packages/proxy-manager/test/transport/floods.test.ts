import { setImmediate as turn } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { TransportFault } from '../../src/transport/fault.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { selfSigned } from '../servers/certificate.js';
import { startRaw } from '../servers/faulty.js';
import type { Listening } from '../servers/listen.js';
import { END_HEADERS, field, frame, FRAME, startRawHttp2 } from '../servers/raw-http2.js';
import { faultOf, observe, textOf, wireRequest } from './wire.js';

const certificate = selfSigned();

const status = (code: number): Buffer => field(':status', String(code));
const ok = (stream: number): Buffer => frame(FRAME.headers, END_HEADERS, stream, status(200));
const u32 = (...numbers: number[]): Buffer => {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, index) => bytes.writeUInt32BE(number, index * 4));
  return bytes;
};
const setting = (id: number, value: number): Buffer => Buffer.concat([Buffer.from([0, id]), u32(value)]);

/** How each begins, and what then comes without end. */
const floods: Readonly<Record<string, readonly [(stream: number) => Buffer, (stream: number) => Buffer]>> = {
  'CONTINUATION of a head': [
    (stream) => frame(FRAME.headers, 0, stream, status(200)),
    (stream) => frame(FRAME.continuation, 0, stream, field('x', 'y'.repeat(16_000))),
  ],
  'empty CONTINUATION': [
    (stream) => frame(FRAME.headers, 0, stream, status(200)),
    (stream) => frame(FRAME.continuation, 0, stream),
  ],
  'a head of one field, named again and again': [
    (stream) => frame(FRAME.headers, 0, stream, Buffer.concat([status(200), field('x', 'y'.repeat(4_000), true)])),
    (stream) => frame(FRAME.continuation, 0, stream, Buffer.alloc(16_000, 0xbe)),
  ],
  'heads that only inform': [() => Buffer.alloc(0), (stream) => frame(FRAME.headers, END_HEADERS, stream, status(103))],
  'SETTINGS before the head': [() => Buffer.alloc(0), () => frame(FRAME.settings, 0, 0, setting(3, 100))],
  'SETTINGS after the head': [ok, () => frame(FRAME.settings, 0, 0, setting(4, 65_535))],
  PING: [ok, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
  'PING before the head': [() => Buffer.alloc(0), () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
  'acknowledged PING': [() => Buffer.alloc(0), () => frame(FRAME.ping, 1, 0, Buffer.alloc(8))],
  'empty DATA': [ok, (stream) => frame(FRAME.data, 0, stream)],
  'DATA of padding': [ok, (stream) => frame(FRAME.data, 8, stream, Buffer.from([1, 0]))],
  WINDOW_UPDATE: [() => Buffer.alloc(0), (stream) => frame(FRAME.windowUpdate, 0, stream, u32(1))],
  PRIORITY: [() => Buffer.alloc(0), (stream) => frame(FRAME.priority, 0, stream, Buffer.alloc(5))],
  'frames of no known type': [() => Buffer.alloc(0), (stream) => frame(0x42, 0, stream, Buffer.alloc(100))],
  GOAWAY: [() => Buffer.alloc(0), () => frame(FRAME.goaway, 0, 0, u32(2 ** 31 - 1, 0))],
  'RST_STREAM of others': [() => Buffer.alloc(0), () => frame(FRAME.reset, 0, 2, u32(8))],
};

/** Writes `piece` for as long as there is somebody who reads. */
async function flood(socket: Socket, piece: Buffer): Promise<void> {
  const many = Buffer.concat(Array.from({ length: Math.max(1, Math.floor(16_000 / piece.length)) }, () => piece));
  while (!socket.destroyed) {
    if (!socket.write(many)) await Promise.race([said(socket, 'drain'), said(socket, 'close')]);
    await turn();
  }
}

const said = (socket: Socket, event: string): Promise<void> =>
  new Promise((resolve) => socket.once(event, () => resolve()));

/** The fault that a request of this server ends in; its connection goes with the transport. */
async function faultBy(server: Listening, scheme: 'http' | 'https'): Promise<TransportFault> {
  const transport = undiciTransport({ tls: { ca: certificate.cert }, headersMs: 500, bodyMs: 500 });
  const request = wireRequest(`${scheme}://127.0.0.1:${server.port}/`, { options: { maxResponseBytes: 100_000 } });
  const fault = await faultOf(transport.send(request, observe()).then(({ body }) => textOf(body)));
  await transport.close();
  await expect.poll(() => server.openConnections).toBe(0);
  return fault;
}

test.each(Object.entries(floods))('%s without end, by HTTP/2: a fault', async (_what, [first, then]) => {
  await using server = await startRawHttp2(certificate, (socket, stream) => {
    socket.write(first(stream));
    void flood(socket, then(stream));
  });
  expect((await faultBy(server, 'https')).code).toMatch(/^(?:ECONNRESET|ERR_BAD_RESPONSE|ETIMEDOUT)$/);
});

test('heads that only inform without end, by HTTP/1.1: a fault', async () => {
  const flooded = new WeakSet<Socket>();
  await using server = await startRaw((socket) => {
    if (flooded.has(socket)) return;
    flooded.add(socket);
    void flood(socket, Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'));
  });
  expect(await faultBy(server, 'http')).toMatchObject({ code: 'ERR_BAD_RESPONSE', sent: true });
});
