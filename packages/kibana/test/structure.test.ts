import { expect, it } from 'vitest';
import type { Column } from '../src/lens/column.js';
import { savedObjects } from '../src/saved-objects.js';
import { decodedDashboards, lensPanels, shownColumns } from './support/decoded.js';

const dashboards = decodedDashboards();
const charts = lensPanels();

/** What the dashboard type of Kibana 8.12 knows; it refuses anything else. */
const DASHBOARD_ATTRIBUTES = new Set([
  'title',
  'description',
  'kibanaSavedObjectMeta',
  'timeRestore',
  'timeFrom',
  'timeTo',
  'refreshInterval',
  'controlGroupInput',
  'panelsJSON',
  'optionsJSON',
  'hits',
  'version',
]);
const CONTROL_ATTRIBUTES = ['chainingSystem', 'controlStyle', 'ignoreParentSettingsJSON', 'panelsJSON'];

it('has the six dashboards, two lists and one data view, under ids that no other object has', () => {
  const ids = savedObjects().map(({ type, id }) => `${type}:${id}`);
  expect(ids).toEqual([
    'index-pattern:proxy-manager-exchange',
    'search:proxy-manager-all-exchanges',
    'search:proxy-manager-failed-exchanges',
    'dashboard:proxy-manager-overview',
    'dashboard:proxy-manager-credentials',
    'dashboard:proxy-manager-proxies',
    'dashboard:proxy-manager-cache',
    'dashboard:proxy-manager-failures',
    'dashboard:proxy-manager-exchanges',
  ]);
  expect(new Set(ids.map((id) => id.split(':')[1])).size).toBe(ids.length);
});

it('says the versions that Kibana 8.12 knows, and nothing that only a server can know', () => {
  const versions = { dashboard: '8.9.0', 'index-pattern': '8.0.0', search: '8.0.0' };
  for (const object of savedObjects()) {
    expect(object).toMatchObject({ coreMigrationVersion: '8.8.0', typeMigrationVersion: versions[object.type] });
    expect(Object.keys(object).toSorted()).toEqual([
      'attributes',
      'coreMigrationVersion',
      'id',
      'managed',
      'references',
      'type',
      'typeMigrationVersion',
    ]);
  }
});

it('keeps to the closed schema of a dashboard, with JSON in strings', () => {
  for (const { attributes } of dashboards) {
    expect(Object.keys(attributes).filter((name) => !DASHBOARD_ATTRIBUTES.has(name))).toEqual([]);
    const group = attributes['controlGroupInput'] as Record<string, unknown>;
    expect(Object.keys(group).toSorted()).toEqual(CONTROL_ATTRIBUTES);
  }
  for (const { attributes } of savedObjects()) expect(jsonMistakes(attributes)).toEqual([]);
});

function jsonMistakes(value: object): string[] {
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
    if (!name.endsWith('JSON')) return typeof inner === 'object' && inner !== null ? jsonMistakes(inner) : [];
    if (typeof inner !== 'string') return [name];
    JSON.parse(inner);
    return [];
  });
}

it.each(dashboards)('$title fills the grid without a hole and without an overlap', ({ panels }) => {
  const taken = new Map<string, string>();
  for (const { panelIndex, gridData } of panels) {
    expect(gridData.i).toBe(panelIndex);
    for (let x = gridData.x; x < gridData.x + gridData.w; x++) {
      for (let y = gridData.y; y < gridData.y + gridData.h; y++) {
        expect(taken.get(`${x},${y}`), `${panelIndex} at ${x},${y}`).toBeUndefined();
        taken.set(`${x},${y}`, panelIndex);
      }
    }
  }
  const height = Math.max(...panels.map(({ gridData }) => gridData.y + gridData.h));
  expect(taken.size).toBe(48 * height);
});

it.each(dashboards)('$title says what it and its panels are for, and has links, controls and a hint', (dashboard) => {
  expect(dashboard.attributes['description']).toMatch(/\w/);
  expect(Object.values(dashboard.controls).map(({ explicitInput }) => explicitInput.fieldName)).toEqual([
    'proxy_manager.endpoint',
    'url.domain',
    'proxy_manager.credential.id',
    'proxy_manager.proxy.id',
  ]);
  const [links, hint, ...others] = dashboard.panels;
  expect(links?.type).toBe('links');
  expect(JSON.stringify(hint?.embeddableConfig)).toContain('npx @proxy-manager/kibana check');
  for (const { title, embeddableConfig } of others) {
    expect(title).toMatch(/^[A-Z]/);
    expect(embeddableConfig.description).toMatch(/\w+\.$/);
  }
});

it('leads from every chart by a value to the failures or to the list of exchanges', () => {
  const targets = new Set(
    dashboards.flatMap(({ references }) =>
      references.flatMap(({ name, id }) => (name.includes(':drilldown:') ? [id] : [])),
    ),
  );
  expect([...targets].toSorted()).toEqual(['proxy-manager-exchanges', 'proxy-manager-failures']);
});

it('has every reference that is used, no other, and each leads to an object in the file', () => {
  const ids = new Set(savedObjects().map(({ type, id }) => `${type}:${id}`));
  for (const { references } of savedObjects()) {
    for (const { type, id } of references) expect(ids).toContain(`${type}:${id}`);
  }
  for (const { references, panels, controls } of dashboards) {
    const used = panels.flatMap(({ panelIndex, panelRefName, embeddableConfig: { attributes, enhancements } }) => {
      const layers = Object.keys(attributes?.state?.datasourceStates.formBased.layers ?? {});
      const inner = layers.map((layer) => `indexpattern-datasource-layer-${layer}`);
      expect((attributes?.references ?? []).map(({ name }) => name)).toEqual(inner);
      return [
        ...inner,
        ...(attributes?.links ?? []).map(({ destinationRefName }) => destinationRefName),
        ...(enhancements.dynamicActions?.events ?? []).map(
          ({ eventId }) => `drilldown:DASHBOARD_TO_DASHBOARD_DRILLDOWN:${eventId}:dashboardId`,
        ),
        ...(panelRefName === undefined ? [] : [panelRefName]),
      ].map((name) => `${panelIndex}:${name}`);
    });
    for (const id of Object.keys(controls)) used.push(`controlGroup_${id}:optionsListDataView`);
    expect(references.map(({ name }) => name).toSorted()).toEqual(used.toSorted());
  }
});

it.each(charts)('$name shows columns that exist, and computes none that it does not show', (panel) => {
  const { layer, layerId, visualization } = panel;
  const { columns, columnOrder } = layer;
  expect(visualization.layerId ?? visualization.layers?.[0]?.layerId).toBe(layerId);
  expect(columnOrder).toEqual(Object.keys(columns));
  const shown = shownColumns(panel);
  expect(new Set(shown).size).toBe(shown.length);
  const colored = visualization.layers?.flatMap(({ yConfig }) => yConfig.map(({ forAccessor }) => forAccessor)) ?? [];
  const used = new Set<string>();
  const follow = (id: string): void => {
    expect(columnOrder).toContain(id);
    used.add(id);
    for (const next of columns[id]?.references ?? []) follow(next);
  };
  for (const id of [...shown, ...colored, visualization.sorting?.columnId ?? shown[0] ?? '']) follow(id);
  expect([...used].toSorted()).toEqual(columnOrder.toSorted());
});

it.each(charts)(
  '$name puts its buckets first, and ranks terms by a column that Elasticsearch can sort by',
  ({ layer }) => {
    const columns = Object.values(layer.columns);
    const buckets = columns.findIndex(({ isBucketed }) => !isBucketed);
    expect(columns.slice(buckets).some(({ isBucketed }) => isBucketed)).toBe(false);
    for (const { operationType, params = {} } of columns) {
      if (operationType !== 'terms') continue;
      const { type, columnId = '' } = params['orderBy'] as { readonly type: string; readonly columnId?: string };
      if (type === 'alphabetical') continue;
      expect(['count', 'unique_count', 'sum', 'min', 'max', 'percentile']).toContain(
        layer.columns[columnId]?.operationType,
      );
    }
  },
);

it('writes in the text of a formula what its helper columns compute', () => {
  const formulas = charts.flatMap(({ layer }) =>
    Object.values(layer.columns).flatMap((column) => (column.operationType === 'formula' ? [{ column, layer }] : [])),
  );
  expect(formulas.length).toBeGreaterThan(10);
  for (const { column, layer } of formulas) {
    const math = layer.columns[column.references?.[0] ?? ''];
    const text = String(column.params?.['formula']);
    const calls = (math?.references ?? []).map((id) => call(layer.columns[id]));
    expect(text.match(/[a-z_]+\((?:'[^']*'|[^()'])*\)/g)).toEqual(calls);
    expect(math?.params?.['tinymathAst']).toMatchObject({ location: { min: 0, max: text.length }, text });
  }
});

function call(column: Column | undefined): string {
  const field = column?.operationType === 'count' ? [] : [column?.sourceField];
  const where = column?.filter === undefined ? [] : [`kql='${column.filter.query}'`];
  return `${column?.operationType}(${[...field, ...where].join(', ')})`;
}
