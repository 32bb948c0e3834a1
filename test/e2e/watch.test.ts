import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startApi } from './support/api.js';
import { runProgram } from './support/program.js';
import { tempDir, writeSecrets } from './support/workspace.js';

it('keeps no process alive that watches secrets.json and closes nothing', async () => {
  const api = await startApi();
  const dir = tempDir();
  const secrets = writeSecrets(dir, { key_based: { test_api: { keys: ['only'] } } });
  const watcher = fileURLToPath(new URL('support/watcher.mjs', import.meta.url));
  const settings = JSON.stringify({ secrets, dataDir: join(dir, 'state'), url: api.url });
  expect(await runProgram(watcher, { args: [settings], cwd: dir })).toEqual({ code: 0, output: '200\n' });
});
