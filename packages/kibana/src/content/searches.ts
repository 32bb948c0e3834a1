import { savedObject } from '../saved-object.js';
import type { SavedObject } from '../saved-object.js';
import { DATA_VIEW_ID } from './data-view.js';
import { FAILURE } from './queries.js';

export const ALL_EXCHANGES_ID = 'proxy-manager-all-exchanges';
export const FAILED_EXCHANGES_ID = 'proxy-manager-failed-exchanges';

interface Search {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly query: string;
  readonly columns: readonly string[];
  /** Widths in pixels; the other columns share the rest. */
  readonly widths: Readonly<Record<string, number>>;
}

const INDEX_REFERENCE = 'kibanaSavedObjectMeta.searchSourceJSON.index';

function search({ id, title, description, query, columns, widths }: Search): SavedObject {
  return savedObject({
    type: 'search',
    id,
    attributes: {
      title: `[Proxy Manager] ${title}`,
      description,
      columns,
      sort: [['@timestamp', 'desc']],
      grid: { columns: Object.fromEntries(Object.entries(widths).map(([column, width]) => [column, { width }])) },
      hideChart: false,
      isTextBasedQuery: false,
      usesAdHocDataView: false,
      timeRestore: false,
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({
          query: { query, language: 'kuery' },
          filter: [],
          indexRefName: INDEX_REFERENCE,
        }),
      },
    },
    references: [{ type: 'index-pattern', id: DATA_VIEW_ID, name: INDEX_REFERENCE }],
  });
}

export const ALL_EXCHANGES: SavedObject = search({
  id: ALL_EXCHANGES_ID,
  title: 'All exchanges',
  description: 'Every attempt, and every reply that the cache gave, newest first.',
  query: '',
  columns: [
    'http.request.method',
    'url.full',
    'http.response.status_code',
    'event.duration',
    'proxy_manager.cache.status',
    'proxy_manager.attempt.number',
    'proxy_manager.verdict',
    'proxy_manager.endpoint',
    'proxy_manager.credential.id',
    'proxy_manager.proxy.id',
    'http.response.bytes',
  ],
  widths: {
    '@timestamp': 210,
    'http.request.method': 85,
    'url.full': 380,
    'http.response.status_code': 80,
    'event.duration': 95,
    'proxy_manager.cache.status': 90,
    'proxy_manager.attempt.number': 90,
    'proxy_manager.verdict': 105,
  },
});

export const FAILED_EXCHANGES: SavedObject = search({
  id: FAILED_EXCHANGES_ID,
  title: 'Failed exchanges',
  description: 'Every attempt that failed, and every request that was refused before it was sent, newest first.',
  query: FAILURE,
  columns: [
    'event.reason',
    'url.full',
    'http.response.status_code',
    'proxy_manager.verdict',
    'proxy_manager.attempt.number',
    'proxy_manager.endpoint',
    'proxy_manager.credential.id',
    'proxy_manager.proxy.id',
    'event.duration',
    'error.message',
  ],
  widths: {
    '@timestamp': 210,
    'event.reason': 140,
    'url.full': 330,
    'http.response.status_code': 80,
    'proxy_manager.verdict': 105,
    'proxy_manager.attempt.number': 90,
    'event.duration': 95,
  },
});
