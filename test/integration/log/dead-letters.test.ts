import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { deadLetters } from '../../../packages/proxy-manager/src/log/dead-letters.js';
import { problemReports } from '../../../packages/proxy-manager/src/log/problems.js';
import { logDirectory } from './support.js';

const MAX_BYTES = 4096;
const WRITERS = ['one', 'two', 'three'];
const ROUNDS = 150;

function writerOf(name: string): ChildProcess {
  const script = fileURLToPath(new URL('letter-writer.mjs', import.meta.url));
  const writer = fork(script, [JSON.stringify({ name, maxBytes: MAX_BYTES })]);
  onTestFinished(() => void writer.kill('SIGKILL'));
  return writer;
}

/** What each writer says next, once `work` is done. */
async function allSay(writers: readonly ChildProcess[], work: () => void): Promise<unknown[]> {
  const said = Promise.all(writers.map((writer) => once(writer, 'message')));
  work();
  return (await said).map(([message]: unknown[]) => message);
}

/** The `event.id` of every letter. */
function lettersIn(directory: string): string[] {
  const letters = join(directory, 'dead-letters');
  return readdirSync(letters)
    .flatMap((name) => readFileSync(join(letters, name), 'utf8').split('\n').filter(Boolean))
    .map((line) => {
      const { record }: { record: { event: { id: string } } } = JSON.parse(line);
      return record.event.id;
    });
}

function fill(directory: string): void {
  mkdirSync(join(directory, 'dead-letters'), { recursive: true });
  const letter = { record: { event: { id: 'before' } }, padding: 'x'.repeat(MAX_BYTES) };
  writeFileSync(join(directory, 'dead-letters', 'test.1.ndjson'), `${JSON.stringify(letter)}\n`);
}

test(`a full file is turned over by ${WRITERS.length} processes at once, and no letter is lost`, async () => {
  const parent = await logDirectory();
  const writers = WRITERS.map(writerOf);
  for (let round = 0; round < ROUNDS; round++) {
    const directory = join(parent, String(round));
    fill(directory);
    await allSay(writers, () => writers.forEach((writer) => writer.send(directory)));
    const told = await allSay(writers, () => writeFileSync(join(directory, 'go'), ''));
    expect([round, ...told.flat(), ...lettersIn(directory).toSorted()]).toStrictEqual([
      round,
      'before',
      ...WRITERS.toSorted(),
    ]);
  }
});

test('the newest letters are kept: at least the bound, and about twice as much at most', async () => {
  const directory = await logDirectory();
  const letters = deadLetters({
    directory,
    clock: { now: () => Date.now() },
    problems: problemReports(),
    maxBytes: MAX_BYTES,
  });
  const bytes = (): number =>
    readdirSync(join(directory, 'dead-letters'))
      .map((name) => readFileSync(join(directory, 'dead-letters', name)).length)
      .reduce((sum, each) => sum + each, 0);
  let most = 0;
  for (let n = 0; n < 1000; n++) {
    letters.add('test', JSON.stringify({ event: { id: String(n) } }), 'refused');
    most = Math.max(most, bytes());
  }
  const kept = lettersIn(directory)
    .map(Number)
    .toSorted((one, other) => one - other);
  expect(kept).toStrictEqual(Array.from({ length: kept.length }, (_, index) => 1000 - kept.length + index));
  expect(bytes()).toBeGreaterThanOrEqual(MAX_BYTES);
  expect(most).toBeLessThan(2.2 * MAX_BYTES);
});
