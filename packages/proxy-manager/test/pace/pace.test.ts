import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Pace } from '../../src/config/resolve.js';
import { ClosedError } from '../../src/errors.js';
import { HostPace } from '../../src/pace/host-pace.js';
import { limiters } from '../../src/pace/limiters.js';
import { compose } from '../../src/pipeline/compose.js';
import type { Exchange, Reply } from '../../src/pipeline/exchange.js';
import { openAttempt } from '../../src/pipeline/exchange.js';
import { paceStage } from '../../src/stages/pace.js';
import { wireStage } from '../../src/stages/wire.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { startOrigin } from '../servers/origin.js';
import { testExchange, testReply } from '../support/exchange.js';

function paced(pace: Partial<Pace> | undefined, parts: Partial<Exchange> = {}, host = 'a.example'): Exchange {
  const base = testExchange({ attempt: openAttempt(1, 0), ...parts });
  return {
    ...base,
    endpoint: {
      ...base.endpoint,
      pace: pace && { concurrency: undefined, minTimeMs: 0, reservoir: undefined, ...pace },
    },
    request: { ...base.request, url: new URL(`https://${host}/items`) },
  };
}

/** A `next` that tells when each attempt started, and ends it when asked to. */
function attempts() {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  let waiting: (() => void)[] = [];
  return {
    started,
    async next(_exchange?: Exchange) {
      started.push(performance.now());
      for (const tell of waiting) tell();
      waiting = [];
      await new Promise<void>((resolve) => ends.push(resolve));
      return testReply();
    },
    end: () => ends.shift()?.(),
    /** Resolves when `count` attempts have started. */
    async until(count: number): Promise<void> {
      while (started.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

async function reply() {
  return testReply();
}

test('an endpoint without pace goes straight on, in the same turn', async () => {
  const { stage } = paceStage(limiters(undefined));
  const exchange = paced(undefined);
  let reached = false;
  const done = stage(exchange, async () => {
    reached = true;
    return testReply();
  });
  expect(reached).toBe(true);
  await done;
  expect(exchange.attempt.paceMs).toBe(0);
});

test('no more attempts of a host at once than its concurrency, in the order of asking', async () => {
  const { stage } = paceStage(limiters(undefined));
  const { next, started, end, until } = attempts();
  const order: number[] = [];
  const sent = Array.from({ length: 6 }, (_, index) =>
    stage(paced({ concurrency: 2, minTimeMs: 0 }), (exchange) => {
      order.push(index);
      return next(exchange);
    }),
  );
  for (const running of [2, 3, 4, 5, 6]) {
    await until(running);
    // Time enough for one too many to start.
    await sleep(10);
    expect(started).toHaveLength(running);
    end();
  }
  end();
  await Promise.all(sent);
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a failed attempt gives its slot back', async () => {
  const { stage } = paceStage(limiters(undefined));
  const pace = { concurrency: 1, minTimeMs: 0 };
  await expect(stage(paced(pace), () => Promise.reject(new Error('no wire')))).rejects.toThrow('no wire');
  await expect(stage(paced(pace), reply)).resolves.toMatchObject({ status: 200 });
});

/** One streamed exchange, and a second one that waits for its slot. */
async function behindStream(body: Readable) {
  const { stage } = paceStage(limiters(undefined));
  const pace = { concurrency: 1, minTimeMs: 0 };
  const first = await stage(paced(pace), async () => testReply({ body }));
  expect(first.body).toBe(body);
  let started = false;
  const second = stage(paced(pace), async () => {
    started = true;
    return testReply();
  });
  await sleep(10);
  expect(started).toBe(false);
  return { second };
}

test.each([
  ['ends', (body: PassThrough) => body.resume().end('rest')],
  ['breaks', (body: PassThrough) => body.destroy(new Error('cut'))],
  ['is let go of', (body: PassThrough) => body.destroy()],
])('a streamed reply keeps its slot until its body %s', async (_how, finish) => {
  const body = new PassThrough();
  const { second } = await behindStream(body);
  finish(body);
  await expect(second).resolves.toMatchObject({ status: 200 });
});

test('a streamed body that has ended before it is handed on keeps no slot', async () => {
  const { stage } = paceStage(limiters(undefined));
  const pace = { concurrency: 1, minTimeMs: 0 };
  const body = new PassThrough();
  body.destroy();
  await once(body, 'close');
  await stage(paced(pace), async () => testReply({ body }));
  await expect(stage(paced(pace), reply)).resolves.toMatchObject({ status: 200 });
});

test('the next attempt of an exchange does not wait for the body of the one before', async () => {
  const { stage } = paceStage(limiters(undefined));
  const exchange = paced({ concurrency: 1, minTimeMs: 0 });
  await stage(exchange, async () => testReply({ status: 503, body: new PassThrough() }));
  await expect(stage({ ...exchange, attempt: openAttempt(2, 0) }, reply)).resolves.toMatchObject({ status: 200 });
});

test('no more streamed replies at once than the concurrency, as the server sees it', async () => {
  let underWay = 0;
  let most = 0;
  await using origin = await startOrigin((_request, response) => {
    most = Math.max(most, ++underWay);
    response.write('x');
    setTimeout(() => {
      underWay--;
      response.end('y');
    }, 30);
  });
  const transport = undiciTransport();
  const run = compose(
    [paceStage(limiters(undefined)).stage],
    wireStage({ transport, clock: { now: () => Date.now() } }),
  );
  const exchange = paced({ concurrency: 2, minTimeMs: 0 });
  const wire = { ...exchange.request.wire, body: 'stream' as const };
  const request = { ...exchange.request, url: new URL(origin.url), wire };
  const read = async () => {
    const { body } = await run({ ...exchange, request, trace: { ...exchange.trace } });
    expect(String(await buffer(body as Readable))).toBe('xy');
  };
  await Promise.all(Array.from({ length: 6 }, read));
  await transport.close();
  expect(most).toBe(2);
});

test('starts are minTimeMs apart, and the wait is noted', async () => {
  const { stage } = paceStage(limiters(undefined));
  const { next, started, end, until } = attempts();
  const exchanges = Array.from({ length: 4 }, () => paced({ concurrency: undefined, minTimeMs: 40 }));
  const sent = exchanges.map((exchange) => stage(exchange, next));
  await until(4);
  const gaps = started.slice(1).map((at, index) => at - (started[index] ?? 0));
  // Timers of Node count whole milliseconds.
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(38);
  expect(exchanges[3]?.attempt.paceMs).toBeGreaterThanOrEqual(114);
  for (const _ of exchanges) end();
  await Promise.all(sent);
});

test('hosts do not wait for one another', async () => {
  const { stage } = paceStage(limiters(undefined));
  const { next, started, end, until } = attempts();
  const pace = { concurrency: 1, minTimeMs: 60_000 };
  const sent = [stage(paced(pace, {}, 'a.example'), next), stage(paced(pace, {}, 'b.example'), next)];
  await until(2);
  expect(started).toHaveLength(2);
  end();
  end();
  await Promise.all(sent);
});

test('an aborted waiter rejects at once with the reason, and leaves no timer behind', async () => {
  const { stage } = paceStage(limiters(undefined));
  const pace = { concurrency: undefined, minTimeMs: 60_000 };
  await stage(paced(pace), reply);
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

  await sleep(20);
  const before = timers();
  const controller = new AbortController();
  const waiting = stage(paced(pace, { signal: controller.signal }), reply);
  await sleep(5);
  expect(timers()).toBe(before + 1);
  const reason = new Error('changed my mind');
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(timers()).toBe(before);
});

test('an aborted waiter spends neither its turn nor minTimeMs', async () => {
  const { stage } = paceStage(limiters(undefined));
  const pace = { concurrency: undefined, minTimeMs: 200 };
  const { next, started, end, until } = attempts();
  const controller = new AbortController();
  const sent = [stage(paced(pace), next)];
  const leaving = stage(paced(pace, { signal: controller.signal }), next);
  sent.push(stage(paced(pace), next));
  await until(1);
  controller.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  await until(2);
  const [first = 0, second = 0] = started;
  expect(second - first).toBeGreaterThanOrEqual(198);
  // Had the one that left used its start up, the other would start at 400.
  expect(second - first).toBeLessThan(380);
  end();
  end();
  await Promise.all(sent);
});

test('nor does one that leaves while Bottleneck already has its job', async () => {
  const { stage } = paceStage(limiters(undefined));
  const pace = { concurrency: 1, minTimeMs: 2000 };
  // The first use loads Bottleneck.
  await stage(paced(pace, {}, 'other.example'), reply);
  const controller = new AbortController();
  const leaving = stage(paced(pace, { signal: controller.signal }), reply);
  // The module is at hand by now, so the job has been handed over after a few microtasks.
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  controller.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  // Long enough for that job to have started for nobody.
  await sleep(50);
  const late = AbortSignal.timeout(1500);
  await expect(stage(paced(pace, { signal: late }), reply)).resolves.toMatchObject({ status: 200 });
});

test('an aborted waiter for a busy slot lets the next one have it', async () => {
  const { stage } = paceStage(limiters(undefined));
  const pace = { concurrency: 1, minTimeMs: 0 };
  const { next, end, until } = attempts();
  const controller = new AbortController();
  const sent = [stage(paced(pace), next)];
  const leaving = stage(paced(pace, { signal: controller.signal }), next);
  sent.push(stage(paced(pace), next));
  await until(1);
  controller.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  end();
  await until(2);
  end();
  await Promise.all(sent);
});

test('one that is aborted before it asks never waits', async () => {
  const { stage } = paceStage(limiters(undefined));
  const signal = AbortSignal.abort(new Error('too late'));
  await expect(stage(paced({ concurrency: 1, minTimeMs: 0 }, { signal }), reply)).rejects.toThrow('too late');
});

test('close sends away whoever waits, and whoever comes later', async () => {
  const { stage, close } = paceStage(limiters(undefined));
  const pace = { concurrency: 1, minTimeMs: 0 };
  const { next, end, until } = attempts();
  const running = stage(paced(pace), next);
  await until(1);
  const waiting = stage(paced(pace), next);
  await sleep(5);
  await close();
  await expect(waiting).rejects.toThrow(ClosedError);
  await expect(stage(paced(pace), next)).rejects.toThrow(ClosedError);
  end();
  await running;
});

test('without a spacing a slot goes from hand to hand, and Bottleneck is asked once for each', async () => {
  const asked = vi.spyOn(Bottleneck.prototype, 'schedule');
  onTestFinished(() => asked.mockRestore());
  const pace = { concurrency: 2, minTimeMs: 0, reservoir: undefined };
  const host = new HostPace(pace, await limiters(undefined).open('a.example', pace, () => {}));
  const { signal } = new AbortController();
  let running = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    const release = await host.acquire(signal);
    most = Math.max(most, (running += 1));
    await sleep(1);
    running -= 1;
    release();
  };
  await Promise.all(Array.from({ length: 40 }, work));
  await work();
  expect(most).toBe(2);
  expect(asked).toHaveBeenCalledTimes(2);
  expect(host.idle).toBe(true);
  host.close(new Error('closed'));
});

test('a reservoir lets so many start in each stretch, and keeps the process alive meanwhile', async () => {
  const { stage, close } = paceStage(limiters(undefined));
  const pace = { reservoir: { starts: 2, everyMs: 500 } };
  const started: number[] = [];
  const sent = Array.from({ length: 5 }, () =>
    stage(paced(pace), async () => {
      started.push(performance.now());
      return testReply();
    }),
  );
  await Promise.all(sent);
  const stretches = started.map((at) => Math.floor((at - (started[0] ?? 0) + 100) / 500));
  expect(stretches).toEqual([0, 0, 1, 1, 2]);
  await close();
});

test('a reservoir is spent by nobody who has left', async () => {
  const { stage, close } = paceStage(limiters(undefined));
  const pace = { reservoir: { starts: 1, everyMs: 500 } };
  await stage(paced(pace), reply);
  const controller = new AbortController();
  const leaving = stage(paced(pace, { signal: controller.signal }), reply);
  await sleep(20);
  controller.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  const askedMs = performance.now();
  await stage(paced(pace), reply);
  // Had the one that left used up the next stretch, this one would start in the one after it.
  expect(performance.now() - askedMs).toBeLessThan(900);
  await close();
});

/** Limiters on a Redis that answers on its first connection, and falls silent on all others. */
async function onHalfDeafRedis() {
  const [first, others]: [Socket[], Socket[]] = [[], []];
  const server = createServer((socket) => {
    (first.length === 0 ? first : others).push(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (socket === first[0]) socket.write('+PONG\r\n'.repeat(String(data).match(/^\*\d/gm)?.length ?? 0));
      else server.emit('asked');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Redis((server.address() as AddressInfo).port, '127.0.0.1', { enableReadyCheck: false });
  onTestFinished(() => {
    client.disconnect();
    for (const socket of [...first, ...others]) socket.destroy();
    server.close();
  });
  const asked = once(server, 'asked');
  const opened = paceStage(
    limiters({ client: async () => client, close: async () => {}, mask: (text: string) => text }),
  );
  onTestFinished(() => opened.close());
  return { ...opened, asked, lose: () => others.forEach((socket) => socket.destroy()) };
}

test('who gives up while a silent Redis is asked for the slots rejects at once; the others do when it closes', async () => {
  const { stage, asked, close } = await onHalfDeafRedis();
  const gone = new AbortController();
  const impatient = stage(paced({ concurrency: 1 }, { signal: gone.signal }), reply);
  const patient = stage(paced({ concurrency: 1 }), reply);
  const sentAway = expect(patient).rejects.toBeInstanceOf(ClosedError);
  await asked;
  gone.abort(new Error('changed my mind'));
  await expect(impatient).rejects.toThrow('changed my mind');
  await close();
  await sentAway;
});

test('a connection that is lost while the slots are opened is an error, and no wait without end', async () => {
  const { stage, asked, lose } = await onHalfDeafRedis();
  const waiting = stage(paced({ concurrency: 1 }), reply);
  const refused = expect(waiting).rejects.toThrow('pace: could not wait for a slot: the connection was lost');
  await asked;
  lose();
  await refused;
});

test('whoever comes upon a host in the moment in which it is dropped as idle is served', async () => {
  const { stage } = paceStage(limiters(undefined));
  const at = (name: string): Promise<Reply> => stage(paced({ concurrency: 1 }, {}, `${name}.example`), reply);
  await Promise.all(Array.from({ length: 1000 }, (_, n) => at(`host-${n}`)));
  const replies = await Promise.all(['host-5', 'another', 'host-6'].map(at));
  expect(replies).toHaveLength(3);
});

test('nothing is opened after it is closed', async () => {
  const own = limiters(undefined);
  const open = vi.fn<typeof own.open>(own.open);
  const { stage, close } = paceStage({ ...own, open });
  await close();
  await expect(stage(paced({ concurrency: 1 }), reply)).rejects.toBeInstanceOf(ClosedError);
  expect(open).not.toHaveBeenCalled();
});
