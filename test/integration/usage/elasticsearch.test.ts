import { randomUUID } from 'node:crypto';
import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../../packages/proxy-manager/src/clock.js';
import { systemClock } from '../../../packages/proxy-manager/src/clock.js';
import type { WindowSpec } from '../../../packages/proxy-manager/src/config/resolve.js';
import { StoreError } from '../../../packages/proxy-manager/src/errors.js';
import { installAssets } from '../../../packages/proxy-manager/src/log/install-assets.js';
import { usageStoreContract } from '../../../packages/proxy-manager/src/testing/usage-contract.js';
import { elasticsearchUsageStore } from '../../../packages/proxy-manager/src/usage/elasticsearch.js';
import type { Pool, UsageStore } from '../../../packages/proxy-manager/src/usage/usage-store.js';
import { assertAgreesWithModel } from '../../../packages/proxy-manager/test/usage/agreement.js';
import { freePort } from '../../services/ports.js';
import { elasticsearchUrl } from '../../services/urls.js';

const HOUR_MS = 3_600_000;

function poolOf(window: WindowSpec): Pool {
  return { endpoint: randomUUID(), sections: [{ kind: 'key', meters: [{ id: 'a', windows: [window] }] }] };
}

describe('elasticsearch usage store', () => {
  const client = new Client({ node: elasticsearchUrl() });
  const index = `proxy_manager-usage-${randomUUID()}`;
  beforeAll(() => installAssets(client));
  afterAll(async () => {
    await client.indices.delete({ index });
    await client.close();
  });
  const open = async (clock: Clock): Promise<UsageStore> =>
    elasticsearchUsageStore({ client: async () => client, clock, index });

  usageStoreContract({ test, open, durable: true, ownClock: false });

  test('agrees with the plain model, whatever happens in whatever order', async () => {
    await assertAgreesWithModel(open, { runs: 10, steps: 30 });
  });

  const stored = async (endpoint: string): Promise<{ _id: string; _source: { takes: number } }> => {
    await client.indices.refresh({ index });
    const found = await client.search<{ endpoint: string; takes: number }>({ index, size: 5_000 });
    const own = found.hits.hits.filter(({ _source }) => _source?.endpoint === endpoint);
    expect(own).toHaveLength(1);
    return own[0] as { _id: string; _source: { takes: number } };
  };

  test('keeps an endpoint in one document, written once for all verbs that wait, and not at all by a refusal', async () => {
    const pool = poolOf({ limit: 20, everyMs: HOUR_MS });
    const store = await open(systemClock);
    await Promise.all(Array.from({ length: 20 }, () => store.take({ pool, cost: 1 })));
    const { _id: id, _source } = await stored(pool.endpoint);
    expect(_source.takes).toBe(20);
    const assertWrittenOnce = async (): Promise<void> => {
      expect(await client.get({ index, id })).toMatchObject({ _version: 1 });
    };
    await assertWrittenOnce();
    for (let n = 0; n < 3; n += 1) expect((await store.take({ pool, cost: 1 })).granted).toBe(false);
    await assertWrittenOnce();
  });

  test('a document that holds something else is an error, and stays', async () => {
    const pool = poolOf({ limit: 2, everyMs: HOUR_MS });
    await (await open(systemClock)).take({ pool, cost: 1 });
    const { _id: id } = await stored(pool.endpoint);
    await client.index({ index, id, document: { mine: true } });
    const fault = await (await open(systemClock)).take({ pool, cost: 1 }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(StoreError);
    expect(String(fault)).toContain('holds no counts');
    expect((await client.get({ index, id }))._source).toEqual({ mine: true });
  });

  test('counts that were deleted begin anew, also where the store knew them', async () => {
    const pool = poolOf({ limit: 2, everyMs: HOUR_MS });
    const store = await open(systemClock);
    await store.take({ pool, cost: 2 });
    await client.delete({ index, id: (await stored(pool.endpoint))._id });
    expect((await store.take({ pool, cost: 1 })).granted).toBe(true);
    expect((await store.read(pool))[0]?.windows[0]?.used).toBe(1);
  });

  test('a document that would outgrow its bound keeps what still counts, and drops the rest', async () => {
    const endpoint = `gone ${randomUUID()}`;
    const store = await open(systemClock);
    const [before, after] = ['before', 'after'].map((stem): Pool => {
      const ids = Array.from({ length: 90 }, (_, n) => `${'x'.repeat(9_000)} ${stem} ${n}`);
      const meters = ids.map((id) => ({ id, windows: [{ limit: 1, everyMs: HOUR_MS }] }));
      return { endpoint, sections: [{ kind: 'key', meters }] };
    }) as [Pool, Pool];
    await store.take({ pool: before, cost: 1 });
    const fullSize = JSON.stringify(await stored(endpoint)).length;
    await store.take({ pool: after, cost: 1 });
    expect(JSON.stringify(await stored(endpoint)).length).toBeLessThan(fullSize);
    const next = await open(systemClock);
    for (const pool of [before, after]) {
      const used = (await next.read(pool)).map(({ windows: [window] }) => window?.used);
      expect(used).toEqual([1, ...Array.from({ length: 89 }, () => 0)]);
    }
  });

  test('a server that is away is a StoreError within moments', async () => {
    const away = new Client({ node: `http://127.0.0.1:${await freePort()}` });
    try {
      const store = elasticsearchUsageStore({ client: async () => away });
      const pool = poolOf({ limit: 2, everyMs: HOUR_MS });
      await expect(store.take({ pool, cost: 1 })).rejects.toThrow(StoreError);
      await expect(store.read(pool)).rejects.toThrow('elasticsearch usage store: could not read the counts');
      await expect(store.standings('book')).rejects.toThrow(StoreError);
    } finally {
      await away.close();
    }
  });

  /** No node may hold a shard of it, until it is told otherwise. */
  const withoutShards = async (): Promise<string> => {
    const made = `proxy_manager-usage-${randomUUID()}`;
    await client.indices.create({
      index: made,
      wait_for_active_shards: 0,
      settings: { 'index.routing.allocation.require._name': 'nobody' },
    });
    return made;
  };

  test('an index whose shard has not started yet is waited for', async () => {
    const made = await withoutShards();
    try {
      const store = elasticsearchUsageStore({ client: async () => client, index: made });
      const taking = store.take({ pool: poolOf({ limit: 2, everyMs: HOUR_MS }), cost: 1 });
      const reading = store.standings('book');
      await expect(client.get({ index: made, id: 'any' })).rejects.toMatchObject({ statusCode: 503 });
      await client.indices.putSettings({ index: made, settings: { 'index.routing.allocation.require._name': null } });
      expect((await taking).granted).toBe(true);
      expect(await reading).toEqual(new Map());
    } finally {
      await client.indices.delete({ index: made });
    }
  });

  test('an index whose shard does not start is a StoreError that says so', async () => {
    const made = await withoutShards();
    try {
      const store = elasticsearchUsageStore({ client: async () => client, index: made });
      const fault = await store.take({ pool: poolOf({ limit: 2, everyMs: HOUR_MS }), cost: 1 }).catch(String);
      expect(fault).toMatch(/StoreError.*could not count a use.*no_shard_available/s);
    } finally {
      await client.indices.delete({ index: made });
    }
  });

  test('a client is asked for at the first use, and stays open', async () => {
    let asked = 0;
    const store = elasticsearchUsageStore({
      index,
      client: async () => {
        asked += 1;
        return client;
      },
    });
    await store.close();
    expect(asked).toBe(0);
    await store.read(poolOf({ limit: 2, everyMs: HOUR_MS }));
    await store.standings('book');
    await store.close();
    expect(asked).toBe(1);
    expect((await client.cluster.health()).timed_out).toBe(false);
  });
});
