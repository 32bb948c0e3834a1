import fc from 'fast-check';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Transport } from '../../src/transport/transport.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { startRaw } from '../servers/faulty.js';
import type { Listening } from '../servers/listen.js';
import { mistakes } from './mistakes.js';
import { proxyAt } from './wire.js';

/** The next connections are answered with these bytes, in these pieces, and then closed, reset or left open. */
let script: { readonly pieces: readonly Buffer[]; readonly ending: 'close' | 'hang' | 'reset' };
let server: Listening;
let transport: Transport;

beforeAll(async () => {
  transport = undiciTransport({ connectMs: 150, headersMs: 150, bodyMs: 150 });
  server = await startRaw((socket) => void play(socket));
});
afterAll(async () => {
  await transport.close();
  await server.close();
});

const played = new WeakSet<Socket>();

async function play(socket: Socket): Promise<void> {
  if (played.has(socket)) return;
  played.add(socket);
  socket.on('error', () => {});
  for (const piece of script.pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    await new Promise(setImmediate);
  }
  if (script.ending === 'close') socket.end();
  if (script.ending === 'reset') socket.resetAndDestroy();
}

const status = fc.constantFrom(
  '100',
  '101',
  '103',
  '200',
  '204',
  '206',
  '301',
  '304',
  '407',
  '416',
  '500',
  '999',
  '0',
  '-1',
  '20',
);
const version = fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'http/1.1', 'ICY');
const token = fc.constantFrom(
  'x',
  'set-cookie',
  'location',
  'connection',
  'content-type',
  '',
  ' ',
  ':',
  'x y',
  'é',
  '\0',
);
const value = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 40 }), fc.constant('a'.repeat(20_000)));
const framing = fc.constantFrom(
  ['content-length: 5'],
  ['content-length: 500'],
  ['content-length: 1'],
  ['content-length: -5'],
  ['content-length: 99999999999999999999'],
  ['content-length: 5', 'content-length: 6'],
  ['transfer-encoding: chunked'],
  ['transfer-encoding: chunked', 'content-length: 3'],
  ['transfer-encoding: gzip, chunked'],
  ['content-encoding: gzip', 'content-length: 5'],
  ['content-encoding: br', 'transfer-encoding: chunked'],
  [],
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      'hello',
      '5\r\nhello\r\n0\r\n\r\n',
      'ffffffffffffffff\r\nx',
      '5;x=y\r\nhel',
      '0\r\nx: y\r\n\r\n',
      '-1\r\n',
    )
    .map((text) => Buffer.from(text)),
);
const response = fc
  .record({ version, status, headers: fc.array(fc.tuple(token, value), { maxLength: 6 }), framing, body })
  .map(({ body: content, framing: frames, headers, status: code, version: http }) =>
    Buffer.concat([
      Buffer.from(
        [`${http} ${code} OK`, ...headers.map(([name, text]) => `${name}: ${text}`), ...frames, '', ''].join('\r\n'),
        'latin1',
      ),
      content,
    ]),
  );
const socks = fc
  .tuple(fc.constantFrom(5, 4, 0), fc.constantFrom(0, 2, 0xff), fc.uint8Array({ maxLength: 40 }))
  .map(([five, method, rest]) => Buffer.from([five, method, ...rest]));
const bytes = fc.oneof(
  { weight: 4, arbitrary: response },
  { weight: 1, arbitrary: socks },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 600 }).map((raw) => Buffer.from(raw)) },
  { weight: 1, arbitrary: fc.tuple(response, response).map((both) => Buffer.concat(both)) },
);

const answer = fc.record({
  bytes,
  cuts: fc.array(fc.nat(400), { maxLength: 3 }),
  ending: fc.constantFrom('close' as const, 'close' as const, 'close' as const, 'reset' as const, 'hang' as const),
});

function pieces(all: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts.toSorted((a, b) => a - b).map((cut) => Math.min(cut, all.length)), all.length];
  return edges.slice(1).map((end, index) => all.subarray(edges[index], end));
}

test.each([
  ['an origin', (port: number) => [{}, `http://127.0.0.1:${port}/`] as const],
  [
    'an origin, streamed',
    (port: number) => [{ options: { body: 'stream' as const } }, `http://127.0.0.1:${port}/`] as const,
  ],
  [
    'a proxy, asked for the url',
    (port: number) => [{ proxy: proxyAt(`http://a:b@127.0.0.1:${port}`) }, 'http://origin.test/'] as const,
  ],
  [
    'a proxy, asked for a tunnel',
    (port: number) => [{ proxy: proxyAt(`http://127.0.0.1:${port}`) }, 'https://origin.test/'] as const,
  ],
  [
    'a SOCKS proxy',
    (port: number) => [{ proxy: proxyAt(`socks5://a:b@127.0.0.1:${port}`) }, 'http://origin.test/'] as const,
  ],
  ['an origin, over TLS', (port: number) => [{}, `https://127.0.0.1:${port}/`] as const],
])('whatever bytes come from %s, the exchange ends in time', { timeout: 30_000 }, async (_who, way) => {
  const [parts, url] = way(server.port);
  await fc.assert(
    fc.asyncProperty(answer, async ({ bytes: raw, cuts, ending }) => {
      script = { pieces: pieces(raw, cuts), ending };
      expect(await mistakes(transport, url, parts)).toBeUndefined();
    }),
    { numRuns: Number(process.env['FUZZ_RUNS'] ?? 25) },
  );
});

test('none of them has left a connection behind', async () => {
  await expect.poll(() => server.openConnections, { timeout: 6_000 }).toBe(0);
});
