import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startElasticsearch } from '../../services/elasticsearch.js';
import type { Service } from '../../services/service.js';

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

test('is a healthy node of Elasticsearch', async () => {
  const health = await client.cluster.health({ wait_for_status: 'yellow', timeout: '10s' });
  expect(health.number_of_nodes).toBeGreaterThan(0);
});

test('is gone after kill, and back at the same address with what it had acknowledged after start', async () => {
  const index = `services-test-${process.pid}-${Date.now()}`;
  await client.index({ index, id: 'kept', document: { text: 'kept' } });

  await service.kill();
  await expect(client.cluster.health()).rejects.toThrow(/ECONNREFUSED|ECONNRESET|other side closed|socket/i);

  await service.start();
  await client.cluster.health({ index, wait_for_status: 'yellow', timeout: '30s' });
  const found = await client.get({ index, id: 'kept' });
  expect(found._source).toEqual({ text: 'kept' });
  await client.indices.delete({ index });
});
