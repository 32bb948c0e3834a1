import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheStore } from '../../../packages/proxy-manager/src/cache/cache-store.js';
import { elasticsearchCacheStore } from '../../../packages/proxy-manager/src/cache/elasticsearch.js';
import { CACHE_INDEX } from '../../../packages/proxy-manager/src/log/assets.js';
import { installAssets } from '../../../packages/proxy-manager/src/log/install-assets.js';
import { leaseStoreContract } from '../../../packages/proxy-manager/src/testing/lease-contract.js';
import { cacheStoreContract } from '../../../packages/proxy-manager/src/testing/cache-contract.js';
import { clock, entry, keyFor } from '../../../packages/proxy-manager/test/cache/entry.js';
import { startElasticsearch } from '../../services/elasticsearch.js';
import type { Service } from '../../services/service.js';
import { elasticsearchUrl } from '../../services/urls.js';

const index = `proxy_manager-cache-test-${process.pid}-${Date.now()}`;
const BUDGET_MS = 250;
/** What a busy machine may take on top of a budget. */
const SLACK_MS = 250;

/** A store with the default budget, unless the test is about something else than time: then a busy machine has 10 s. */
function connect(
  node: string,
  lookupBudgetMs = BUDGET_MS,
): { client: Client; open: (time?: { now(): number }) => CacheStore } {
  const client = new Client({ node });
  return {
    client,
    open: (time = clock) => elasticsearchCacheStore({ client: async () => client, clock: time, index, lookupBudgetMs }),
  };
}

async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const startedMs = performance.now();
  const result = await work;
  return { result, ms: performance.now() - startedMs };
}

describe('Elasticsearch cache store', () => {
  const { client, open } = connect(elasticsearchUrl(), 10_000);
  afterAll(async () => {
    await client.indices.delete({ index: [index, index.replace('cache', 'leases')], ignore_unavailable: true });
    await client.close();
  });

  beforeAll(() => installAssets(client));

  test('an index that is not there is a miss', async () => {
    const store = elasticsearchCacheStore({ client: async () => client, clock, index: `${index}-absent` });
    expect(await store.get(keyFor('absent'))).toBeUndefined();
    expect(await store.delete(keyFor('absent'))).toBe(false);
    expect(await client.indices.exists({ index: `${index}-absent` })).toBe(false);
  });

  cacheStoreContract({ test, open: async (time) => open(time), durable: true });

  leaseStoreContract({
    test,
    open: async () => {
      const [here, there] = [open().leases, open().leases];
      if (here === undefined || there === undefined) throw new Error('no leases');
      return { here, there };
    },
    pass: (ms) => sleep(ms),
  });

  describe('a leader that was overtaken', () => {
    const store = (beforeWrite?: () => Promise<void>): CacheStore =>
      elasticsearchCacheStore({ client: async () => client, clock, index, lookupBudgetMs: 10_000, beforeWrite });
    const take = async ({ leases }: CacheStore, key: string, waited = false): Promise<number> => {
      const taken = await leases?.take(key, 1, waited);
      return taken?.state === 'taken' ? taken.token : Number.NaN;
    };
    const takeOver = async (there: CacheStore, key: string): Promise<number> => {
      expect(await take(there, key)).toBeNaN();
      await sleep(5);
      return take(there, key, true);
    };
    const textOf = async (key: string): Promise<string> => Buffer.from((await open().get(key))?.body ?? []).toString();

    test('stores nothing over what the next one has stored and let go of', async () => {
      const key = keyFor('overtaken and forgotten');
      const [here, there] = [store(), store()];
      const first = await take(here, key);
      const second = await takeOver(there, key);
      expect(await there.set(key, entry({ body: Buffer.from('of the second') }), second)).toBe(true);
      await there.leases?.release(key, second, 'stored');
      // Forgets the lease, as it does by itself two seconds later.
      await there.close();
      expect(await here.set(key, entry({ body: Buffer.from('of the first') }), first)).toBe(false);
      expect(await textOf(key)).toBe('of the second');
    });

    test('stores nothing where it is overtaken between the look at its lease and the write', async () => {
      const key = keyFor('overtaken in between');
      let meanwhile = async (): Promise<void> => {};
      const [here, there] = [store(() => meanwhile()), store()];
      const first = await take(here, key);
      meanwhile = async () => {
        meanwhile = async () => {};
        const second = await takeOver(there, key);
        expect(await there.set(key, entry({ body: Buffer.from('of the second') }), second)).toBe(true);
      };
      expect(await here.set(key, entry({ body: Buffer.from('of the first') }), first)).toBe(false);
      expect(await textOf(key)).toBe('of the second');
    });

    test('one that was not stores its reply beside the others, and over what is removed meanwhile', async () => {
      const key = keyFor('not overtaken');
      let meanwhile = async (): Promise<void> => {};
      const here = store(() => meanwhile());
      await here.set(key, entry({ body: Buffer.from('of before') }));
      const token = await take(here, key);
      expect(await here.set(keyFor('a variant'), entry({ body: Buffer.from('a variant') }), token)).toBe(true);
      meanwhile = async () => {
        meanwhile = async () => {};
        await open().delete(key);
      };
      expect(await here.set(key, entry({ body: Buffer.from('of now') }), token)).toBe(true);
      expect(await textOf(keyFor('a variant'))).toBe('a variant');
      expect(await textOf(key)).toBe('of now');
    });
  });

  test('a person reads the reply in the document', async () => {
    await open().set(keyFor('text'), entry({ url: 'https://api.example.com/x?k={key}', body: Buffer.from('{"a":1}') }));
    const { _source } = await client.get({ index, id: keyFor('text') });
    expect(_source).toEqual({
      stored_at: '2026-01-01T00:00:00.000Z',
      stale_at: '2026-01-01T00:01:00.000Z',
      expires_at: '2026-01-01T00:01:00.000Z',
      age_ms: 0,
      method: 'GET',
      host: 'api.example.com',
      url: 'https://api.example.com/x?k={key}',
      status: 200,
      bytes: 7,
      response: { http_version: '1.1', status_text: 'OK', headers: [['content-type', 'text/plain']], text: '{"a":1}' },
    });
    await open().set(keyFor('bytes'), entry({ body: Buffer.from([0xff, 0xfe]) }));
    const bytes = await client.get({ index, id: keyFor('bytes') });
    expect(bytes._source).toMatchObject({ bytes: 2, body: '//4=' });
  });

  test.each([
    ['without a reply', { method: 'GET' }],
    ['with a body cut short', { bytes: 99 }],
    ['with a date that is none', { expires_at: null }],
    ['with a variant of another form', { variant: { names: 'accept' } }],
    [
      'with headers of another form',
      { response: { http_version: '1.1', status_text: 'OK', headers: {}, text: 'hello' } },
    ],
  ])('a document %s is a miss, and deleted', async (_, damage) => {
    const id = keyFor('damaged');
    const store = open();
    await store.set(id, entry());
    const { _source } = await client.get<object>({ index, id });
    await client.index({ index, id, document: 'method' in damage ? damage : { ..._source, ...damage } });
    expect(await store.get(id)).toBeUndefined();
    await store.close();
    expect(await client.exists({ index, id })).toBe(false);
  });

  test('what is run before a write decides whether it happens', async () => {
    const order: string[] = [];
    const options = { client: async () => client, clock, index, lookupBudgetMs: 10_000 };
    const store = elasticsearchCacheStore({ ...options, beforeWrite: async () => void order.push('before') });
    await store.get(keyFor('prepared'));
    expect(order).toEqual([]);
    await store.set(keyFor('prepared'), entry());
    expect(order).toEqual(['before']);
    const unready = elasticsearchCacheStore({
      ...options,
      beforeWrite: () => Promise.reject(new Error('no template')),
    });
    await unready.set(keyFor('unprepared'), entry());
    expect(await client.exists({ index, id: keyFor('prepared') })).toBe(true);
    expect(await client.exists({ index, id: keyFor('unprepared') })).toBe(false);
  });

  test('the documents fit the mapping of the index that is shipped', async () => {
    const store = elasticsearchCacheStore({ client: async () => client, clock, lookupBudgetMs: 10_000 });
    const key = keyFor(index);
    await store.set(key, entry({ finalUrl: 'https://www.example.com/' }));
    expect(await store.get(key)).toBeDefined();
    const { [CACHE_INDEX]: mapping } = await client.indices.getMapping({ index: CACHE_INDEX });
    const mapped = Object.keys(mapping?.mappings.properties ?? {});
    const { _source } = await client.get<object>({ index: CACHE_INDEX, id: key });
    expect(mapped).toEqual(expect.arrayContaining(Object.keys(_source ?? {})));
    expect(mapping?.mappings.properties?.['response']).toMatchObject({ type: 'object', enabled: false });
    expect(await store.delete(key)).toBe(true);
  });

  test('a body over 1 MiB is not stored', async () => {
    const store = open();
    await store.set(keyFor('large'), entry({ body: Buffer.alloc(1024 * 1024 + 1) }));
    expect(await client.exists({ index, id: keyFor('large') })).toBe(false);
    await store.set(keyFor('just'), entry({ body: Buffer.alloc(1024 * 1024) }));
    expect(await client.exists({ index, id: keyFor('just') })).toBe(true);
  });

  test('an answer that comes while this process is busy is not late, nor is a lease', async () => {
    const busy = connect(elasticsearchUrl(), 1_000).open();
    const key = keyFor('busy');
    await busy.set(key, entry());
    const found = busy.get(key);
    const taken = busy.leases?.take(key, 1_000, false);
    // As soon as both are on their way.
    await sleep(1);
    const untilMs = performance.now() + 1_500;
    while (performance.now() < untilMs);
    expect(await found).toBeDefined();
    expect(await taken).toMatchObject({ state: 'taken' });
  });

  test('an index that takes no writes still serves reads', async () => {
    const store = open();
    await store.set(keyFor('before'), entry());
    await client.indices.putSettings({ index, settings: { 'index.blocks.write': true } });
    try {
      await store.set(keyFor('after'), entry());
      expect(await store.delete(keyFor('before'))).toBe(false);
      expect(await store.get(keyFor('after'))).toBeUndefined();
      expect(await store.get(keyFor('before'))).toBeDefined();
    } finally {
      await client.indices.putSettings({ index, settings: { 'index.blocks.write': null } });
    }
  });
});

describe('an Elasticsearch that goes down and comes back', () => {
  let service: Service;
  let client: Client;
  let open: ReturnType<typeof connect>['open'];
  beforeAll(async () => {
    service = await startElasticsearch();
    ({ client, open } = connect(service.url));
  });
  afterAll(async () => {
    await client.close();
    await service.stop();
  });

  test('is a miss within the budget, and serves again by itself', async () => {
    const store = open();
    const key = keyFor('kept');
    await store.set(key, entry());
    await expect.poll(() => store.get(key), { timeout: 10_000 }).toBeDefined();

    await service.kill();
    const first = await timed(store.get(key));
    expect(first.result).toBeUndefined();
    expect(first.ms).toBeLessThan(BUDGET_MS + SLACK_MS);
    const rest = await timed(Promise.all(Array.from({ length: 200 }, () => store.get(key))));
    expect(rest.result.every((found) => found === undefined)).toBe(true);
    expect(rest.ms).toBeLessThan(BUDGET_MS + SLACK_MS);
    await store.set(keyFor('lost'), entry());

    await service.start();
    await expect.poll(() => store.get(key), { timeout: 35_000, interval: 100 }).toBeDefined();
    await expect
      .poll(async () => store.set(keyFor('again'), entry()).then(() => store.get(keyFor('again'))), { timeout: 35_000 })
      .toBeDefined();
    await store.delete(key);
    await client.indices.delete({ index, ignore_unavailable: true });
  });
});

describe('an Elasticsearch that takes connections and never answers', () => {
  const sockets: Socket[] = [];
  let server: Server;
  let client: Client;
  let store: CacheStore;
  beforeAll(async () => {
    server = createServer((socket) => sockets.push(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connection = connect(`http://127.0.0.1:${port}`);
    client = connection.client;
    store = connection.open();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await client.close();
  });

  test('costs one budget, and nothing after it', async () => {
    const first = await timed(store.get(keyFor('hang')));
    expect(first.result).toBeUndefined();
    expect(first.ms).toBeGreaterThan(BUDGET_MS - 20);
    expect(first.ms).toBeLessThan(BUDGET_MS + SLACK_MS);
    const connections = sockets.length;
    const rest = await timed(Promise.all(Array.from({ length: 200 }, () => store.get(keyFor('hang')))));
    expect(rest.result.every((found) => found === undefined)).toBe(true);
    expect(rest.ms).toBeLessThan(BUDGET_MS);
    expect(sockets.length).toBe(connections);
  });
});
