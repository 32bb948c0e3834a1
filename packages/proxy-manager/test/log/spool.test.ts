import { once } from 'node:events';
import { closeSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { openExchangeLog } from '../../src/log/open-exchange-log.js';
import { problemReports } from '../../src/log/problems.js';
import type { Segment } from '../../src/log/segment.js';
import { listSegments } from '../../src/log/segment.js';
import { openSpool, SEGMENT_MAX_AGE_MS, SEGMENT_MAX_BYTES } from '../../src/log/spool.js';
import type { Spool } from '../../src/log/spool.js';
import { aLine, aRecord, forkChild, logDirectory, spooledIds } from './log-support.js';

function spoolIn(
  directory: string,
  clock = { now: () => Date.now() },
): { spool: Spool; segments: Segment[]; told: string[] } {
  const segments: Segment[] = [];
  const told: string[] = [];
  const problems = problemReports((problem) => told.push(problem.message));
  const spool = openSpool({ directory, owner: 'me', clock, problems, onOpen: (segment) => segments.push(segment) });
  return { spool, segments, told };
}

test('nothing is made before the first record; then it is there when write returns, for its owner only', async () => {
  const directory = await logDirectory();
  const { spool, segments } = spoolIn(directory);
  expect(readdirSync(dirname(directory))).toStrictEqual([]);
  const bytes = spool.write([aLine('1').text]);
  const [segment] = listSegments(directory);
  if (segment === undefined) throw new Error('no segment');
  expect(readFileSync(segment.path, 'utf8')).toBe(`${JSON.stringify(aRecord('1'))}\n`);
  expect(readFileSync(join(directory, '.gitignore'), 'utf8')).toBe('*\n');
  expect(statSync(segment.path)).toMatchObject({ size: bytes, mode: 0o100600 });
  expect(segments).toMatchObject([{ size: bytes, open: true, path: segment.path }]);
});

test('records of whatever length and script lie there as they were, and are counted in bytes', async () => {
  const { spool, segments } = spoolIn(await logDirectory());
  const lengths = [0, 1, 7_000, 21_843, 21_844, 21_845, 21_846, 100_000];
  const lines = ['x', 'ü', '日', '😀'].flatMap((character) =>
    lengths.map((length) => JSON.stringify({ text: character.repeat(length).slice(0, length) })),
  );
  const bytes = lines.map((line) => spool.write([line]));
  expect(bytes).toEqual(lines.map((line) => Buffer.byteLength(line) + 1));
  const [segment] = segments;
  expect(readFileSync(segment?.path ?? '', 'utf8') === `${lines.join('\n')}\n`).toBe(true);
  expect(segment?.size).toBe(bytes.reduce((sum, each) => sum + each));
});

test('segments are changed by size and by age, and sort by time', async () => {
  const directory = await logDirectory();
  let now = Date.now();
  const { spool, segments } = spoolIn(directory, { now: () => now });
  spool.write([aLine('1', SEGMENT_MAX_BYTES).text]);
  spool.write([aLine('2').text]);
  now += SEGMENT_MAX_AGE_MS;
  spool.write([aLine('3').text]);
  expect(segments.map(({ open }) => open)).toStrictEqual([false, false, true]);
  expect(spooledIds(directory)).toStrictEqual(['1', '2', '3']);
});

test('a disk that refuses loses records, tells it once, and the log goes on when it is back', async () => {
  const directory = await logDirectory();
  const { spool, told } = spoolIn(directory);
  // A file stands where the directory should be: this fails for root, too.
  writeFileSync(directory, '');
  expect([spool.write([aLine('1').text]), spool.write([aLine('2').text])]).toStrictEqual([0, 0]);
  expect(told).toMatchObject([expect.stringContaining('records are being lost')]);
  rmSync(directory);
  expect(spool.write([aLine('3').text])).toBeGreaterThan(0);
  expect(told.slice(1)).toMatchObject([expect.stringContaining('2 records were lost')]);
  expect(spooledIds(directory)).toStrictEqual(['3']);
});

test('a file that breaks under the log is left for a new one, and nothing is lost', async () => {
  const directory = await logDirectory();
  const { spool, told } = spoolIn(directory);
  spool.write([aLine('1').text]);
  const [segment] = listSegments(directory);
  closeSync(descriptorOf(String(segment?.path)));
  expect(spool.write([aLine('2').text])).toBeGreaterThan(0);
  expect(spooledIds(directory)).toStrictEqual(['1', '2']);
  expect(told).toHaveLength(1);
});

test('a directory taken away is found out by the next sign of life', async () => {
  const directory = await logDirectory();
  const { spool } = spoolIn(directory);
  spool.write([aLine('1').text]);
  rmSync(directory, { recursive: true });
  spool.touch();
  spool.write([aLine('2').text]);
  expect(spooledIds(directory)).toStrictEqual(['2']);
});

test('a process killed at any moment has lost no record that it was done writing', { timeout: 20_000 }, async () => {
  const directory = await logDirectory();
  const child = forkChild(directory, 'endless');
  let seen = '';
  const enough = new Promise<void>((resolve) => {
    child.stdout?.on('data', (text: Buffer) => {
      seen += String(text);
      if (seen.length > 2000) resolve();
    });
  });
  await enough;
  child.kill('SIGKILL');
  await Promise.all([once(child, 'exit'), child.stdout && once(child.stdout, 'end')]);
  const acknowledged = seen.split('\n').slice(0, -1);
  const kept = new Set(spooledIds(directory));
  expect(acknowledged.length).toBeGreaterThan(300);
  expect(acknowledged.filter((number) => !kept.has(`${child.pid}-${number}`))).toStrictEqual([]);
});

test("several logs of one process on one directory keep out of each other's way", async () => {
  const directory = await logDirectory();
  const [one, two] = [openExchangeLog({ directory, sinks: [] }), openExchangeLog({ directory, sinks: [] })];
  one.write(aLine('1'));
  two.write(aLine('2'));
  await Promise.all([one.close(), two.close()]);
  expect(spooledIds(directory).toSorted()).toStrictEqual(['1', '2']);
  expect(await one.flush()).toBe(true);
});

test('a record that comes after close opens no file; how many are lost is told', async () => {
  const directory = await logDirectory();
  const { spool, segments, told } = spoolIn(directory);
  spool.write([aLine('1').text]);
  spool.close();
  expect([spool.write([aLine('2').text]), spool.write([aLine('3').text])]).toStrictEqual([0, 0]);
  spool.close();
  await new Promise(setImmediate);
  expect(segments).toMatchObject([{ open: false }]);
  expect(spooledIds(directory)).toStrictEqual(['1']);
  expect(told).toStrictEqual([`exchange log: records that came after ${directory} was closed are lost: 2`]);
});

test('a record that comes after a log was closed ships nowhere and is told', async () => {
  const directory = await logDirectory();
  const told: string[] = [];
  const log = openExchangeLog({ directory, sinks: [], onProblem: (problem) => told.push(problem.message) });
  log.write(aLine('1'));
  await log.close();
  log.write(aLine('2'));
  await new Promise(setImmediate);
  expect(spooledIds(directory)).toStrictEqual(['1']);
  expect(told).toMatchObject([expect.stringContaining('are lost: 1')]);
});

/** The descriptor of this process that `path` is open under. */
function descriptorOf(path: string): number {
  const { ino, dev } = statSync(path);
  for (const name of readdirSync('/dev/fd')) {
    try {
      const found = statSync(join('/dev/fd', name));
      if (found.ino === ino && found.dev === dev) return Number(name);
    } catch {
      // The listing's own descriptor is closed again.
    }
  }
  throw new Error(`${path} is not open`);
}
