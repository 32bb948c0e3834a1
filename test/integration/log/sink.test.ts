import { Client } from '@elastic/elasticsearch';
import { afterAll, expect, test } from 'vitest';
import { elasticsearchSink } from '../../../packages/proxy-manager/src/log/elasticsearch.js';
import { sinkContract } from '../../../packages/proxy-manager/src/testing/sink-contract.js';
import { elasticsearchUrl } from '../../services/urls.js';
import { aRecord, storedIds } from './support.js';
import { faultProxy } from './fault-proxy.js';

const client = new Client({ node: elasticsearchUrl(), maxRetries: 0 });
const never = new AbortController().signal;

afterAll(() => client.close());

sinkContract({
  test,
  idempotent: true,
  open: async () => ({
    sink: elasticsearchSink({ client: async () => client, onProblem: () => {} }),
    stored: (ids) => storedIds(client, ids),
  }),
});

test('a record that Elasticsearch refuses for good is told once, and the others are stored', async () => {
  const told: string[] = [];
  const sink = elasticsearchSink({ client: async () => client, onProblem: (problem) => told.push(problem.message) });
  const good = [aRecord(), aRecord()];
  const lines = good.map((record) => JSON.stringify(record));
  // A data stream takes nothing without a time.
  await sink.ship([...lines, '{"event":{"id":"timeless-1"}}', '{"event":{"id":"timeless-2"}}'], never);
  expect(told).toMatchObject([expect.stringContaining('timeless-1')]);
  expect(await storedIds(client, [...good.map(({ event }) => event.id), 'timeless-1'])).toHaveLength(2);
  await sink.close();
  expect(told.at(-1)).toContain('2 records in all');
});

test('a 503 and a lost answer are faults, and what was accepted before is there once', async () => {
  const proxy = await faultProxy(elasticsearchUrl());
  const through = new Client({ node: proxy.url, maxRetries: 0 });
  const sink = elasticsearchSink({ client: async () => through });
  const records = [aRecord(), aRecord()];
  const lines = records.map((record) => JSON.stringify(record));
  await sink.ship([JSON.stringify(aRecord())], never);
  proxy.next = 'unavailable';
  await expect(sink.ship(lines, never)).rejects.toThrow('away');
  proxy.next = 'lose-answer';
  await expect(sink.ship(lines, never)).rejects.toThrow(/socket|other side/);
  await sink.ship(lines, never);
  expect(await storedIds(client, idsOf(records))).toHaveLength(2);
  await through.close();
  await proxy.close();
});

test('of a batch that is accepted by half only the other half comes again', async () => {
  const proxy = await faultProxy(elasticsearchUrl());
  const through = new Client({ node: proxy.url, maxRetries: 0 });
  const sink = elasticsearchSink({ client: async () => through });
  const records = Array.from({ length: 10 }, () => aRecord());
  const lines = records.map((record) => JSON.stringify(record));
  proxy.next = 'half';
  await expect(sink.ship(lines, never)).rejects.toThrow('429');
  await sink.ship(lines, never);
  expect(proxy.bulkSizes).toStrictEqual([10, 5]);
  expect((await storedIds(client, idsOf(records))).toSorted()).toStrictEqual(idsOf(records).toSorted());
  await through.close();
  await proxy.close();
});

test('a batch that is too large for what stands between goes in pieces', async () => {
  const proxy = await faultProxy(elasticsearchUrl(), { maxBytes: 3000 });
  const through = new Client({ node: proxy.url, maxRetries: 0 });
  const told: string[] = [];
  const sink = elasticsearchSink({
    client: async () => through,
    installAssets: false,
    onProblem: (problem) => told.push(problem.message),
  });
  const records = Array.from({ length: 7 }, () => aRecord('x'.repeat(1000)));
  const tooLarge = aRecord('x'.repeat(4000));
  await sink.ship(
    [...records, tooLarge].map((record) => JSON.stringify(record)),
    never,
  );
  expect((await storedIds(client, idsOf([...records, tooLarge]))).toSorted()).toStrictEqual(idsOf(records).toSorted());
  expect(told).toMatchObject([expect.stringContaining(tooLarge.event.id)]);
  await through.close();
  await proxy.close();
});

function idsOf(records: readonly { readonly event: { readonly id: string } }[]): string[] {
  return records.map(({ event }) => event.id);
}
