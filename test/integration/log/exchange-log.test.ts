import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { ExchangeLog, ExchangeSink } from '../../../packages/proxy-manager/src/log/exchange-log.js';
import { openExchangeLog } from '../../../packages/proxy-manager/src/log/open-exchange-log.js';
import { isGone, ownerName } from '../../../packages/proxy-manager/src/owner.js';
import { BATCH_MAX_LINES } from '../../../packages/proxy-manager/src/log/segment-reader.js';
import { listSegments } from '../../../packages/proxy-manager/src/log/segment.js';
import { SEGMENT_MAX_BYTES } from '../../../packages/proxy-manager/src/log/spool.js';
import {
  aLine,
  aRecord,
  filesIn,
  forkChild,
  idsOf,
  logDirectory,
  spooledIds,
  testSink,
} from '../../../packages/proxy-manager/test/log/log-support.js';

function openLog(directory: string, sinks: readonly ExchangeSink[], told: string[] = []): ExchangeLog {
  const log = openExchangeLog({ directory, sinks, onProblem: (problem) => told.push(problem.message) });
  onTestFinished(() => log.close(0));
  return log;
}

function owners(directory: string): string[] {
  return listSegments(directory).map(({ owner }) => owner);
}

test('without a sink the spool is the log, and is kept', async () => {
  const directory = await logDirectory();
  const log = openLog(directory, []);
  log.write(aLine('1'));
  expect(await log.flush()).toBe(true);
  await log.close();
  expect(spooledIds(directory)).toStrictEqual(['1']);
});

test('flush brings every record to every sink, in order and once; close leaves nothing behind', async () => {
  const directory = await logDirectory();
  const sinks = [testSink('a'), testSink('b')];
  const log = openLog(directory, sinks);
  for (const id of ['1', '2', '3']) log.write(aLine(id));
  expect(await log.flush()).toBe(true);
  log.write(aLine('4'));
  await log.close();
  for (const sink of sinks) expect(sink.ids()).toStrictEqual(['1', '2', '3', '4']);
  expect(filesIn(directory)).toStrictEqual([]);
});

test('a record goes out by itself within about a second', async () => {
  const sink = testSink();
  const log = openLog(await logDirectory(), [sink]);
  log.write(aLine('1'));
  await vi.waitFor(() => expect(sink.ids()).toStrictEqual(['1']), { timeout: 3000 });
});

test('batches are bounded in lines and bytes, and a line longer than a batch goes alone', async () => {
  const sink = testSink();
  const log = openLog(await logDirectory(), [sink]);
  for (let number = 0; number < BATCH_MAX_LINES + 1; number++) log.write(aLine(`small-${number}`));
  for (let number = 0; number < 5; number++) log.write(aLine(`large-${number}`, 800_000));
  log.write(aLine('huge', 6_000_000));
  expect(await log.flush()).toBe(true);
  expect(sink.batches.map(({ length }) => length)).toStrictEqual([1000, 3, 2, 1, 1]);
  expect(sink.ids()).toHaveLength(BATCH_MAX_LINES + 7);
  expect(new Set(sink.ids()).size).toBe(BATCH_MAX_LINES + 7);
});

test('a sink that is away gets all of it when it is back; the outage is told once', async () => {
  const told: string[] = [];
  const sink = testSink();
  sink.failing = true;
  const log = openLog(await logDirectory(), [sink], told);
  log.write(aLine('1'));
  expect(await log.flush(1000)).toBe(false);
  expect(sink.attempts).toBeGreaterThan(1);
  log.write(aLine('2'));
  sink.failing = false;
  expect(await log.flush()).toBe(true);
  expect(sink.ids()).toStrictEqual(['1', '2']);
  expect(told).toMatchObject([expect.stringContaining('the sink is away')]);
});

test('the pauses between the tries of a sink that is away grow', async () => {
  const sink = testSink();
  sink.failing = true;
  const log = openLog(await logDirectory(), [sink]);
  log.write(aLine('1'));
  expect(await log.flush(3000)).toBe(false);
  // After 250 ms, 500, 1000 and 2000, each shortened to its half at most; pauses that did not grow would be a dozen.
  expect(sink.attempts).toBeLessThanOrEqual(5);
});

test('a sink that is away does not hold up another', async () => {
  const [away, there] = [testSink('away'), testSink('there')];
  away.failing = true;
  const log = openLog(await logDirectory(), [away, there]);
  log.write(aLine('1'));
  expect(await log.flush(200)).toBe(false);
  expect(there.ids()).toStrictEqual(['1']);
});

test('close does not hang on a sink that never answers, and the next log ships what is left', async () => {
  const directory = await logDirectory();
  const deaf: ExchangeSink = { name: 'test', ship: () => new Promise(() => {}), close: async () => {} };
  const log = openLog(directory, [deaf]);
  log.write(aLine('1'));
  const startedMs = performance.now();
  await log.close(100);
  expect(performance.now() - startedMs).toBeLessThan(1000);
  expect(owners(directory)).toStrictEqual(['free']);
  const sink = testSink();
  openLog(directory, [sink]);
  await vi.waitFor(() => expect(sink.ids()).toStrictEqual(['1']), { timeout: 3000 });
  await vi.waitFor(() => expect(filesIn(directory)).toStrictEqual([]));
});

test('a full segment is removed when it is shipped; the open one stays', async () => {
  const directory = await logDirectory();
  const sink = testSink();
  const log = openLog(directory, [sink]);
  log.write(aLine('1', SEGMENT_MAX_BYTES));
  log.write(aLine('2'));
  expect(await log.flush()).toBe(true);
  expect(spooledIds(directory)).toStrictEqual(['2']);
});

test('the cursor lets the next log go on where the last one was', async () => {
  const directory = await logDirectory();
  const first = testSink();
  const log = openLog(directory, [first]);
  log.write(aLine('1'));
  await log.flush();
  first.failing = true;
  log.write(aLine('2'));
  await log.close(50);
  const second = testSink();
  await openedAndFlushed(directory, second);
  expect(second.ids()).toStrictEqual(['2']);
});

test(
  'what a killed process left is shipped by a living one, and a living one keeps its own',
  { timeout: 20_000 },
  async () => {
    const directory = await logDirectory();
    const child = forkChild(directory, 'endless');
    if (child.stdout === null) throw new Error('no output');
    await once(child.stdout, 'data');

    const early = testSink();
    await openedAndFlushed(directory, early);
    expect(early.ids()).toStrictEqual([]);

    child.kill('SIGKILL');
    await once(child, 'exit');
    const left = spooledIds(directory);
    expect(left.length).toBeGreaterThan(0);
    // Two at once: one of them gets the segment.
    const [one, two] = [testSink(), testSink()];
    const logs = [openLog(directory, [one]), openLog(directory, [two])];
    await vi.waitFor(() => expect([...one.ids(), ...two.ids()]).toStrictEqual(left), { timeout: 3000 });
    await Promise.all(logs.map((log) => log.close()));
    expect(filesIn(directory)).toStrictEqual([]);
  },
);

test('a finished program ends, though its records wait for a sink that is away', { timeout: 20_000 }, async () => {
  const directory = await logDirectory();
  const child = forkChild(directory, 'forgetful');
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(spooledIds(directory)).toStrictEqual([`${child.pid}-0`]);
});

test('a torn line, as a full disk or a power cut leaves it, is passed over', async () => {
  const directory = await logDirectory();
  mkdirSync(directory);
  const path = join(directory, '2026-01-01T00-00-00-000Z-x-1.free.ndjson');
  const line = JSON.stringify(aRecord('1'));
  writeFileSync(path, `${line}\n${line.slice(0, 30)}\n${line}\n${line}`);
  truncateSync(path, statSync(path).size - 5);
  const sink = testSink();
  await openedAndFlushed(directory, sink);
  expect(idsOf(sink.batches.flat())).toStrictEqual(['1', '1']);
  expect(filesIn(directory)).toStrictEqual([]);
});

test('a segment that vanishes is told, and the rest goes on', async () => {
  const directory = await logDirectory();
  const told: string[] = [];
  const sink = testSink();
  const log = openLog(directory, [sink], told);
  log.write(aLine('1'));
  renameSync(directory, `${directory}-away`);
  expect(await log.flush(500)).toBe(false);
  log.write(aLine('2'));
  expect(await log.flush()).toBe(true);
  expect(sink.ids()).toStrictEqual(['2']);
  expect(told).toMatchObject([expect.stringContaining('could not read')]);
});

test('files of others in the directory are left alone', async () => {
  const directory = await logDirectory();
  mkdirSync(directory);
  appendFileSync(join(directory, 'notes.txt'), 'mine');
  appendFileSync(join(directory, 'export.ndjson'), '{}');
  const sink = testSink();
  await openedAndFlushed(directory, sink);
  expect(sink.ids()).toStrictEqual([]);
  expect(filesIn(directory)).toStrictEqual(['export.ndjson', 'notes.txt']);
});

test('an owner elsewhere counts as gone only when it has been silent', async () => {
  const now = Date.now();
  expect(isGone(ownerName(), 0, now)).toBe(false);
  expect(isGone('free', now, now)).toBe(true);
  expect(isGone('00000000-1-2-0-1', now, now)).toBe(false);
  expect(isGone('00000000-1-2-0-1', now - 600_000, now)).toBe(true);
  const [place, pid] = ownerName().split('-');
  // The same process id, but a process that started at another time.
  expect(isGone(`${place}-${pid}-1-0-1`, now, now)).toBe(process.platform === 'linux');
});

async function openedAndFlushed(directory: string, sink: ExchangeSink): Promise<void> {
  const log = openLog(directory, [sink]);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  await log.close();
}
