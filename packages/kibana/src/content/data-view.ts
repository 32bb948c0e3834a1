import { savedObject } from '../saved-object.js';
import type { SavedObject } from '../saved-object.js';

export const DATA_VIEW_ID = 'proxy-manager-exchange';

function duration(inputFormat: 'milliseconds' | 'nanoseconds' | 'seconds'): object {
  return {
    id: 'duration',
    params: {
      inputFormat,
      outputFormat: 'humanizePrecise',
      outputPrecision: 1,
      showSuffix: true,
      useShortSuffix: true,
      includeSpaceWithSuffix: true,
    },
  };
}

const bytes = { id: 'bytes', params: { pattern: '0,0.[0]b' } };

const FORMATS: Readonly<Record<string, object>> = {
  'event.duration': duration('nanoseconds'),
  'http.request.bytes': bytes,
  'http.request.body.bytes': bytes,
  'http.response.bytes': bytes,
  'http.response.body.bytes': bytes,
  'proxy_manager.cache.age_ms': duration('milliseconds'),
  'proxy_manager.cache.ttl_s': duration('seconds'),
  'proxy_manager.rate_limit.window_s': duration('seconds'),
  'proxy_manager.retry.delay_ms': duration('milliseconds'),
  'proxy_manager.timing.pool_ms': duration('milliseconds'),
  'proxy_manager.timing.pace_ms': duration('milliseconds'),
  'proxy_manager.timing.dns_ms': duration('milliseconds'),
  'proxy_manager.timing.connect_ms': duration('milliseconds'),
  'proxy_manager.timing.tls_ms': duration('milliseconds'),
  'proxy_manager.timing.ttfb_ms': duration('milliseconds'),
  'proxy_manager.timing.download_ms': duration('milliseconds'),
  // A status is no quantity: no thousands separator.
  'http.response.status_code': { id: 'string' },
};

const LABELS: Readonly<Record<string, string>> = {
  'error.message': 'Error',
  'event.duration': 'Duration',
  'event.reason': 'Reason',
  'http.request.method': 'Method',
  'http.response.bytes': 'Received',
  'http.response.status_code': 'Status',
  'proxy_manager.attempt.number': 'Attempt',
  'proxy_manager.cache.status': 'Cache',
  'proxy_manager.credential.id': 'Credential',
  'proxy_manager.endpoint': 'Endpoint',
  'proxy_manager.proxy.id': 'Proxy',
  'proxy_manager.verdict': 'Verdict',
  'url.full': 'Url',
};

/** The log's data streams of all namespaces, with a unit for every field that has one. */
export const DATA_VIEW: SavedObject = savedObject({
  type: 'index-pattern',
  id: DATA_VIEW_ID,
  attributes: {
    title: 'logs-proxy_manager.exchange-*',
    name: 'Proxy Manager exchanges',
    timeFieldName: '@timestamp',
    allowNoIndex: true,
    fields: '[]',
    fieldAttrs: JSON.stringify(
      Object.fromEntries(Object.entries(LABELS).map(([field, customLabel]) => [field, { customLabel }])),
    ),
    fieldFormatMap: JSON.stringify(FORMATS),
    runtimeFieldMap: '{}',
    sourceFilters: '[]',
  },
  references: [],
});
