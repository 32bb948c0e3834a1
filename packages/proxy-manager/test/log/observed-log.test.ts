import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { metrics } from '@opentelemetry/api';
import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { ExchangeLog } from '../../src/log/exchange-log.js';
import { consoleLine } from '../../src/log/console-line.js';
import { toLine } from '../../src/log/exchange-line.js';
import type { ExchangeRecord, RecordLine } from '../../src/log/exchange-record.js';
import { observedLog } from '../../src/log/observed-log.js';
import { TransportFault } from '../../src/transport/fault.js';
import { aReply, anExchange, STARTED_MS } from './exchanges.js';
import { recordOf, toRecord } from './log-support.js';

const ENDED_MS = STARTED_MS + 123;

function keeping(options: Parameters<typeof observedLog>[1]): { log: ExchangeLog; kept: ExchangeRecord[] } {
  const kept: ExchangeRecord[] = [];
  const inner: ExchangeLog = {
    write: (line) => void kept.push(recordOf(line)),
    gather: async (line) => void kept.push(recordOf(line)),
    flush: async () => true,
    close: async () => {},
  };
  return { log: observedLog(inner, options), kept };
}

const good = (id: string = randomUUID()): RecordLine =>
  toLine({ ...anExchange({ policy: { record: { sample: 0.25 } } }), id }, { reply: aReply() }, ENDED_MS);
const bad = (id: string = randomUUID()): RecordLine =>
  toLine({ ...anExchange(), id }, { reply: aReply({ status: 503 }) }, ENDED_MS);

test('of successes the part asked for is written, of failures all; an exchange is kept whole or not at all', async () => {
  const { log, kept } = keeping({ sample: 0.25 });
  const ids = Array.from({ length: 2000 }, () => randomUUID());
  for (const id of ids) {
    log.write(good(id));
    await log.gather(good(id));
    log.write(bad(id));
  }
  const failed = kept.filter(({ event }) => event['outcome'] === 'failure');
  expect(failed).toHaveLength(2000);
  const times = new Map<unknown, number>();
  for (const { event, http } of kept) {
    const { id } = (http as { request: { id: string } }).request;
    if (event['outcome'] === 'success') times.set(id, (times.get(id) ?? 0) + 1);
  }
  expect(times.size).toBeGreaterThan(400);
  expect(times.size).toBeLessThan(600);
  expect(new Set(times.values())).toStrictEqual(new Set([2]));
  expect(recordOf(good())['proxy_manager']).toMatchObject({ sample_rate: 0.25 });
  expect(recordOf(bad())['proxy_manager']).not.toHaveProperty('sample_rate');
});

test('without a sample everything is written', () => {
  const { log, kept } = keeping({});
  for (let n = 0; n < 100; n++) log.write(good());
  expect(kept).toHaveLength(100);
});

test('diagnostics_channel shows every record, also what the sample leaves out', () => {
  const seen: unknown[] = [];
  const onRecord = (record: unknown): void => void seen.push(record);
  subscribe('proxy-manager:exchange', onRecord);
  onTestFinished(() => void unsubscribe('proxy-manager:exchange', onRecord));
  const { log, kept } = keeping({ sample: 0 });
  const line = good();
  log.write(line);
  expect(seen).toStrictEqual([recordOf(line)]);
  expect(kept).toStrictEqual([]);
});

test("the application's OpenTelemetry metrics count requests, hits, retries, durations and what is left of a quota", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  metrics.setGlobalMeterProvider(provider);
  onTestFinished(async () => {
    metrics.disable();
    await provider.shutdown();
  });
  const { log } = keeping({ sample: 0 });
  log.write(toLine(anExchange(), { reply: aReply() }, ENDED_MS));
  const retried = anExchange({ attempt: { number: 2, retry: { reason: 'status 503', delayMs: 5 } } });
  log.write(toLine(retried, { reply: aReply({ status: 503 }) }, ENDED_MS));
  log.write(toLine(anExchange({ trace: { cache: 'hit' } }), { reply: aReply() }, ENDED_MS));

  const points = async (name: string): Promise<DataPoint<unknown>[]> => {
    await provider.forceFlush();
    const scopes = exporter.getMetrics().at(-1)?.scopeMetrics ?? [];
    return scopes.flatMap(({ metrics: all }) =>
      all
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }): DataPoint<unknown>[] => dataPoints),
    );
  };
  // The API is loaded by the first record.
  await vi.waitFor(async () => expect(await points('proxy_manager.requests')).toHaveLength(3));
  const endpoint = { 'proxy_manager.endpoint': 'test_api' };
  expect(await points('proxy_manager.cache.hits')).toMatchObject([{ value: 1, attributes: endpoint }]);
  expect(await points('proxy_manager.retries')).toMatchObject([
    { value: 1, attributes: { ...endpoint, 'proxy_manager.retry.reason': 'status 503' } },
  ]);
  expect(await points('proxy_manager.quota.remaining')).toMatchObject([
    { value: 80, attributes: { 'proxy_manager.credential.id': 'key-1' } },
  ]);
  const durations = (await points('http.client.request.duration')) as DataPoint<Histogram>[];
  expect(durations).toMatchObject([
    {
      attributes: {
        'http.request.method': 'GET',
        'server.address': 'api.example.com',
        'http.response.status_code': 200,
      },
      value: { count: 1, sum: 0.123 },
    },
    { attributes: { 'http.response.status_code': 503, 'error.type': '503' }, value: { count: 1 } },
  ]);
});

test('a line for a person says what happened, and cannot be broken in two by what it tells', () => {
  const fault = new TransportFault('ECONNRESET', 'reset\nby \u001B[2J peer', { phase: 'response', sent: true });
  expect(consoleLine(toRecord(anExchange(), { error: fault }, ENDED_MS), false)).toBe(
    '10:00:00.000 GET https://api.example.com/v1/items/42?q=x&key={key}#top ECONNRESET 123ms miss' +
      '  (test_api, key-1, via proxy.example.com:8080, reset by  [2J peer)',
  );
  const coloured = consoleLine(recordOf(bad()), true);
  expect(coloured.startsWith('\u001B[33m10:00:00.000 GET')).toBe(true);
  expect(coloured.endsWith('status 503)\u001B[39m')).toBe(true);
});
