import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { BatchContext, ExchangeLog, ExchangeSink } from '../../src/log/exchange-log.js';
import { systemClock } from '../../src/clock.js';
import { deadLetters } from '../../src/log/dead-letters.js';
import { problemReports } from '../../src/log/problems.js';
import { openExchangeLog } from '../../src/log/open-exchange-log.js';
import { aLine, filesIn, idsOf, logDirectory } from './log-support.js';

const DAY_MS = 86_400_000;
const MAX_BYTES = 64 * 1024;

/** Records of 1 kB, in the order of their numbers. */
function writeMany(log: ExchangeLog, count: number, from = 0): string[] {
  const ids = Array.from({ length: count }, (_, index) => String(from + index));
  for (const id of ids) log.write(aLine(id, 900));
  return ids;
}

function bytesIn(directory: string): number {
  return filesIn(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

/** Every line of the spool, packed or not, oldest first. */
function linesIn(directory: string): string[] {
  return filesIn(directory)
    .toSorted()
    .flatMap((name) => {
      const bytes = readFileSync(join(directory, name));
      return String(name.endsWith('.gz') ? gunzipSync(bytes) : bytes)
        .split('\n')
        .filter(Boolean);
    });
}

function opened(directory: string, options: Partial<Parameters<typeof openExchangeLog>[0]> = {}) {
  const told: string[] = [];
  const log = openExchangeLog({
    directory,
    sinks: [],
    onProblem: (problem) => told.push(problem.message),
    ...options,
  });
  onTestFinished(() => log.close(10));
  return { log, told };
}

function sinkTo(taken: string[], parts: Partial<ExchangeSink> = {}): ExchangeSink {
  return {
    name: 'test',
    ship: async (lines) => void taken.push(...idsOf(lines)),
    close: async () => {},
    ...parts,
  };
}

test('without a sink closed segments are compressed, and nothing of them is lost', async () => {
  const directory = await logDirectory();
  const { log } = opened(directory, { bounds: { maxBytes: 8 * MAX_BYTES } });
  const ids = writeMany(log, 300);
  await vi.waitFor(() => expect(filesIn(directory).filter((name) => name.endsWith('.ndjson'))).toHaveLength(1));
  expect(idsOf(linesIn(directory))).toStrictEqual(ids);
  expect(bytesIn(directory)).toBeLessThan(100_000);
  const packed = filesIn(directory).find((name) => name.endsWith('.gz'));
  expect(statSync(join(directory, String(packed))).mode).toBe(0o100600);
});

test('beyond the bound in bytes the oldest go: the gap is told once, counted, and stands in the log', async () => {
  const directory = await logDirectory();
  const failing = sinkTo([], { ship: () => Promise.reject(new Error('away')) });
  const { log, told } = opened(directory, { bounds: { maxBytes: MAX_BYTES }, sinks: [failing] });
  for (let round = 0; round < 30; round++) {
    // Random, so that it stays as large when it is compressed.
    for (let n = 0; n < 10; n++) log.write(aLine(`${round}-${n}`, 0, incompressible()));
    await new Promise(setImmediate);
  }
  await vi.waitFor(() => expect(bytesIn(directory)).toBeLessThanOrEqual(MAX_BYTES * 1.2));
  const kept = linesIn(directory).map((line) => JSON.parse(line));
  const loss = kept.find(({ event }) => event.action === 'log-loss');
  const exchanges = kept.filter(({ event }) => event.action === undefined).map(({ event }) => event.id);
  expect(exchanges.at(-1)).toBe('29-9');
  expect(loss).toMatchObject({
    log: { level: 'error' },
    event: { kind: 'pipeline_error', outcome: 'failure', reason: 'log.maxBytes' },
    proxy_manager: { loss: { records: expect.any(Number) } },
  });
  expect(told.filter((message) => message.includes('has reached its bound'))).toHaveLength(1);
});

test('the gaps that stand in the log add up to what is missing, record by record', async () => {
  const directory = await logDirectory();
  const { log } = opened(directory, { bounds: { maxBytes: MAX_BYTES } });
  for (let n = 0; n < 200; n++) log.write(aLine(String(n), 0, incompressible()));
  await vi.waitFor(() => expect(bytesIn(directory)).toBeLessThanOrEqual(MAX_BYTES));
  await log.close();
  const kept = linesIn(directory).map((line) => JSON.parse(line));
  const exchanges = kept.filter(({ event }) => event.action === undefined);
  const lost = kept
    .filter(({ event }) => event.action === 'log-loss')
    .reduce((sum, { proxy_manager: { loss } }) => sum + Number(loss.records), 0);
  expect(lost).toBeGreaterThan(100);
  expect(lost + exchanges.length).toBe(200);
  const last = exchanges.map(({ event }) => Number(event.id));
  expect(last).toStrictEqual(Array.from({ length: last.length }, (_, n) => lost + n));
});

test('beyond the bound in days they go as well, and what is older than an hour is closed', async () => {
  const directory = await logDirectory();
  let now = Date.parse('2026-01-01T00:00:00Z');
  const options = { bounds: { maxDays: 2 }, clock: { now: () => now } };
  const first = openExchangeLog({ directory, sinks: [], onProblem: () => {}, ...options });
  first.write(aLine('old'));
  await first.close();
  now += DAY_MS;
  const second = openExchangeLog({ directory, sinks: [], onProblem: () => {}, ...options });
  second.write(aLine('younger'));
  await second.close();
  now += DAY_MS + 1;
  const { log, told } = opened(directory, options);
  log.write(aLine('now'));
  await vi.waitFor(() => expect(idsOf(linesIn(directory))).not.toContain('old'));
  expect(idsOf(linesIn(directory)).slice(0, 2)).toStrictEqual(['younger', 'now']);
  expect(told).toStrictEqual([expect.stringContaining('has reached 2 days')]);
});

test('while a sink is away closed segments are compressed; all of it is shipped once when it is back', async () => {
  const directory = await logDirectory();
  const taken: string[] = [];
  let isAway = true;
  const sink = sinkTo(taken, {
    async ship(lines) {
      if (isAway) throw new Error('away');
      taken.push(...idsOf(lines));
    },
  });
  const { log } = opened(directory, { bounds: { maxBytes: 8 * MAX_BYTES }, sinks: [sink] });
  const ids = writeMany(log, 100);
  expect(await log.flush(300)).toBe(false);
  ids.push(...writeMany(log, 300, 100));
  await vi.waitFor(() => expect(filesIn(directory).filter((name) => name.endsWith('.gz')).length).toBeGreaterThan(2));
  isAway = false;
  expect(await log.flush(10_000)).toBe(true);
  expect(taken).toStrictEqual(ids);
});

test('what a log without a sink has compressed is shipped by the next one that has a sink', async () => {
  const directory = await logDirectory();
  const first = openExchangeLog({ directory, sinks: [], bounds: { maxBytes: 8 * MAX_BYTES } });
  const ids = writeMany(first, 200);
  await vi.waitFor(() => expect(filesIn(directory).some((name) => name.endsWith('.gz'))).toBe(true));
  await first.close();
  const taken: string[] = [];
  opened(directory, { sinks: [sinkTo(taken)] });
  await vi.waitFor(() => expect(taken).toStrictEqual(ids), { timeout: 5000 });
  await vi.waitFor(() => expect(filesIn(directory)).toStrictEqual([]));
});

test('a batch is in doubt after a fault, and when its writer is gone, and else not', async () => {
  const directory = await logDirectory();
  const doubts: boolean[] = [];
  let isAway = true;
  const sink = sinkTo([], {
    async ship(_lines, _signal, batch) {
      doubts.push(batch?.isDoubtful === true);
      if (isAway) throw new Error('away');
    },
  });
  const { log } = opened(directory, { sinks: [sink] });
  log.write(aLine('1'));
  expect(await log.flush(100)).toBe(false);
  isAway = false;
  expect(await log.flush()).toBe(true);
  log.write(aLine('2'));
  await log.flush();
  expect(doubts.at(0)).toBe(false);
  expect(doubts.slice(1, -1)).not.toContain(false);
  expect(doubts.at(-1)).toBe(false);

  isAway = true;
  log.write(aLine('3'));
  await log.close(50);
  doubts.length = 0;
  isAway = false;
  opened(directory, { sinks: [sink] });
  await vi.waitFor(() => expect(doubts).toStrictEqual([true]), { timeout: 3000 });
});

test('what a sink refuses for good is put aside with its reason, and the others go on', async () => {
  const directory = await logDirectory();
  const sink = sinkTo([], {
    async ship(lines: readonly string[], _signal: AbortSignal, batch?: BatchContext) {
      for (const line of lines) if (line.includes('bad')) batch?.refuse(line, 'I do not like it');
    },
  });
  const { log } = opened(directory, { sinks: [sink] });
  log.write(aLine('good'));
  log.write(aLine('bad'));
  expect(await log.flush()).toBe(true);
  expect(readdirSync(join(directory, 'dead-letters'))).toStrictEqual(['test.1.ndjson']);
  expect(JSON.parse(readFileSync(join(directory, 'dead-letters', 'test.1.ndjson'), 'utf8'))).toMatchObject({
    sink: 'test',
    reason: 'I do not like it',
    record: { event: { id: 'bad' } },
  });
});

test('what a full disk left of a record, and a sink refuses, is put aside as text', async () => {
  const directory = await logDirectory();
  const fragment = '{"event":{"id":"cut","kind":"event"}';
  const letters = deadLetters({ directory, clock: systemClock, problems: problemReports() });
  letters.add('test', fragment, 'no JSON');
  expect(JSON.parse(readFileSync(join(directory, 'dead-letters', 'test.1.ndjson'), 'utf8'))).toMatchObject({
    reason: 'no JSON',
    record: fragment,
  });
});

function incompressible(): string {
  return Array.from({ length: 900 }, () => String.fromCharCode(35 + Math.floor(Math.random() * 56))).join('');
}
