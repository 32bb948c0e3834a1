import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Transport } from '../../src/transport/transport.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { selfSigned } from '../servers/certificate.js';
import type { Listening } from '../servers/listen.js';
import { END_HEADERS, END_STREAM, field, frame, FRAME, startRawHttp2 } from '../servers/raw-http2.js';
import { mistakes } from './mistakes.js';

type Ending = 'close' | 'hang' | 'reset';

/** The next request is answered with these pieces, each of which is told the stream, and the connection then ended. */
let script: { readonly pieces: readonly ((stream: number) => Buffer)[]; readonly ending: Ending };
let server: Listening;
let transport: Transport;

beforeAll(async () => {
  const certificate = selfSigned();
  transport = undiciTransport({ tls: { ca: certificate.cert }, connectMs: 500, headersMs: 150, bodyMs: 150 });
  server = await startRawHttp2(certificate, (socket, stream) => void play(socket, stream));
});
afterAll(async () => {
  await transport.close();
  await server.close();
});

async function play(socket: TLSSocket, stream: number): Promise<void> {
  const { pieces, ending } = script;
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece(stream));
    await turn();
  }
  if (ending === 'close') socket.end();
  if (ending === 'reset') socket.destroy();
}

const bytes = (maxLength: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map((raw) => Buffer.from(raw));
const u32 = fc.oneof(fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1), fc.nat(20)).map((number) => {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(number);
  return four;
});

const status = fc.constantFrom('100', '101', '103', '200', '204', '304', '407', '500', '999', '0', '-1', '', 'x');
const fields = fc.array(
  fc.tuple(
    fc.constantFrom('x', 'X', ':status', ':path', 'content-length', 'connection', 'location', 'content-encoding', ''),
    fc.constantFrom('', '5', '99999999999999999999', 'gzip', 'close', 'a\r\nb: c', '\0', 'y'.repeat(20_000)),
    fc.boolean(),
  ),
  { maxLength: 5 },
);
const block = fc.oneof(
  { weight: 4, arbitrary: fc.constant(Buffer.from([0x88])) },
  { weight: 4, arbitrary: fc.tuple(status, fields).map(([code, more]) => headOf(code, more)) },
  // Anything, among it what refers to tables that are not there.
  { weight: 1, arbitrary: bytes(100) },
);

function headOf(code: string, more: readonly (readonly [string, string, boolean])[]): Buffer {
  return Buffer.concat([field(':status', code), ...more.map((one) => field(...one))]);
}

const settings = fc
  .array(fc.tuple(fc.nat(9), u32), { maxLength: 4 })
  .map((all) => Buffer.concat(all.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), value]))));

type Piece = (stream: number) => Buffer;
const flags = fc.constantFrom(0, END_STREAM, END_HEADERS, END_STREAM | END_HEADERS, 8, 32, 255);
/** Mostly the stream that was asked on. */
const place = fc.oneof(
  { weight: 6, arbitrary: fc.constant((stream: number) => stream) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2, 99, 2 ** 31 - 1).map((other) => () => other) },
);
const of = (type: number, payload: fc.Arbitrary<Buffer>, own: fc.Arbitrary<number> = flags): fc.Arbitrary<Piece> =>
  fc.tuple(own, place, payload).map(
    ([flag, at, content]) =>
      (stream) =>
        frame(type, flag, at(stream), content),
  );
const ofAll = (type: number, payload: fc.Arbitrary<Buffer>): fc.Arbitrary<Piece> =>
  fc.tuple(fc.constantFrom(0, 0, 1), payload).map(
    ([flag, content]) =>
      () =>
        frame(type, flag, 0, content),
  );

const head = of(FRAME.headers, block, fc.constantFrom(END_HEADERS, END_HEADERS, END_HEADERS | END_STREAM));
const piece: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 5, arbitrary: head },
  { weight: 2, arbitrary: of(FRAME.headers, block) },
  { weight: 5, arbitrary: of(FRAME.data, fc.oneof(bytes(300), fc.constant(Buffer.alloc(16_384)))) },
  { weight: 2, arbitrary: of(FRAME.data, fc.constant(Buffer.from('"ok"')), fc.constant(END_STREAM)) },
  { weight: 2, arbitrary: of(FRAME.reset, u32) },
  { weight: 2, arbitrary: ofAll(FRAME.settings, settings) },
  {
    weight: 2,
    arbitrary: ofAll(
      FRAME.goaway,
      fc.tuple(u32, u32).map((both) => Buffer.concat(both)),
    ),
  },
  { weight: 2, arbitrary: of(FRAME.windowUpdate, u32) },
  {
    weight: 1,
    arbitrary: of(
      FRAME.pushPromise,
      fc.tuple(u32, block).map((both) => Buffer.concat(both)),
    ),
  },
  { weight: 1, arbitrary: of(FRAME.continuation, block) },
  { weight: 1, arbitrary: ofAll(FRAME.ping, bytes(9)) },
  { weight: 1, arbitrary: of(FRAME.priority, bytes(6)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(255), flags, bytes(50)).map((any) => () => frame(any[0], any[1], 1, any[2])),
  },
  // A length that is not its own: too long for anyone, or that of a frame which never ends.
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(9), fc.constantFrom(0, 5, 16_385, 2 ** 24 - 1), bytes(40)).map(
      ([type, length, content]): Piece =>
        (stream) =>
          frame(type, 0, stream, content, length),
    ),
  },
  { weight: 1, arbitrary: bytes(200).map((raw) => () => raw) },
);
/** A storm of one of them. */
const storm = fc.tuple(piece, fc.constantFrom(20, 2_000)).map(
  ([one, times]): Piece =>
    (stream) =>
      Buffer.concat(Array.from({ length: times }, () => one(stream)).slice(0, 2_000)),
);
const answer = fc.record({
  pieces: fc.array(fc.oneof({ weight: 12, arbitrary: piece }, { weight: 1, arbitrary: storm }), {
    minLength: 1,
    maxLength: 6,
  }),
  start: fc.option(head, { freq: 1 }),
  cut: fc.option(fc.nat(60), { freq: 4 }),
  ending: fc.constantFrom<Ending>('close', 'close', 'close', 'reset', 'hang'),
});

test.each([
  ['whole', 'buffer' as const],
  ['as it comes', 'stream' as const],
  ['either way', 'either' as const],
])('whatever frames come, an exchange read %s ends in time', { timeout: 60_000 }, async (_how, body) => {
  await fc.assert(
    fc.asyncProperty(answer, async ({ pieces, start, cut, ending }) => {
      const all = start === null ? pieces : [start, ...pieces];
      // The last one in halves: the connection may end within a frame.
      const last = all.at(-1);
      const halved: Piece[] =
        cut === null || last === undefined ? all : [...all.slice(0, -1), (stream) => last(stream).subarray(0, cut)];
      script = { pieces: halved, ending };
      expect(await mistakes(transport, `https://127.0.0.1:${server.port}/`, { options: { body } })).toBeUndefined();
    }),
    { numRuns: Number(process.env['FUZZ_RUNS'] ?? 25) },
  );
});

test('none of them has left a connection behind', async () => {
  await expect.poll(() => server.openConnections, { timeout: 15_000 }).toBe(0);
});
