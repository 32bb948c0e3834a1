import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { filesIn, logDirectory } from './support.js';

const MEGABYTE = 1024 * 1024;

test('neither memory nor disk grows with an outage: 150 MB of records for sinks that fail or stay silent', async () => {
  const directory = await logDirectory();
  const settings = { directory, parts: 5, partRecords: 20_000 };
  const script = fileURLToPath(new URL('memory-writer.mjs', import.meta.url));
  const writer = fork(script, [JSON.stringify(settings)], { execArgv: ['--expose-gc'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  const closed = once(writer, 'close');
  const [heap] = (await once(writer, 'message')) as [number[]];
  await closed;
  const [, early = Number.NaN] = heap;
  expect(heap).toHaveLength(5);
  expect(Number(heap.at(-1)) - early).toBeLessThan(12 * MEGABYTE);
  const bytes = filesIn(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  expect(bytes).toBeLessThan(40 * MEGABYTE);
});
