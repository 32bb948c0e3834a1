import type { Attributes, Counter, Gauge, Histogram, MeterProvider } from '@opentelemetry/api';
import type { ExchangeRecord } from '../log/exchange-record.js';
import { hasOpenTelemetry, loadedOpenTelemetry, openTelemetry } from './open-telemetry.js';

/** The parts of a record that become metrics. */
interface Measured {
  readonly event: {
    readonly action: string;
    readonly outcome: string;
    readonly reason?: string;
    readonly duration: number;
  };
  readonly http: {
    readonly version?: string;
    readonly request: { readonly method: string };
    readonly response?: { readonly status_code: number };
  };
  readonly server: { readonly address: string; readonly port?: number };
  readonly proxy_manager: {
    readonly endpoint: string;
    readonly cache: { readonly status: string };
    readonly retry?: { readonly reason: string };
    readonly credential?: { readonly id: string };
    readonly proxy?: { readonly id: string };
    readonly rate_limit?: { readonly remaining: number };
  };
}

interface Instruments {
  readonly provider: MeterProvider;
  readonly requests: Counter;
  readonly hits: Counter;
  readonly retries: Counter;
  readonly remaining: Gauge;
  readonly duration: Histogram;
}

let instruments: Instruments | undefined;

/** True where the application has OpenTelemetry metrics of its own, for records to be counted in. */
export function countsMetrics(): boolean {
  return hasOpenTelemetry('metrics');
}

/** Counts a record in the application's own OpenTelemetry metrics; without them it does nothing. */
export function recordMetrics(record: ExchangeRecord): void {
  if (!countsMetrics()) return;
  if (loadedOpenTelemetry() !== undefined) measure(record as unknown as Measured);
  else void openTelemetry().then(() => measure(record as unknown as Measured));
}

function measure({ event, http, server, proxy_manager: own }: Measured): void {
  const { requests, hits, retries, remaining, duration } = present() ?? {};
  const endpoint = { 'proxy_manager.endpoint': own.endpoint };
  requests?.add(1, { ...endpoint, 'proxy_manager.cache.status': own.cache.status, 'event.outcome': event.outcome });
  if (event.action === 'cache-hit') {
    hits?.add(1, endpoint);
    return;
  }
  if (own.retry !== undefined) retries?.add(1, { ...endpoint, 'proxy_manager.retry.reason': own.retry.reason });
  const id = own.credential?.id ?? own.proxy?.id;
  if (own.rate_limit !== undefined && id !== undefined) {
    remaining?.record(own.rate_limit.remaining, { ...endpoint, 'proxy_manager.credential.id': id });
  }
  if (event.action === 'http-request')
    duration?.record(event.duration / 1e9, { ...endpoint, ...call(event, http, server) });
}

/** The attributes that OpenTelemetry's semantic conventions give a client's request. */
function call({ reason }: Measured['event'], http: Measured['http'], server: Measured['server']): Attributes {
  const status = http.response?.status_code;
  return {
    'http.request.method': http.request.method,
    'server.address': server.address,
    ...(server.port === undefined ? {} : { 'server.port': server.port }),
    ...(http.version === undefined ? {} : { 'network.protocol.version': http.version }),
    ...(status === undefined ? {} : { 'http.response.status_code': status }),
    ...(reason === undefined ? {} : { 'error.type': status !== undefined && status >= 400 ? String(status) : reason }),
  };
}

/** The instruments of the provider that is registered now. */
function present(): Instruments | undefined {
  const api = loadedOpenTelemetry();
  if (api === undefined) return undefined;
  const provider = api.metrics.getMeterProvider();
  if (instruments?.provider === provider) return instruments;
  const meter = provider.getMeter('proxy-manager');
  instruments = {
    provider,
    requests: meter.createCounter('proxy_manager.requests', {
      description: 'Attempts, and replies that needed none',
      unit: '{request}',
    }),
    hits: meter.createCounter('proxy_manager.cache.hits', {
      description: 'Replies out of the cache',
      unit: '{request}',
    }),
    retries: meter.createCounter('proxy_manager.retries', {
      description: 'Attempts that repeat another one',
      unit: '{request}',
    }),
    remaining: meter.createGauge('proxy_manager.quota.remaining', {
      description: 'Uses left in the tightest window of a credential, just after one was counted',
      unit: '{use}',
    }),
    duration: meter.createHistogram('http.client.request.duration', {
      description: 'Duration of HTTP client requests.',
      unit: 's',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] },
    }),
  };
  return instruments;
}
