import { DATA_VIEW } from './content/data-view.js';
import { ALL_EXCHANGES, FAILED_EXCHANGES } from './content/searches.js';
import { CACHE } from './dashboards/cache.js';
import { CREDENTIALS } from './dashboards/credentials.js';
import { EXCHANGES } from './dashboards/exchanges.js';
import { FAILURES } from './dashboards/failures.js';
import { OVERVIEW } from './dashboards/overview.js';
import { PROXIES } from './dashboards/proxies.js';
import type { SavedObject } from './saved-object.js';

const OBJECTS: readonly SavedObject[] = [
  DATA_VIEW,
  ALL_EXCHANGES,
  FAILED_EXCHANGES,
  OVERVIEW,
  CREDENTIALS,
  PROXIES,
  CACHE,
  FAILURES,
  EXCHANGES,
];

/** Everything that is imported: the data view, the saved searches and the dashboards, as plain copies. */
export function savedObjects(): readonly SavedObject[] {
  return structuredClone(OBJECTS);
}
