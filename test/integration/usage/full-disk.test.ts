import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { openCounts } from '../../../packages/proxy-manager/src/embedded/environment.js';
import { lmdbUsageStore } from '../../../packages/proxy-manager/src/usage/lmdb.js';
import type { Pool } from '../../../packages/proxy-manager/src/usage/usage-store.js';

const FILLER = fileURLToPath(new URL('filler.mjs', import.meta.url));
/** As large as a file may become in there, in blocks of 512 bytes: what is written beyond fails, as on a full disk. */
const BLOCKS = 800;
const ENDPOINTS = 40;

test('a disk that is full is an ERR_STORE for each take that has no room, and all others are counted', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'proxy-manager-full-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const meters = Array.from({ length: 100 }, (_, n) => ({
    id: `key-${n}`,
    windows: [{ limit: 9, everyMs: 3_600_000 }],
  }));
  const sections: Pool['sections'] = [{ kind: 'key', meters }];
  const command = `ulimit -f ${BLOCKS}; exec "$0" "$@"`;
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    command,
    process.execPath,
    FILLER,
    dataDir,
    JSON.stringify(sections),
    String(ENDPOINTS),
  ]);
  const lines = stdout.trimEnd().split('\n');
  const granted = lines.filter((line) => line.startsWith('granted '));
  expect(granted.length).toBeGreaterThan(0);
  expect(new Set(lines.filter((line) => !granted.includes(line)))).toEqual(new Set(['failed ERR_STORE']));

  const environment = await openCounts(dataDir);
  onTestFinished(() => environment.close());
  const store = lmdbUsageStore({ environment: async () => environment });
  for (let n = 0; n < ENDPOINTS; n += 1) {
    const pool = { endpoint: `endpoint-${n}`, sections };
    const uses = (await store.read(pool)).reduce((sum, { total }) => sum + total, 0);
    expect(uses).toBe(granted.includes(`granted ${pool.endpoint}`) ? 1 : 0);
    expect((await store.take({ pool, cost: 1 })).granted).toBe(true);
  }
});
