import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ManagerOptions, RequestDefaults } from 'proxy-manager';
import { ProxyManager } from 'proxy-manager';
import { expect, it, onTestFinished } from 'vitest';
import { redisUrl } from '../services/urls.js';
import { startApi } from './support/api.js';
import { tempDir } from './support/workspace.js';

const secrets = {
  key_based: {
    test_api: { limit: 100, refresh_rate: 60, keys: ['key-one'], apply: { headers: { 'x-api-key': '{key}' } } },
  },
};

interface Told {
  readonly outcomes: readonly object[];
  readonly warnings: readonly string[];
}

/** Takes the right to write from all below a directory; gives it back, so that it can be removed. */
function freeze(dir: string): void {
  const set = (directory: number, file: number): void => {
    chmodSync(dir, 0o755);
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? directory : file);
    }
    chmodSync(dir, directory);
  };
  set(0o555, 0o444);
  onTestFinished(() => set(0o755, 0o644));
}

/** What a process tells of two sends to one url with a dataDir that is as a manager left it, but read-only. */
async function sentTwice(options: ManagerOptions, defaults: RequestDefaults): Promise<Told & { paths: string[] }> {
  const api = await startApi((_hit, res) => res.setHeader('cache-control', 'max-age=60').end('{}'));
  const home = tempDir();
  chmodSync(home, 0o755);
  const dataDir = join(home, 'state');
  const manager = new ProxyManager({ ...options, dataDir });
  await manager.request('test_api', defaults).send(`${api.url}/before`);
  await manager.close();
  freeze(dataDir);
  const argument = JSON.stringify({ writable: tempDir(), dataDir, url: api.url, options, defaults });
  const child = fork(fileURLToPath(new URL('./support/reader.mjs', import.meta.url)), [argument], { silent: true });
  const [told] = (await once(child, 'message')) as [Told];
  await once(child, 'exit');
  return { ...told, paths: api.hits.map(({ path }) => path) };
}

const LOST = expect.stringMatching(
  /^ExchangeLogWarning: .*could not write to .*state.log, records are being lost: EACCES/,
);

it.each([{}, { cache: true }, { session: 'one' }])(
  'nothing is sent uncounted where the dataDir is read-only, and the error names it (%o)',
  async (defaults) => {
    const { outcomes, warnings, paths } = await sentTwice({ secrets }, defaults);
    const refused = {
      code: 'session' in defaults ? 'ERR_STORE' : 'ERR_CONFIG',
      message: expect.stringMatching(/expected a directory that can be written, found .*state: EACCES/),
    };
    expect(outcomes).toEqual([refused, refused]);
    expect(warnings).toEqual([LOST]);
    expect(paths).not.toContain('/then');
  },
);

it('with Redis a read-only dataDir costs the log, which is told once, and nothing else', async () => {
  const endpoint = { ...secrets.key_based.test_api, keys: [`key of ${randomUUID()}`] };
  const options = { secrets: { key_based: { test_api: endpoint } }, redis: redisUrl() };
  const { outcomes, warnings, paths } = await sentTwice(options, { cache: true });
  expect(outcomes).toEqual([
    { status: 200, cache: 'miss' },
    { status: 200, cache: 'hit' },
  ]);
  expect(warnings).toEqual([LOST]);
  expect(paths).toContain('/then');
});
