import { DATA_VIEW_ID } from '../content/data-view.js';
import type { Reference } from '../saved-object.js';

/** By what every dashboard can be narrowed down. */
const CONTROLS = [
  { id: 'endpoint', fieldName: 'proxy_manager.endpoint', title: 'Endpoint' },
  { id: 'host', fieldName: 'url.domain', title: 'Host' },
  { id: 'credential', fieldName: 'proxy_manager.credential.id', title: 'Credential' },
  { id: 'proxy', fieldName: 'proxy_manager.proxy.id', title: 'Proxy' },
] as const;

/** The lists above the panels. Each offers only what the ones before it leave over. */
export const CONTROL_GROUP: object = {
  controlStyle: 'oneLine',
  chainingSystem: 'HIERARCHICAL',
  ignoreParentSettingsJSON: JSON.stringify({
    ignoreFilters: false,
    ignoreQuery: false,
    ignoreTimerange: false,
    ignoreValidations: false,
  }),
  panelsJSON: JSON.stringify(
    Object.fromEntries(
      CONTROLS.map(({ id, fieldName, title }, order) => [
        id,
        {
          order,
          width: 'medium',
          grow: true,
          type: 'optionsListControl',
          explicitInput: { id, fieldName, title, selectedOptions: [], enhancements: {} },
        },
      ]),
    ),
  ),
};

export const CONTROL_REFERENCES: readonly Reference[] = CONTROLS.map(({ id }) => ({
  type: 'index-pattern',
  id: DATA_VIEW_ID,
  name: `controlGroup_${id}:optionsListDataView`,
}));
