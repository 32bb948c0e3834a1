import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, metrics, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test } from 'vitest';
import type { ManagerOptions } from '../../src/config/options.js';
import { ProxyManager } from '../../src/proxy-manager.js';
import { closedPort } from '../servers/faulty.js';
import type { Handler } from '../servers/origin.js';
import { startOrigin } from '../servers/origin.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

interface Logged {
  readonly event: { readonly action: string; readonly outcome: string; readonly reason?: string };
  readonly http: { readonly request: { readonly id: string }; readonly response?: { readonly status_code: number } };
  readonly trace?: { readonly id: string };
  readonly span?: { readonly id: string };
  readonly proxy_manager: {
    readonly cache: { readonly status: string };
    readonly attempt?: { readonly number: number };
    readonly sample_rate?: number;
  };
}

/** A manager with an origin whose path says how it answers: `/503-200` first with 503, then with 200. */
async function setUp(options: Partial<ManagerOptions> = {}) {
  const told: (string | undefined)[] = [];
  const asked = new Map<string, number>();
  const answer: Handler = (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://origin');
    const times = asked.get(request.url ?? '') ?? 0;
    asked.set(request.url ?? '', times + 1);
    told.push(request.headers['traceparent'] as string | undefined);
    const statuses = pathname.slice(1).split('-').map(Number);
    response.writeHead(statuses[Math.min(times, statuses.length - 1)] || 200).end('{}');
  };
  const origin = await startOrigin(answer);
  const dataDir = mkdtempSync(join(tmpdir(), 'telemetry-'));
  const secrets = { key_based: { api: { limit: 10_000, refresh_rate: 60, keys: ['a-key-of-the-pool'] } } };
  const manager = new ProxyManager({ secrets, dataDir, usage: 'memory', cache: { store: 'memory' }, ...options });
  onTestFinished(async () => {
    await manager.close();
    await origin.close();
    rmSync(dataDir, { recursive: true });
  });
  const req = manager.request('api', { headers: { 'x-api-key': '{key}' }, userAgent: false });
  const logged = (): Logged[] =>
    readdirSync(join(dataDir, 'log'))
      .filter((name) => name.endsWith('.ndjson'))
      .flatMap((name) =>
        readFileSync(join(dataDir, 'log', name), 'utf8')
          .split('\n')
          .filter(Boolean),
      )
      .map((line) => JSON.parse(line) as Logged);
  return { origin, manager, req, told, logged };
}

function enableOpenTelemetry(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  onTestFinished(() => context.disable());
}

function withinSpan<T>(spanId: string, work: () => T): T {
  const span = trace.wrapSpanContext({ traceId: TRACE_ID, spanId, traceFlags: TraceFlags.SAMPLED });
  return context.with(trace.setSpan(context.active(), span), work);
}

test('the active OpenTelemetry span reaches origin and log: through every door, on each attempt, each send its own', async () => {
  enableOpenTelemetry();
  const { origin, req, told, logged } = await setUp({ trace: { propagate: true } });
  const spans = ['1', '2', '3', '4'].map((digit) => digit.repeat(16));
  const [one = '', two = '', three = '', four = ''] = spans;
  await Promise.all([
    withinSpan(one, () => req.send(`${origin.url}/503-200`)),
    withinSpan(two, () => req.fetch(`${origin.url}/200?two`)),
    withinSpan(three, () => req.axios.get(`${origin.url}/200?three`)),
    withinSpan(four, () =>
      req.send(`${origin.url}/200?four`, { headers: { traceparent: `00-${TRACE_ID}-${SPAN_ID}-00` } }),
    ),
    req.send(`${origin.url}/200?none`),
  ]);
  const expected = [one, one, two, three].map((spanId) => `00-${TRACE_ID}-${spanId}-01`);
  expect(told.map(String).toSorted()).toStrictEqual(
    [...expected, `00-${TRACE_ID}-${SPAN_ID}-00`, 'undefined'].toSorted(),
  );
  const records = logged();
  expect(records.map(({ span }) => String(span?.id)).toSorted()).toStrictEqual(
    [one, one, two, three, SPAN_ID, 'undefined'].toSorted(),
  );
  expect(records.filter((record) => record.trace?.id === TRACE_ID)).toHaveLength(5);
});

test('without propagate the log knows the trace, and the origin is told nothing; a hit belongs to its own trace', async () => {
  enableOpenTelemetry();
  const { origin, req, told, logged } = await setUp();
  const [one, two] = ['1'.repeat(16), '2'.repeat(16)];
  await withinSpan(one, () => req.send(`${origin.url}/200`, { cache: true }));
  await withinSpan(two, () => req.send(`${origin.url}/200`, { cache: true }));
  expect(told).toStrictEqual([undefined]);
  expect(logged().map((record) => [record.proxy_manager.cache.status, record.span?.id])).toStrictEqual([
    ['miss', one],
    ['hit', two],
  ]);
});

test('a traceparent out of an AsyncLocalStorage, without OpenTelemetry', async () => {
  const storage = new AsyncLocalStorage<string>();
  const { origin, req, told, logged } = await setUp({
    trace: { traceparent: () => storage.getStore(), propagate: true },
  });
  const parents = ['1', '2'].map((digit) => `00-${TRACE_ID}-${digit.repeat(16)}-01`);
  await Promise.all(parents.map((parent) => storage.run(parent, () => req.send(`${origin.url}/200?${parent}`))));
  expect(told.map(String).toSorted()).toStrictEqual(parents);
  expect(
    logged()
      .map(({ span }) => String(span?.id))
      .toSorted(),
  ).toStrictEqual(['1'.repeat(16), '2'.repeat(16)]);
});

test('a sample of nothing still keeps every failure: statuses, faults, a spent pool, the attempt before a success', async () => {
  const { origin, manager, req, logged } = await setUp({
    log: { sample: 0 },
    secrets: {
      key_based: {
        api: { limit: 10_000, refresh_rate: 60, keys: ['a-key-of-the-pool'] },
        spent: { limit: 1, refresh_rate: 60, keys: ['a-key-that-is-spent'] },
      },
    },
  });
  const once = { retry: { attempts: 1 } };
  for (let n = 0; n < 5; n++) await req.send(`${origin.url}/200?${n}`, { cache: true });
  await req.send(`${origin.url}/200?0`, { cache: true });
  await req.send(`${origin.url}/404`, once).catch(() => {});
  await req.send(`${origin.url}/500`, once).catch(() => {});
  await req.send(`http://127.0.0.1:${await closedPort()}/`, once).catch(() => {});
  await req.send(`${origin.url}/503-200`);
  const spent = manager.request('spent', { headers: { 'x-api-key': '{key}' } });
  await spent.send(`${origin.url}/200?last`);
  await spent.send(`${origin.url}/200?none`).catch(() => {});
  expect(logged().map(({ event }) => event.reason)).toStrictEqual([
    'status 404',
    'status 500',
    'ECONNREFUSED',
    'status 503',
    'pool exhausted',
  ]);
});

test('a sample of a quarter keeps about so many sends, and says so', async () => {
  const { origin, req, logged } = await setUp({ log: { sample: 0.25 } });
  const SENDS = 600;
  for await (const result of req.sendAll(
    Array.from({ length: SENDS }, (_, n) => ({ url: `${origin.url}/200?${n}` })),
    { concurrency: 20 },
  )) {
    expect(result).not.toHaveProperty('reason');
  }
  const kept = logged();
  expect(kept.length).toBeGreaterThan(0.15 * SENDS);
  expect(kept.length).toBeLessThan(0.35 * SENDS);
  expect(new Set(kept.map((record) => record.proxy_manager.sample_rate))).toStrictEqual(new Set([0.25]));
});

test('diagnostics_channel and OpenTelemetry metrics show requests, durations, hits, retries and what a quota has left', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  metrics.setGlobalMeterProvider(provider);
  const seen: Logged[] = [];
  const onRecord = (record: unknown): void => void seen.push(record as Logged);
  subscribe('proxy-manager:exchange', onRecord);
  onTestFinished(async () => {
    unsubscribe('proxy-manager:exchange', onRecord);
    metrics.disable();
    await provider.shutdown();
  });
  const { origin, req } = await setUp();
  await req.send(`${origin.url}/200`, { cache: true });
  await req.send(`${origin.url}/200`, { cache: true });
  await req.send(`${origin.url}/503-200`);
  expect(seen.map(({ event, http }) => [event.action, http.response?.status_code])).toStrictEqual([
    ['http-request', 200],
    ['cache-hit', 200],
    ['http-request', 503],
    ['http-request', 200],
  ]);

  await provider.forceFlush();
  const scopes = exporter.getMetrics().at(-1)?.scopeMetrics ?? [];
  const points = new Map<string, DataPoint<unknown>[]>(
    scopes.flatMap(({ metrics: all }) =>
      all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints] as [string, DataPoint<unknown>[]]),
    ),
  );
  const sum = (name: string): number =>
    (points.get(name) ?? []).reduce((total, { value }) => total + (value as number), 0);
  expect([sum('proxy_manager.requests'), sum('proxy_manager.cache.hits'), sum('proxy_manager.retries')]).toStrictEqual([
    4, 1, 1,
  ]);
  expect(points.get('proxy_manager.quota.remaining')).toMatchObject([{ value: 9_997 }]);
  const durations = (points.get('http.client.request.duration') ?? []) as DataPoint<Histogram>[];
  expect(durations.reduce((total, { value }) => total + value.count, 0)).toBe(3);
});
