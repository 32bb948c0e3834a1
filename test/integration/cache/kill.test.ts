import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { CacheListing, CacheSelector, CacheStore } from '../../../packages/proxy-manager/src/cache/cache-store.js';
import { CACHE_DATABASE, lmdbCacheStore } from '../../../packages/proxy-manager/src/cache/lmdb.js';
import { openCache } from '../../../packages/proxy-manager/src/embedded/environment.js';
import { header } from '../../../packages/proxy-manager/src/pipeline/headers.js';

const WRITER = fileURLToPath(new URL('kill-writer.mjs', import.meta.url));
const ROUNDS = 12;
const SLOTS = 64;

/** Lets a writer acknowledge `writes` entries, kills it in the middle of the next ones, and gives the acknowledged slots. */
async function writeAndKill(dataDir: string, round: number, writes: number): Promise<Set<number>> {
  const child = spawn(process.execPath, [WRITER, dataDir, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const chunks: string[] = [];
  let lines = 0;
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout as AsyncIterable<string>) {
    chunks.push(chunk);
    lines += chunk.split('\n').length - 1;
    if (lines >= writes) child.kill('SIGKILL');
  }
  expect((await exited)[1]).toBe('SIGKILL');
  return new Set(chunks.join('').split('\n').slice(0, -1).map(Number));
}

async function listed(store: CacheStore, which?: CacheSelector): Promise<CacheListing[]> {
  const listings: CacheListing[] = [];
  for await (const listing of store.list(which)) listings.push(listing);
  return listings;
}

test('writers killed at any moment leave every acknowledged entry, whole, and no half one', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'proxy-manager-kill-'));
  const acknowledged = new Map<number, number>();
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      for (const slot of await writeAndKill(dataDir, round, 5 + round * 17)) acknowledged.set(slot, round);
      const environment = await openCache(dataDir);
      const store = lmdbCacheStore({ environment: async () => environment, clock: Date });
      const records = await environment.openDatabase<Buffer>(CACHE_DATABASE, { encoding: 'binary' });
      const before = records.getCount();
      for (let slot = 0; slot < SLOTS; slot++) {
        const found = await store.get(createHash('sha256').update(String(slot)).digest('hex'));
        if (!acknowledged.has(slot) && found === undefined) continue;
        expect(found?.url).toBe(`https://api.example.com/${slot}`);
        const sha256 = createHash('sha256')
          .update(found?.body ?? '')
          .digest('hex');
        expect(header(found?.headers ?? [], 'x-body-sha256')).toBe(sha256);
        expect(Number(header(found?.headers ?? [], 'x-round'))).toBeGreaterThanOrEqual(acknowledged.get(slot) ?? 1);
      }
      // Nothing was damaged, and so deleted by the reading.
      expect(records.getCount()).toBe(before);
      // All lists tell of the same entries.
      const { entries, bytes, damaged } = await store.stats();
      const [all, tagged] = [await listed(store), await listed(store, { tag: 'any' })];
      expect([all.length, tagged.length, damaged]).toEqual([entries, entries, 0]);
      expect(all.reduce((sum, listing) => sum + listing.bytes, 0)).toBe(bytes);
      await store.close();
      await environment.close();
    }
    expect(acknowledged.size).toBeGreaterThan(SLOTS / 2);
  } finally {
    await rm(dataDir, { recursive: true });
  }
});
