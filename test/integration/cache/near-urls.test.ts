import { expect, it } from 'vitest';
import { lmdbCacheStore } from '../../../packages/proxy-manager/src/cache/lmdb.js';
import { cacheStage } from '../../../packages/proxy-manager/src/stages/cache.js';
import { clock } from '../../../packages/proxy-manager/test/cache/entry.js';
import { askAll, nearExchanges } from '../../../packages/proxy-manager/test/cache/near-urls.js';
import { scratchEnvironment } from '../../../packages/proxy-manager/test/cache/scratch.js';

it(
  'gives none of 100,000 nearly equal requests the reply of another, also out of lmdb',
  { timeout: 300_000 },
  async () => {
    const opened = await scratchEnvironment();
    const log = { write: () => {}, gather: async () => {}, flush: async () => true, close: async () => {} };
    const store = lmdbCacheStore({ environment: async () => opened, clock, maxBytes: 1 << 30 });
    const { stage } = cacheStage({ store, log, clock });
    expect((await askAll(stage, nearExchanges(100_000))).wrong).toEqual([]);
    await store.close();
    expect(await askAll(stage, nearExchanges(100_000))).toEqual({ wrong: [], hits: 100_000, asked: 0 });
    await opened.close();
  },
);
