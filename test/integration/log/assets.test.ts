import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assets, CACHE_INDEX, LOG_DATA_STREAM } from '../../../packages/proxy-manager/src/log/assets.js';
import { elasticsearchSink } from '../../../packages/proxy-manager/src/log/elasticsearch.js';
import { ensureAssets, installAssets } from '../../../packages/proxy-manager/src/log/install-assets.js';
import { toLine } from '../../../packages/proxy-manager/src/log/exchange-line.js';
import { lossLine } from '../../../packages/proxy-manager/src/log/loss-line.js';
import { aReply, anExchange, STARTED_MS } from '../../../packages/proxy-manager/test/log/exchanges.js';
import { domainParts } from '../../../packages/proxy-manager/src/log/registered-domain.js';
import type { Exchange } from '../../../packages/proxy-manager/src/pipeline/exchange.js';
import { startElasticsearch } from '../../services/elasticsearch.js';
import type { Service } from '../../services/service.js';
import { faultProxy } from './fault-proxy.js';

// A node of its own: here templates are spoilt, and the mapping must be only what these tests wrote.
let service: Service;
let client: Client;

beforeAll(async () => {
  service = await startElasticsearch();
  client = new Client({ node: service.url, maxRetries: 0 });
});

afterAll(async () => {
  await client.close();
  await service.stop();
});

const COMPONENT = 'proxy_manager@mappings';
const shippedVersion = assets()[0]?.body['version'];

async function installedVersion(): Promise<number | undefined> {
  const found = await client.cluster.getComponentTemplate({ name: COMPONENT });
  return found.component_templates[0]?.component_template.version;
}

test('several processes at once, and again: all of it is there', async () => {
  await Promise.all([installAssets(client), installAssets(client), installAssets(client)]);
  await installAssets(client);
  expect(await installedVersion()).toBe(shippedVersion);
  expect(await client.indices.existsIndexTemplate({ name: 'logs-proxy_manager.exchange' })).toBe(true);
  const cache = await client.indices.get({ index: CACHE_INDEX });
  expect(Object.keys(cache[CACHE_INDEX]?.aliases ?? {})).toStrictEqual(['proxy_manager-cache']);
  expect(cache[CACHE_INDEX]?.mappings?.dynamic).toBe('false');
});

test('an older template is brought up to date, a newer one is left as it is', async () => {
  const template = { mappings: { properties: { other: { type: 'keyword' as const } } } };
  const mappingNow = async (): Promise<object> => {
    const found = await client.cluster.getComponentTemplate({ name: COMPONENT });
    return found.component_templates[0]?.component_template.template.mappings?.properties ?? {};
  };
  await client.cluster.putComponentTemplate({ name: COMPONENT, version: 1_000_000, template });
  await installAssets(client);
  expect(await installedVersion()).toBe(1_000_000);
  expect(Object.keys(await mappingNow())).toStrictEqual(['other']);

  await client.cluster.putComponentTemplate({ name: COMPONENT, version: 0, template });
  await installAssets(client);
  expect(await installedVersion()).toBe(shippedVersion);
  expect(Object.keys(await mappingNow())).toContain('proxy_manager');
});

test('the retention that was asked for is in the template, and another one takes its place', async () => {
  const retention = async (): Promise<unknown> => {
    const found = await client.indices.getIndexTemplate({ name: 'logs-proxy_manager.exchange' });
    return found.index_templates[0]?.index_template.template?.lifecycle?.data_retention;
  };
  await installAssets(client);
  expect(await retention()).toBe('30d');
  await installAssets(client, undefined, { retentionDays: 7 });
  expect(await retention()).toBe('7d');
  await installAssets(client);
  expect(await retention()).toBe('30d');
});

test('what assets() gives as JSON may be put by others; proxy_manager@custom belongs to the user, and takes effect', async () => {
  const custom = { mappings: { properties: { labels: { properties: { build: { type: 'long' as const } } } } } };
  const other = 'logs-proxy_manager.exchange-elsewhere';
  await client.cluster.putComponentTemplate({ name: 'proxy_manager@custom', template: custom });
  for (const { path, body } of JSON.parse(JSON.stringify(assets())) as ReturnType<typeof assets>) {
    await client.transport.request({ method: 'PUT', path: `/${path}`, body }, { ignore: [400] });
  }
  const there = new Client({ node: service.url, maxRetries: 0 });
  const changing: unknown[] = [];
  there.diagnostic.on('request', (_, result) => {
    const { method, path } = result?.meta.request.params ?? {};
    if (method !== 'GET' && method !== 'HEAD') changing.push(path);
  });
  await installAssets(there);
  expect(changing).toStrictEqual([]);
  await there.close();

  await client.bulk({ index: other, operations: [{ create: {} }, { '@timestamp': new Date().toISOString() }] });
  const [index] = Object.values(await client.indices.getMapping({ index: other }));
  const mapped = leaves(index?.mappings ?? {});
  expect([mapped.get('labels.build'), mapped.get('proxy_manager.route')]).toStrictEqual(['long', 'keyword']);
  const found = await client.cluster.getComponentTemplate({ name: 'proxy_manager@custom' });
  expect(found.component_templates[0]?.component_template.template.mappings).toStrictEqual(custom.mappings);
  await client.cluster.deleteComponentTemplate({ name: 'proxy_manager@custom' });
});

test('ensureAssets asks once per client, and again where it failed', async () => {
  const away = new Client({ node: 'http://127.0.0.1:9', maxRetries: 0 });
  let asked = 0;
  away.diagnostic.on('request', () => (asked += 1));
  await expect(ensureAssets(away)).rejects.toThrow('ECONNREFUSED');
  await expect(ensureAssets(away)).rejects.toThrow('ECONNREFUSED');
  expect(asked).toBe(2);
  await away.close();

  const there = new Client({ node: service.url, maxRetries: 0 });
  const requests: unknown[] = [];
  there.diagnostic.on('request', (_, result) => requests.push(result?.meta.request.params.path));
  await Promise.all([ensureAssets(there), ensureAssets(there, new AbortController().signal)]);
  await ensureAssets(there);
  expect(new Set(requests).size).toBe(requests.length);
  expect(requests.length).toBeGreaterThan(3);
  await there.close();
});

test('every field that a record can hold is mapped by the template, and none but labels by chance', async () => {
  const fault = Object.assign(new Error('cut off'), { code: 'ECONNRESET' });
  const session = { name: 'ann' } as NonNullable<Exchange['session']>;
  const asked = anExchange({
    url: 'https://10.0.0.1:8443/a/b.png?c=d#e',
    attempt: {
      redirects: 2,
      hops: ['https://a.example/', 'https://b.example/'],
      isCountedLocally: true,
      retry: { reason: 'status 503', delayMs: 5 },
      dnsMs: 1,
      tlsMs: 1,
    },
    request: {
      headers: [
        ['content-type', 'application/json'],
        ['referer', 'https://b.example/'],
      ],
    },
    policy: {
      record: {
        service: { name: 'crawler', version: '1', environment: 'test', nodeName: 'one' },
        headers: new Set(['content-type']),
        bodies: { maxBytes: 100 },
      },
    },
    trace: { cacheAgeMs: 5, context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), flags: 1 } },
  });
  const exchange = { ...asked, session };
  const lines = [
    toLine(exchange, { reply: aReply({ status: 500, body: Buffer.from('oh') }), error: fault }, STARTED_MS + 1),
    toLine(anExchange({ policy: { record: { sample: 0.5 } } }), { reply: aReply() }, STARTED_MS + 1),
    lossLine({ records: 1, bytes: 1, bound: 'maxBytes' }, STARTED_MS + 1),
  ].map((line) => (typeof line === 'string' ? line : line.text));
  const sink = elasticsearchSink({ client: async () => client });
  await sink.ship(lines, new AbortController().signal);
  await client.indices.refresh({ index: LOG_DATA_STREAM });
  expect((await client.count({ index: LOG_DATA_STREAM })).count).toBe(lines.length);
  const ofDomain = { term: { 'url.registered_domain': 'example.com' } };
  expect((await client.count({ index: LOG_DATA_STREAM, query: ofDomain })).count).toBe(1);

  const [component] = assets();
  const template = component?.body['template'] as { mappings: object };
  const planned = leaves(template.mappings);
  const withParts = await domainParts();
  const written = lines.flatMap((line) => paths(JSON.parse(withParts(line))));
  expect(written.filter((path) => !/^labels\.|\.headers\./.test(path) && !planned.has(path))).toStrictEqual([]);

  // The other way round: no field that nothing ever fills.
  const empty = [...planned.keys()].filter((path) => !written.some((each) => `${each}.`.startsWith(`${path}.`)));
  expect(empty).toStrictEqual([]);

  const indices = await client.indices.getMapping({ index: LOG_DATA_STREAM });
  const [index] = Object.values(indices);
  const actual = leaves(index?.mappings ?? {});
  const surprises = [...actual].filter(([path]) => !planned.has(path));
  expect(surprises).toStrictEqual([['labels.team', 'keyword']]);
  expect([...planned].filter(([path, type]) => type !== 'object' && actual.get(path) !== type)).toStrictEqual([]);
});

test('the data stream is set up as the template says', async () => {
  const [[name, settings] = []] = Object.entries(await client.indices.getSettings({ index: LOG_DATA_STREAM }));
  expect(name).toMatch(/^\.ds-/);
  expect(settings?.settings?.index).toMatchObject({
    mode: 'standard',
    refresh_interval: '5s',
    auto_expand_replicas: '0-1',
  });
});

test('a stream that an older template made is rolled over to the new one, once for all processes, also after a failure', async () => {
  const typesOfRoute = async (): Promise<unknown[]> => {
    const indices = Object.entries(await client.indices.getMapping({ index: LOG_DATA_STREAM }));
    return indices
      .toSorted(([one], [other]) => one.localeCompare(other))
      .map(([, { mappings }]) => leaves(mappings as Mapping).get('proxy_manager.route'));
  };
  const template = {
    mappings: { properties: { proxy_manager: { properties: { route: { type: 'long' as const } } } } },
  };
  await client.cluster.putComponentTemplate({ name: COMPONENT, version: 0, template });
  await client.indices.rollover({ alias: LOG_DATA_STREAM });
  const sink = elasticsearchSink({ client: async () => client, installAssets: false });
  const record = { '@timestamp': new Date().toISOString(), event: { id: 'before' } };
  await sink.ship([JSON.stringify(record)], new AbortController().signal);
  expect(await typesOfRoute()).toStrictEqual(['keyword', 'long']);

  const interrupted = new Client({ node: service.url, maxRetries: 0 });
  const giveUp = new AbortController();
  interrupted.diagnostic.on('request', (_, result) => {
    if (result?.meta.request.params.path.endsWith('/_refresh') === true) giveUp.abort();
  });
  await expect(installAssets(interrupted, giveUp.signal)).rejects.toThrow(/abort/i);
  await interrupted.close();
  expect(await typesOfRoute()).toStrictEqual(['keyword', 'long']);

  await Promise.all([installAssets(client), installAssets(client), installAssets(client)]);
  expect(await typesOfRoute()).toStrictEqual(['keyword', 'long', 'keyword']);
  expect(await installedVersion()).toBe(shippedVersion);
});

/** As the cluster keeps it for the stream itself, undefined where there is no stream. */
async function streamRetention(): Promise<string | undefined> {
  const { metadata } = (await client.cluster.state({ metric: 'metadata' })) as {
    metadata: { data_stream?: { data_stream: Record<string, { lifecycle?: { data_retention?: string } }> } };
  };
  return metadata.data_stream?.data_stream[LOG_DATA_STREAM]?.lifecycle?.data_retention;
}

test('a stream that is there already keeps its documents as long as is asked now, also where telling it failed', async () => {
  const proxy = await faultProxy(service.url);
  const through = new Client({ node: proxy.url, maxRetries: 0 });
  const sink = elasticsearchSink({ client: async () => through });
  const record = { '@timestamp': new Date().toISOString(), event: { id: 'makes the stream' } };
  await sink.ship([JSON.stringify(record)], new AbortController().signal);
  expect([await streamRetention(), proxy.lifecycles]).toStrictEqual(['30d', []]);

  proxy.next = 'unavailable';
  await expect(installAssets(through, undefined, { retentionDays: 7 })).rejects.toThrow('away');
  expect(await streamRetention()).toBe('30d');
  await installAssets(through, undefined, { retentionDays: 7 });
  await installAssets(through, undefined, { retentionDays: 7 });
  expect([await streamRetention(), proxy.lifecycles.length]).toStrictEqual(['7d', 2]);
  await installAssets(through);
  expect(await streamRetention()).toBe('30d');

  await through.close();
  await proxy.close();
});

interface Mapping {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Mapping>>;
}

/** Each mapped path with its type. */
function leaves({ properties = {} }: Mapping, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, mapping] of Object.entries(properties)) {
    const path = prefix + name;
    if (mapping.properties === undefined) found.set(path, mapping.type ?? 'object');
    for (const [inner, type] of leaves(mapping, `${path}.`)) found.set(inner, type);
  }
  return found;
}

/** Each path of a document that has a value. */
function paths(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [prefix];
  return Object.entries(value).flatMap(([name, inner]) => paths(inner, prefix === '' ? name : `${prefix}.${name}`));
}
