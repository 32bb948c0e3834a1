import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.js';
import type { ManagerOptions } from '../../src/config/options.js';
import { bootId } from '../../src/embedded/boot-id.js';
import { StoreError } from '../../src/errors.js';
import type { Stores } from '../../src/stores.js';
import { openStores } from '../../src/stores.js';

const KEY = 'a'.repeat(64);

async function aDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pm-stores-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

function storesIn(dataDir: string, options: ManagerOptions = {}): Stores {
  return openStores({ ...options, dataDir, clock: systemClock });
}

async function damage(dataDir: string): Promise<() => Promise<void>> {
  const boot = (await bootId()) ?? '';
  const directories = [join(dataDir, 'counts', boot), join(dataDir, 'cache', boot)];
  for (const directory of directories) {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'data.mdb'), 'garbage');
  }
  return async () => {
    for (const directory of directories) await rm(join(directory, 'data.mdb'));
  };
}

const pool = { endpoint: 'a', sections: [] };

test('an embedded store that could not be opened works once it is mended', async () => {
  const dataDir = await aDataDir();
  const mend = await damage(dataDir);
  const stores = storesIn(dataDir);
  await expect(stores.usage.read(pool)).rejects.toThrow(StoreError);
  await expect(stores.cache.cache.get(KEY)).rejects.toThrow(StoreError);
  await mend();
  expect(await stores.usage.read(pool)).toStrictEqual([]);
  expect(await stores.cache.cache.get(KEY)).toBeUndefined();
  await stores.close();
});

test('close closes what is open, also where another store could never be opened', async () => {
  const dataDir = await aDataDir();
  await damage(dataDir);
  let connections = 0;
  const server = createServer((_, response) => void response.end('{}')).on('connection', (socket) => {
    connections += 1;
    socket.on('close', () => (connections -= 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const stores = storesIn(dataDir, { elasticsearch: `http://127.0.0.1:${address.port}`, usage: 'embedded' });
  await expect(stores.usage.read(pool)).rejects.toThrow(StoreError);
  await stores.cache.cache.get(KEY);
  expect(connections).toBe(1);
  await stores.close();
  await vi.waitFor(() => expect(connections).toBe(0));
});
