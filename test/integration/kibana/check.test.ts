import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { check } from '@proxy-manager/kibana';
import { LOG_DATA_STREAM } from '../../../packages/proxy-manager/src/log/assets.js';
import { installAssets } from '../../../packages/proxy-manager/src/log/install-assets.js';
import { startElasticsearch } from '../../services/elasticsearch.js';
import type { Service } from '../../services/service.js';
import { runWorkload } from './workload.js';

// A node of its own: what is missing is the subject here.
let service: Service;
let client: Client;

beforeAll(async () => {
  service = await startElasticsearch();
  client = new Client({ node: service.url });
});

afterAll(async () => {
  await client.close();
  await service.stop();
});

async function found(): Promise<string[]> {
  const findings = await check({ elasticsearch: { url: service.url } });
  return findings.map(({ ok, text }) => `${ok ? 'ok' : 'missing'}: ${text}`);
}

const OLD = {
  mappings: { properties: { '@timestamp': { type: 'date' as const }, message: { type: 'text' as const } } },
};

it('says at each step what is missing, until everything is there', async () => {
  expect(await found()).toEqual([
    expect.stringMatching(/^missing: template _index_template\/logs-proxy_manager.exchange is missing: start proxy-m/),
    expect.stringMatching(/^missing: template _component_template\/proxy_manager@mappings is missing/),
    expect.stringMatching(/^missing: no data stream/),
  ]);

  await installAssets(client);
  expect(await found()).toEqual([
    'ok: template _index_template/logs-proxy_manager.exchange is there',
    'ok: template _component_template/proxy_manager@mappings is there',
    expect.stringMatching(/^missing: no data stream/),
  ]);

  // As if an older release had installed it, and logged.
  await client.cluster.putComponentTemplate({ name: 'proxy_manager@mappings', version: 0, template: OLD });
  const document = { '@timestamp': new Date().toISOString(), message: 'old' };
  const { _index: index, _id: id } = await client.create({ index: LOG_DATA_STREAM, id: 'old', document });
  await client.indices.refresh({ index });
  expect((await found()).slice(2)).toEqual([
    expect.stringMatching(
      /^missing: not mapped in .*: .*proxy_manager\.credential\.id.*url\.full.*roll the data stream over/,
    ),
    expect.stringMatching(/^ok: 1 exchanges are logged, the newest at 20/),
  ]);
  await client.delete({ index, id, refresh: true });
  expect((await found()).at(-1)).toMatch(/^missing: .* is empty/);

  await installAssets(client);
  await client.indices.rollover({ alias: LOG_DATA_STREAM });
  const { documents } = await runWorkload(service.url, 'check');
  await client.indices.refresh({ index: LOG_DATA_STREAM });
  expect((await found()).slice(2)).toEqual([
    expect.stringMatching(/^ok: all \d+ fields of the dashboards are mapped$/),
    expect.stringMatching(new RegExp(`^ok: ${documents.length} exchanges are logged, the newest at 20`)),
  ]);
});

it('rejects where nobody answers', async () => {
  await expect(check({ elasticsearch: { url: 'http://127.0.0.1:1' } })).rejects.toMatchObject({
    code: 'ERR_KIBANA_UNREACHABLE',
  });
});
