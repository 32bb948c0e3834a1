import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { elasticsearchSink } from '../../../packages/proxy-manager/src/log/elasticsearch.js';
import { openExchangeLog } from '../../../packages/proxy-manager/src/log/open-exchange-log.js';
import { LOG_DATA_STREAM } from '../../../packages/proxy-manager/src/log/assets.js';
import { startElasticsearch } from '../../services/elasticsearch.js';
import type { Service } from '../../services/service.js';
import { faultProxy } from './fault-proxy.js';
import { lineOf } from '../../../packages/proxy-manager/test/log/log-support.js';
import { aRecord, filesIn, logDirectory, storedIds } from './support.js';

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

// Elasticsearch is started three times.
const SLOW = { timeout: 180_000 };

test(
  'away at start and again in the middle: every record is there once, and nothing is left in the spool',
  SLOW,
  async () => {
    const directory = await logDirectory();
    const told: string[] = [];
    const onProblem = (problem: Error): unknown => told.push(problem.message);
    const log = openExchangeLog({
      directory,
      sinks: [elasticsearchSink({ client: async () => client, onProblem })],
      onProblem,
    });
    const ids: string[] = [];
    const write = (count: number): void => {
      for (let number = 0; number < count; number++) {
        const record = aRecord(`record ${number}`);
        ids.push(record.event.id);
        log.write(lineOf(record));
      }
    };

    await service.kill();
    write(1500);
    expect(await log.flush(500)).toBe(false);
    await service.start();
    expect(await log.flush(60_000)).toBe(true);

    write(2500);
    // Some batches are on their way when it dies.
    await new Promise(setImmediate);
    await service.kill();
    write(500);
    expect(await log.flush(300)).toBe(false);
    await service.start();
    write(500);
    expect(await log.flush(60_000)).toBe(true);

    const stored = await storedIds(client, ids);
    expect(stored.length).toBe(5000);
    expect(new Set(stored)).toStrictEqual(new Set(ids));
    // Once at the start, once in the middle.
    expect(told).toMatchObject(Array(2).fill(expect.stringContaining('could not ship to elasticsearch')));
    await log.close();
    expect(filesIn(directory)).toStrictEqual([]);
  },
);

test('close does not hang on an Elasticsearch that is away, and the next log ships what waited', async () => {
  const directory = await logDirectory();
  const away = new Client({ node: 'http://127.0.0.1:9', maxRetries: 0 });
  const first = openExchangeLog({
    directory,
    sinks: [elasticsearchSink({ client: async () => away })],
    onProblem: () => {},
  });
  const record = aRecord();
  first.write(lineOf(record));
  const startedMs = performance.now();
  await first.close(500);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  await away.close();

  const second = openExchangeLog({ directory, sinks: [elasticsearchSink({ client: async () => client })] });
  await expect.poll(() => filesIn(directory), { timeout: 10_000 }).toStrictEqual([]);
  expect(await storedIds(client, [record.event.id])).toHaveLength(1);
  await second.close();
});

test('a batch whose answer was lost is there once, also where the stream was rolled over meanwhile', async () => {
  const proxy = await faultProxy(service.url);
  const through = new Client({ node: proxy.url, maxRetries: 0 });
  const directory = await logDirectory();
  const log = openExchangeLog({
    directory,
    sinks: [elasticsearchSink({ client: async () => through, onProblem: () => {} })],
    onProblem: () => {},
  });
  const records = Array.from({ length: 300 }, () => aRecord());
  const [first, ...rest] = records;
  if (first !== undefined) log.write(lineOf(first));
  expect(await log.flush()).toBe(true);
  proxy.next = 'lose-answer';
  proxy.onFault = () => client.indices.rollover({ alias: LOG_DATA_STREAM });
  for (const record of rest) log.write(lineOf(record));
  expect(await log.flush(20_000)).toBe(true);
  expect(proxy.next).toBeUndefined();
  const ids = records.map(({ event }) => event.id);
  expect((await storedIds(client, ids)).toSorted()).toStrictEqual(ids.toSorted());
  expect(Object.keys(await client.indices.getMapping({ index: LOG_DATA_STREAM })).length).toBeGreaterThan(1);
  await log.close();
  await through.close();
  await proxy.close();
});

test('while the stream takes no writes, as a full disk makes it, records wait', async () => {
  const told: string[] = [];
  const log = openExchangeLog({
    directory: await logDirectory(),
    sinks: [elasticsearchSink({ client: async () => client })],
    onProblem: (problem) => told.push(problem.message),
  });
  log.write(lineOf(aRecord()));
  expect(await log.flush(20_000)).toBe(true);
  const record = aRecord();
  await client.indices.putSettings({ index: LOG_DATA_STREAM, settings: { 'index.blocks.write': true } });
  log.write(lineOf(record));
  expect(await log.flush(500)).toBe(false);
  expect(told).toMatchObject([expect.stringContaining('cluster_block_exception')]);
  await client.indices.putSettings({ index: LOG_DATA_STREAM, settings: { 'index.blocks.write': false } });
  expect(await log.flush(20_000)).toBe(true);
  expect(await storedIds(client, [record.event.id])).toHaveLength(1);
  await log.close();
});
