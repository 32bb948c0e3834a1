import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ExchangeLog } from '../../src/log/exchange-log.js';
import type { ExchangeRecord } from '../../src/log/exchange-record.js';
import { compose } from '../../src/pipeline/compose.js';
import type { Exchange, Reply } from '../../src/pipeline/exchange.js';
import type { Stage } from '../../src/pipeline/stage.js';
import { recordStage } from '../../src/stages/record.js';
import { retryStage } from '../../src/stages/retry.js';
import { wireStage } from '../../src/stages/wire.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { startOrigin } from '../servers/origin.js';
import { testExchange } from '../support/exchange.js';
import { aReply, anExchange, STARTED_MS } from './exchanges.js';
import { recordOf } from './log-support.js';

function recording(write?: () => void): {
  records: ExchangeRecord[];
  stage: Stage;
  run: (reply: () => Promise<Reply>) => Promise<Reply>;
} {
  const records: ExchangeRecord[] = [];
  const log: ExchangeLog = {
    write: write ?? ((line) => records.push(recordOf(line))),
    gather: async (line) => void (write === undefined ? records.push(recordOf(line)) : write()),
    flush: async () => true,
    close: async () => {},
  };
  const stage = recordStage({ log, clock: { now: () => STARTED_MS + 7 } });
  return { records, stage, run: (reply) => stage(anExchange(), reply) };
}

function streamed(body: Readable): Reply {
  return aReply({ body });
}

async function readable(reply: Reply): Promise<Readable> {
  if (reply.body instanceof Uint8Array) throw new Error('expected a stream');
  return reply.body;
}

test('a reply is logged before it is handed over, once, and as it came', async () => {
  const { records, run } = recording();
  const reply = aReply();
  expect(await run(async () => reply)).toBe(reply);
  expect(records).toHaveLength(1);
});

test('a clock that is set back, or is far ahead for a moment, touches no duration', async () => {
  let nowMs = STARTED_MS;
  const durations: unknown[] = [];
  const log: ExchangeLog = {
    write: () => {},
    async gather(line) {
      const { duration, end } = recordOf(line).event;
      durations.push(duration, Date.parse(String(end)) - STARTED_MS);
    },
    flush: async () => true,
    close: async () => {},
  };
  const stage = recordStage({ log, clock: { now: () => nowMs } });
  for (const jumpMs of [-3_600_000, 3_600_000]) {
    await stage(anExchange(), async () => {
      nowMs += jumpMs;
      await sleep(20);
      return aReply();
    });
  }
  const [back = 0, backEnd, ahead = 0, aheadEnd] = durations.map(Number);
  for (const duration of [back, ahead]) {
    expect(duration).toBeGreaterThanOrEqual(19e6);
    expect(duration).toBeLessThan(1e9);
  }
  expect([backEnd, aheadEnd]).toEqual([back, ahead].map((duration) => Math.trunc(duration / 1e6)));
});

test('a thrown error is logged and thrown on', async () => {
  const { records, run } = recording();
  const fault = new Error('broken');
  await expect(
    run(async () => {
      throw fault;
    }),
  ).rejects.toBe(fault);
  expect(records).toMatchObject([{ error: { message: 'broken' } }]);
});

test('a log that fails does not touch the reply', async () => {
  const warned = once(process, 'warning');
  const { run } = recording(() => {
    throw new Error('no log today');
  });
  expect(await run(async () => aReply())).toMatchObject({ status: 200 });
  expect(await warned).toMatchObject([{ message: 'no log today' }]);
});

test('a streamed reply is logged before its last chunk, with the bytes that passed', async () => {
  const { records, run } = recording();
  const reply = await run(async () => streamed(Readable.from([Buffer.from('one'), Buffer.from('three')])));
  expect(records).toHaveLength(0);
  const logged: number[] = [];
  for await (const _ of await readable(reply)) logged.push(records.length);
  expect(logged.at(-1)).toBe(1);
  expect(records).toMatchObject([{ event: { outcome: 'success' }, http: { response: { body: { bytes: 8 } } } }]);
});

test('bytes pass unchanged, also many of them', async () => {
  const { records, run } = recording();
  const chunks = Array.from({ length: 200 }, (_, n) => Buffer.alloc(n * 50, n));
  const reply = await run(async () => streamed(Readable.from(chunks)));
  expect((await buffer(await readable(reply))).equals(Buffer.concat(chunks))).toBe(true);
  expect(records).toHaveLength(1);
});

test('a chunk of a slow stream is not held back until the next one', async () => {
  const { run } = recording();
  const body = new PassThrough();
  const passed = await readable(await run(async () => streamed(body)));
  body.write('tick');
  const [chunk] = await once(passed, 'data');
  expect(String(chunk)).toBe('tick');
  body.end();
  await once(passed, 'end');
});

test('a body that breaks off is a failure, and the reader is told', async () => {
  const { records, run } = recording();
  const body = new PassThrough();
  const passed = await readable(await run(async () => streamed(body)));
  body.write('half');
  body.destroy(new Error('cut'));
  await expect(buffer(passed)).rejects.toThrow('cut');
  expect(records).toMatchObject([
    { event: { outcome: 'failure' }, error: { message: 'cut' }, http: { response: { status_code: 200 } } },
  ]);
});

test('a reader that lets go frees the body and is logged', async () => {
  const { records, run } = recording();
  const body = new PassThrough();
  const passed = await readable(await run(async () => streamed(body)));
  const closed = once(body, 'close');
  passed.destroy();
  await closed;
  expect(records).toHaveLength(1);
});

/** A real server that cuts its first `cuts` replies off in mid-body, behind the stages that meet its replies. */
async function cutting(status: number, cuts: number) {
  const wasCut: Promise<unknown>[] = [];
  const origin = await startOrigin((request, response) => {
    if (wasCut.length === cuts) {
      response.end('whole');
      return;
    }
    wasCut.push(once(request.socket, 'close'));
    response
      .writeHead(status, { 'content-length': 100 })
      .write('half', () => setTimeout(() => request.socket.destroy(), 20));
  });
  const transport = undiciTransport();
  const { stage, records } = recording();
  const clock = { now: () => Date.now() };
  const run = compose([retryStage({ clock }), stage], wireStage({ transport, clock }));
  const base = testExchange();
  const exchange: Exchange = {
    ...base,
    request: { ...base.request, url: new URL(origin.url), wire: { ...base.request.wire, body: 'stream' } },
  };
  const close = async () => {
    await transport.close();
    await origin.close();
  };
  return { run: () => run(exchange), origin, records, wasCut, [Symbol.asyncDispose]: close };
}

test('a streamed reply that breaks while the next attempt is waited for ends nothing but itself', async () => {
  await using server = await cutting(503, 1);
  const reply = await server.run();
  expect(reply.status).toBe(200);
  expect(String(await buffer(await readable(reply)))).toBe('whole');
  expect(server.records).toMatchObject([{ error: { code: 'ECONNRESET' } }, { event: { outcome: 'success' } }]);
});

test('a streamed reply that breaks before its reader has come tells it then', async () => {
  await using server = await cutting(200, 1);
  const body = await readable(await server.run());
  await server.wasCut[0];
  await expect.poll(() => body.destroyed).toBe(true);
  await expect(buffer(body)).rejects.toMatchObject({ code: 'ECONNRESET' });
});
