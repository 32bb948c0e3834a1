import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { CACHE_DATABASE, lmdbCacheStore } from '../../../packages/proxy-manager/src/cache/lmdb.js';
import { openCache } from '../../../packages/proxy-manager/src/embedded/environment.js';

const KEY = 'a'.repeat(64);

test('a worker that was terminated with the cache open is company no more', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'proxy-manager-threads-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const worker = new Worker(new URL('thread.mjs', import.meta.url), {
    workerData: { dataDir, key: KEY },
    stdout: true,
  });
  const [told] = await once(worker.stdout, 'data');
  expect(String(told)).toBe('taken');
  await worker.terminate();

  const environment = await openCache(dataDir);
  onTestFinished(() => environment.close());
  const { leases, close } = lmdbCacheStore({ environment: async () => environment, clock: Date });
  onTestFinished(close);
  const database = await environment.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
  const written = (): number => {
    database.resetReadTxn();
    return [...database.getKeys({ start: ['l'], end: ['m'] })].length;
  };
  const before = written();
  expect(await leases?.take('b'.repeat(64), 60_000, false)).toMatchObject({ state: 'taken' });
  // One who is alone writes none.
  expect(written()).toBe(before);
});
