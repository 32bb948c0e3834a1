import { expect, test } from 'vitest';
import type { WindowSpec } from '../../src/config/resolve.js';
import { ConfigError } from '../../src/errors.js';
import { elasticsearchUsageStore } from '../../src/usage/elasticsearch.js';
import type { Pool } from '../../src/usage/usage-store.js';

const day: WindowSpec = { limit: 250, everyMs: 86_400_000 };
const sliding: WindowSpec = { limit: 60, withinMs: 60_000 };

function poolOf(keys: number, proxies: number, windows: readonly WindowSpec[]): Pool {
  const metersOf = (stem: string, count: number): { id: string; windows: readonly WindowSpec[] }[] =>
    Array.from({ length: count }, (_, n) => ({ id: `${stem}-${n}`, windows }));
  return {
    endpoint: 'many',
    sections: [
      { kind: 'key', meters: metersOf('key', keys) },
      { kind: 'proxy', meters: metersOf('proxy', proxies) },
    ],
  };
}

const asked = new Error('the server was asked');
const store = elasticsearchUsageStore({ client: () => Promise.reject(asked) });

test.each([
  [poolOf(5_000, 5_000, []), 'unlimited'],
  [poolOf(5_000, 3, [day]), 'under a fixed window'],
  [poolOf(250, 3, [sliding]), 'under a sliding window'],
])('a pool that fits a document is counted: %$', async (pool) => {
  await expect(store.take({ pool, cost: 1 })).rejects.toThrow('could not count a use: the server was asked');
});

test('a pool that would make too large a document is refused before anything is sent, with its size', async () => {
  const pool = poolOf(10_000, 20, [day]);
  const fault: unknown = await store.take({ pool, cost: 1 }).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(ConfigError);
  expect(String(fault)).toContain('endpoint "many": the counts of its 10000 keys and 20 proxies');
  await expect(store.read(poolOf(1_000, 1, [sliding]))).rejects.toThrow(/1000 keys .* about \d\d\d of them fit/);
});
