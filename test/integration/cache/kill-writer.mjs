// Writes entries until it is killed, and says which ones the store has acknowledged: `node kill-writer.mjs DATA_DIR ROUND`.
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { lmdbCacheStore } from '../../../packages/proxy-manager/dist/cache/lmdb.js';
import { openCache } from '../../../packages/proxy-manager/dist/embedded/environment.js';

const [dataDir, round] = process.argv.slice(2);
const store = lmdbCacheStore({ environment: () => openCache(dataDir), clock: Date });

async function writeOne(slot) {
  const body = randomBytes(randomInt(1, 100_000));
  await store.set(createHash('sha256').update(String(slot)).digest('hex'), {
    method: 'GET',
    url: `https://api.example.com/${slot}`,
    finalUrl: undefined,
    httpVersion: '1.1',
    status: 200,
    statusText: 'OK',
    headers: [
      ['x-body-sha256', createHash('sha256').update(body).digest('hex')],
      ['x-round', round],
    ],
    body,
    storedAtMs: Date.now(),
    initialAgeMs: 0,
    staleAtMs: Date.now() + 3_600_000,
    expiresAtMs: Date.now() + 3_600_000,
    variant: undefined,
    tags: [`slot ${slot}`, 'any'],
  });
  writeSync(1, `${slot}\n`);
}

for (;;) await Promise.all(Array.from({ length: 8 }, () => writeOne(randomInt(64))));
