import { join } from 'node:path';
import { inspect } from 'node:util';
import { Client } from '@elastic/elasticsearch';
import { ProxyManager } from 'proxy-manager';
import { expect, it } from 'vitest';
import { startElasticsearch } from '../services/elasticsearch.js';
import { startApi } from './support/api.js';
import { closedPort } from './support/proxy.js';
import type { LoggedExchange } from './support/workspace.js';
import { everyByteBelow, spooled, startManager, tempDir } from './support/workspace.js';

const secrets = {
  key_based: { test_api: { limit: 1000, refresh_rate: 60, keys: ['first-secret-key', 'second-secret-key'] } },
};
const placed = { headers: { 'x-api-key': '{key}' } };
const STREAM = 'logs-proxy_manager.exchange-default';

async function logged(node: string, run: string): Promise<LoggedExchange[]> {
  const client = new Client({ node });
  await client.indices.refresh({ index: STREAM });
  const { hits } = await client.search<LoggedExchange>({
    index: STREAM,
    size: 1000,
    query: { term: { 'labels.run': run } },
  });
  await client.close();
  return hits.hits.flatMap(({ _source }) => _source ?? []);
}

it('writes a record for every attempt and every hit into the spool before the caller has the reply', async () => {
  const api = await startApi((hit, res) => (hit.path === '/busy' ? res.writeHead(503).end() : res.end('{}')));
  const dataDir = join(tempDir(), 'state');
  const req = startManager({ secrets, dataDir }).request('test_api', { cache: true, labels: { run: 'a' } });
  const first = await req.send(`${api.url}/items`, placed);
  expect(spooled(dataDir)).toHaveLength(1);
  const second = await req.send(`${api.url}/items`, placed);
  await expect(req.send(`${api.url}/busy`, { ...placed, retry: { attempts: 2 } })).rejects.toMatchObject({
    response: { status: 503 },
  });
  const records = spooled(dataDir);
  expect(
    records.map(({ http, proxy_manager }) => [
      http.response.status_code,
      proxy_manager.cache.status,
      proxy_manager.attempt?.number,
    ]),
  ).toEqual([
    [200, 'miss', 1],
    [200, 'hit', undefined],
    [503, 'miss', 1],
    [503, 'miss', 2],
  ]);
  expect(records.map(({ http }) => http.request.id).slice(0, 2)).toEqual([first.exchange.id, second.exchange.id]);
  expect(records[2]?.http.request.id).toBe(records[3]?.http.request.id);
  expect(records[0]).toMatchObject({
    labels: { run: 'a' },
    proxy_manager: {
      endpoint: 'test_api',
      credential: { id: first.exchange.credential?.id },
      rate_limit: { limit: 1000, used: 1 },
    },
  });
});

it('has every exchange of a run once in Elasticsearch', async () => {
  const api = await startApi();
  const node = String(process.env['ELASTICSEARCH_URL']);
  const run = `run-${Date.now()}`;
  const manager = startManager({ secrets, elasticsearch: node });
  const req = manager.request('test_api', { labels: { run } });
  const ids = (await Promise.all(Array.from({ length: 120 }, (_, i) => req.send(`${api.url}/${i}`, placed)))).map(
    ({ exchange }) => exchange.id,
  );
  await manager.close();
  const documents = await logged(node, run);
  expect(documents.map(({ http }) => http.request.id).toSorted()).toEqual(ids.toSorted());
});

it('loses nothing when Elasticsearch is away at the start and stops half-way, and never fails a request for it', async () => {
  const api = await startApi();
  const elasticsearch = await startElasticsearch();
  try {
    const run = `run-${Date.now()}`;
    const dataDir = join(tempDir(), 'state');
    await elasticsearch.kill();
    const manager = new ProxyManager({ secrets, dataDir, elasticsearch: elasticsearch.url });
    const req = manager.request('test_api', { labels: { run }, cache: true });
    const ids: string[] = [];
    const send = async (from: number): Promise<void> => {
      for (let i = from; i < from + 20; i++) ids.push((await req.send(`${api.url}/${i}`, placed)).exchange.id);
    };
    await send(0);
    await elasticsearch.start();
    await send(20);
    await manager.flush();
    expect(await logged(elasticsearch.url, run)).not.toHaveLength(0);
    await elasticsearch.kill();
    await send(40);
    await manager.close();
    expect(ids).toHaveLength(60);

    await elasticsearch.start();
    const next = new ProxyManager({ secrets, dataDir, elasticsearch: elasticsearch.url });
    ids.push((await next.request('test_api', { labels: { run } }).send(`${api.url}/last`, placed)).exchange.id);
    await next.flush();
    await next.close();
    const documents = await logged(elasticsearch.url, run);
    expect(documents.map(({ http }) => http.request.id).toSorted()).toEqual(ids.toSorted());
  } finally {
    await elasticsearch.stop();
  }
});

it('holds no secret: not in spool, cache, Elasticsearch, nor in any error', async () => {
  const api = await startApi((hit, res) => {
    if (hit.path.startsWith('/fail')) res.statusCode = 500;
    res.setHeader('x-echo', String(hit.headers['x-api-key'])).end(hit.body === '' ? '{}' : hit.body);
  });
  const closed = await closedPort();
  const node = String(process.env['ELASTICSEARCH_URL']);
  const run = `run-${Date.now()}`;
  const dataDir = join(tempDir(), 'state');
  const all = {
    key_based: { test_api: { keys: ['fir$t-s3cret/key', 's3cond-s3cret+key'] } },
    ip_based: { proxied: {} },
    ips: [`http://us3r:pr0xy-pa$$word@${closed.hostPort}`],
  };
  const manager = startManager({ secrets: all, dataDir, elasticsearch: node });
  const req = manager.request('test_api', { cache: true, labels: { run } });
  const shown: unknown[] = [];
  const attempt = async (sending: Promise<{ data: unknown }>): Promise<void> => {
    try {
      const { data: _data, ...rest } = await sending;
      shown.push(rest);
    } catch (error) {
      shown.push(error, (error as Error).message, (error as Error).stack, Object.entries(error as object));
    }
  };
  await attempt(req.send(`${api.url}/a/{key}?k={key}`, placed));
  await attempt(req.send(`${api.url}/fail?k={key}`, { ...placed, auth: { username: '{key}', password: 'x' } }));
  await attempt(req.send(`${api.url}/a`, { ...placed, method: 'POST', data: { t: '{key}' } }));
  await attempt(req.send(`http://${closed.hostPort}/?k={key}`, placed));
  await attempt(manager.request('proxied', { labels: { run } }).send(api.url));
  const pinned = manager.request('test_api', { cache: true, labels: { run } });
  const { key } = await pinned.getKeyProxy();
  await attempt(
    pinned.send(`${api.url}/fail/${encodeURIComponent(String(key))}`, {
      params: { key },
      headers: { 'x-api-key': String(key) },
    }),
  );
  await manager.close();

  const haystacks = [
    everyByteBelow(dataDir).toString('latin1'),
    JSON.stringify(await logged(node, run)),
    JSON.stringify(shown),
    inspect(shown, { depth: 12, showHidden: true }),
    inspect(manager, { depth: 12, showHidden: true }),
  ];
  expect(haystacks[1]).toContain(run);
  for (const secret of ['fir$t-s3cret/key', 's3cond-s3cret+key', 'pr0xy-pa$$word', 'us3r']) {
    const forms = [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -2),
    ];
    for (const [place, haystack] of haystacks.entries()) {
      for (const form of forms) expect([place, haystack.includes(form) ? form : '']).toEqual([place, '']);
    }
  }
});
