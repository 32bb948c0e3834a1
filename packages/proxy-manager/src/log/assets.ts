import { LOG_MAPPINGS } from './log-mappings.js';

/** The data stream that every exchange is logged to. */
export const LOG_DATA_STREAM = 'logs-proxy_manager.exchange-default';

/** The index that the Elasticsearch cache store keeps replies in. */
export const CACHE_INDEX = 'proxy_manager-cache-v1';

/** Something that Elasticsearch must have before it is written to: `PUT <path>` with `body` makes it. */
export interface Asset {
  readonly kind: 'component-template' | 'index' | 'index-template';
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Raised with every change of a template: an installed one of a higher version is left alone. */
const VERSION = 4;

const common = { version: VERSION, _meta: { managed_by: 'proxy-manager' } };

/** What about the assets may be chosen. */
export interface AssetOptions {
  /**
   * How long the data stream keeps a document.
   * @default 30
   */
  readonly retentionDays?: number | undefined;
}

/** Every asset, in the order of making: plain data, fit to be printed for whoever may install templates. */
export function assets({ retentionDays = 30 }: AssetOptions = {}): readonly Asset[] {
  return structuredClone(assetsFor(`${retentionDays}d`));
}

const assetsFor = (retention: string): readonly Asset[] => [
  {
    kind: 'component-template',
    path: '_component_template/proxy_manager@mappings',
    body: { ...common, template: { mappings: LOG_MAPPINGS } },
  },
  {
    kind: 'index-template',
    path: '_index_template/logs-proxy_manager.exchange',
    body: {
      ...common,
      index_patterns: ['logs-proxy_manager.exchange-*'],
      // Above Elastic's own logs-*-* (100) and Fleet's packages (200).
      priority: 250,
      data_stream: {},
      composed_of: ['proxy_manager@mappings', 'proxy_manager@custom'],
      ignore_missing_component_templates: ['proxy_manager@custom'],
      template: {
        lifecycle: { data_retention: retention },
        settings: {
          index: {
            // Since 9.0 a logs-*-* stream becomes logsdb unless its template says otherwise.
            mode: 'standard',
            auto_expand_replicas: '0-1',
            refresh_interval: '5s',
            mapping: { ignore_malformed: true },
          },
        },
      },
    },
  },
  {
    kind: 'index-template',
    path: '_index_template/proxy_manager-cache',
    body: {
      ...common,
      index_patterns: ['proxy_manager-cache-*'],
      priority: 250,
      template: {
        aliases: { 'proxy_manager-cache': {} },
        settings: { index: { number_of_shards: 1, auto_expand_replicas: '0-1', refresh_interval: '30s' } },
        mappings: {
          dynamic: false,
          properties: {
            expires_at: { type: 'date' },
            stale_at: { type: 'date' },
            stored_at: { type: 'date' },
            age_ms: { type: 'long' },
            tags: { type: 'keyword' },
            variant: { type: 'object', enabled: false },
            method: { type: 'keyword' },
            host: { type: 'keyword' },
            status: { type: 'short' },
            bytes: { type: 'long' },
            url: { type: 'keyword', index: false, doc_values: false },
            request: { type: 'object', enabled: false },
            response: { type: 'object', enabled: false },
            body: { type: 'binary' },
          },
        },
      },
    },
  },
  {
    kind: 'index-template',
    path: '_index_template/proxy_manager-leases',
    body: {
      ...common,
      index_patterns: ['proxy_manager-leases-*'],
      priority: 250,
      template: {
        settings: { index: { number_of_shards: 1, auto_expand_replicas: '0-1', refresh_interval: -1 } },
        mappings: { dynamic: false, properties: {} },
      },
    },
  },
  {
    kind: 'index-template',
    path: '_index_template/proxy_manager-usage',
    body: {
      ...common,
      index_patterns: ['proxy_manager-usage-*'],
      priority: 250,
      template: {
        settings: { index: { number_of_shards: 1, auto_expand_replicas: '0-1', refresh_interval: -1 } },
        mappings: { dynamic: false, properties: {} },
      },
    },
  },
  { kind: 'index', path: CACHE_INDEX, body: {} },
];
