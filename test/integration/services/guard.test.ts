import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { newDataDir } from '../../services/data-dir.js';

const GUARD = fileURLToPath(new URL('../../services/guard.mjs', import.meta.url));

test('when the runner is gone, so are the service and its data', async () => {
  const dataDir = await newDataDir('guard-test');
  const service = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(service, 'spawn');
  const guard = spawn(process.execPath, [GUARD, dataDir, 'kill', String(service.pid)], {
    stdio: ['pipe', 'ignore', 2],
  });
  await once(guard, 'spawn');
  guard.stdin?.end();

  const [[, signal]] = await Promise.all([once(service, 'exit'), once(guard, 'exit')]);
  expect(signal).toBe('SIGKILL');
  expect(existsSync(dataDir)).toBe(false);
});
