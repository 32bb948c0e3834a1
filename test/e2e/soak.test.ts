import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../bench/dist/soak.js', import.meta.url));

it('keeps heap and sockets flat over thousands of exchanges', { timeout: 120_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--exchanges', '6000']);
  expect(JSON.parse(stdout)).toMatchObject({ isFlat: true, isBounded: true });
});
