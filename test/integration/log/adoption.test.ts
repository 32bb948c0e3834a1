import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { ownerName } from '../../../packages/proxy-manager/src/owner.js';
import { filesIn, logDirectory } from './support.js';

const PROCESSES = 4;
const SEGMENTS = 200;
const RECORDS = 10;

function startAdopter(): ChildProcess {
  const adopter = fork(fileURLToPath(new URL('adopter.mjs', import.meta.url)));
  onTestFinished(() => void adopter.kill('SIGKILL'));
  return adopter;
}

/** What others left: let go in peace or by a process that is no more, packed or not. Gives the ids of its records. */
function leaveBehind(directory: string): string[] {
  mkdirSync(directory);
  const [place, pid] = ownerName().split('-');
  // The same process id, but of one that started at another time.
  const dead = `${place}-${pid}-1-0-1`;
  return Array.from({ length: SEGMENTS }, (_, segment) => {
    const ids = Array.from({ length: RECORDS }, (_each, record) => `${segment}-${record}`);
    const lines = ids.map((id) => `{"event":{"id":"${id}"}}\n`).join('');
    const owner = segment % 2 === 0 ? 'free' : dead;
    const isPacked = segment % 3 === 0;
    const name = `2026-01-01T00-00-00-000Z-x-${segment}.${owner}.ndjson${isPacked ? '.gz' : ''}`;
    writeFileSync(join(directory, name), isPacked ? gzipSync(lines) : lines);
    return ids;
  }).flat();
}

test(`${PROCESSES} processes come upon what others left at the same moment: each record is shipped by one of them, once`, async () => {
  const directory = await logDirectory();
  const left = leaveBehind(directory);
  const adopters = Array.from({ length: PROCESSES }, startAdopter);
  await Promise.all(adopters.map((adopter) => once(adopter, 'message')));
  const shipped = adopters.map((adopter) => {
    const ids: string[] = [];
    adopter.on('message', (batch: string[]) => ids.push(...batch));
    return ids;
  });
  for (const adopter of adopters) adopter.send(directory);
  await expect.poll(() => filesIn(directory), { timeout: 30_000 }).toStrictEqual([]);
  const ended = Promise.all(adopters.map((adopter) => once(adopter, 'close')));
  for (const adopter of adopters) adopter.send('close');
  await ended;
  expect(shipped.flat().toSorted()).toStrictEqual(left.toSorted());
  // Else they did not meet.
  expect(shipped.filter(({ length }) => length > 0).length).toBeGreaterThan(1);
});
