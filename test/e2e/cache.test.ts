import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Client } from '@elastic/elasticsearch';
import { ProxyManager } from 'proxy-manager';
import { expect, it } from 'vitest';
import { startApi } from './support/api.js';
import { everyByteBelow, startManager, tempDir } from './support/workspace.js';

const secrets = {
  key_based: { test_api: { limit: 100, refresh_rate: 60, keys: ['first-secret-key', 'second-secret-key'] } },
};
const placed = { headers: { 'x-api-key': '{key}' } };

it('serves a stored reply without quota, whatever key fetched it, and after a restart', async () => {
  const api = await startApi();
  const dataDir = join(tempDir(), 'state');
  const first = new ProxyManager({ secrets, dataDir });
  const fetched = await first.request('test_api', { cache: true }).send(`${api.url}/items?page=1`, placed);
  expect(fetched.exchange.cache).toBe('miss');
  await first.close();

  const second = startManager({ secrets, dataDir });
  const req = second.request('test_api', { cache: true });
  const hit = await req.send(`${api.url}/items?page=1`, placed);
  expect(hit.exchange).toMatchObject({ cache: 'hit', attempts: 0, credential: undefined });
  expect(hit.data).toEqual(fetched.data);
  expect(Number(hit.headers['age'])).toBeGreaterThanOrEqual(0);
  expect((await second.usage('test_api')).map(({ uses }) => uses)).toEqual([1, 0]);
  expect((await req.send(`${api.url}/items?page=2`, placed)).exchange.cache).toBe('miss');
  expect(api.hits).toHaveLength(2);
  expect(everyByteBelow(dataDir).includes('secret-key')).toBe(false);
});

it('asks again when the time to live has passed, and is left aside where it is off', async () => {
  const api = await startApi();
  let nowMs = Date.now();
  const manager = startManager({ secrets, clock: { now: () => nowMs } });
  const req = manager.request('test_api', { cache: { ttlMs: 1000 } });
  await req.send(api.url, placed);
  nowMs += 999;
  expect((await req.send(api.url, placed)).exchange.cache).toBe('hit');
  nowMs += 2;
  expect((await req.send(api.url, placed)).exchange.cache).toBe('miss');
  expect((await req.send(api.url, { ...placed, cache: false })).exchange.cache).toBe('bypass');
});

it('keeps out of the key a credential that the caller placed by hand', async () => {
  const api = await startApi((_hit, res) => res.end('{}'));
  const manager = startManager({ secrets });
  for (let i = 0; i < 2; i++) {
    const req = manager.request('test_api', { cache: true });
    const { key } = await req.getKeyProxy();
    const res = await req.send(`${api.url}/items?k=${key}`, { headers: { 'x-api-key': String(key) } });
    expect(res.exchange.cache).toBe(i === 0 ? 'miss' : 'hit');
    await req.close();
  }
  expect(api.hits).toHaveLength(1);
});

it('stores no refused reply, and none that echoes a key', async () => {
  const api = await startApi((hit, res) => {
    if (hit.path === '/missing') res.writeHead(500);
    res.end(`you sent ${hit.path === '/echo' ? String(hit.headers['x-api-key']) : ''}`);
  });
  const dataDir = join(tempDir(), 'state');
  const manager = startManager({ secrets, dataDir });
  const req = manager.request('test_api', { cache: true, retry: { attempts: 1 }, validateStatus: null });
  for (const path of ['/missing', '/echo']) {
    for (let i = 0; i < 2; i++) expect((await req.send(api.url + path, placed)).exchange.cache).toBe('miss');
  }
  await manager.close();
  expect(everyByteBelow(dataDir).includes('secret-key')).toBe(false);
});

it('keeps the cache in Elasticsearch when it is configured: another machine finds it there by id', async () => {
  const api = await startApi();
  const node = String(process.env['ELASTICSEARCH_URL']);
  const [here, there] = [
    startManager({ secrets, elasticsearch: node }),
    startManager({ secrets, elasticsearch: node }),
  ];
  await here.request('test_api', { cache: true }).send(`${api.url}/shared`, placed);
  await here.close();
  const hit = await there.request('test_api', { cache: true }).send(`${api.url}/shared`, placed);
  expect(hit.exchange.cache).toBe('hit');
  expect(hit.data).toEqual({ path: '/shared' });
  expect(api.hits).toHaveLength(1);

  const client = new Client({ node });
  const id = createHash('sha256').update(`GET ${api.url}/shared\n\n`).digest('hex');
  const stored = await client.get<{ response: unknown }>({ index: 'proxy_manager-cache-v1', id });
  await client.close();
  expect(stored._source?.response).toMatchObject({ text: '{"path":"/shared"}' });
  expect(JSON.stringify(stored)).not.toContain('secret-key');
});
