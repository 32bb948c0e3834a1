import { expect, test } from 'vitest';
import { memoryCacheStore } from '../../src/cache/memory.js';
import { cacheStage } from '../../src/stages/cache.js';
import { clock } from './entry.js';
import { askAll, nearExchanges } from './near-urls.js';

test('of 10,000 nearly equal requests none gets the reply of another', async () => {
  const log = { write: () => {}, gather: async () => {}, flush: async () => true, close: async () => {} };
  const { stage } = cacheStage({ store: memoryCacheStore({ maxBytes: 1 << 26, clock }), log, clock });
  const first = await askAll(stage, nearExchanges(10_000));
  expect(first.wrong).toEqual([]);
  expect(first.hits + first.asked).toBe(10_000);
  const second = await askAll(stage, nearExchanges(10_000));
  expect(second).toEqual({ wrong: [], hits: 10_000, asked: 0 });
});
