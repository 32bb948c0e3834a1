import { DATA_VIEW_ID } from '../content/data-view.js';
import { LAYER } from '../lens/chart.js';
import type { Chart } from '../lens/chart.js';
import { kql } from '../lens/column.js';
import type { Reference } from '../saved-object.js';
import type { DashboardId } from './dashboard.js';
import type { Panel } from './panel.js';

interface LensPanel {
  readonly id: string;
  readonly title: string;
  /** Shown beside the title: what the panel tells, and how it counts. */
  readonly description: string;
  readonly width: number;
  readonly chart: Chart;
  /** Only documents that match this KQL are looked at. */
  readonly where?: string;
  /** Dashboards that a click leads to, with the clicked value as a filter. */
  readonly leadsTo?: readonly DashboardId[];
}

const NAMES: Readonly<Record<DashboardId, string>> = {
  'proxy-manager-cache': 'Cache',
  'proxy-manager-credentials': 'Credentials and quotas',
  'proxy-manager-exchanges': 'List of exchanges',
  'proxy-manager-failures': 'Failures',
  'proxy-manager-overview': 'Overview',
  'proxy-manager-proxies': 'Proxies',
};

/** A chart, stored in the dashboard itself. */
export function lensPanel({ id, title, description, width, chart, where = '', leadsTo = [] }: LensPanel): Panel {
  const layer: Reference = {
    type: 'index-pattern',
    id: DATA_VIEW_ID,
    name: `indexpattern-datasource-layer-${LAYER}`,
  };
  const { visualizationType, visualization, columns } = chart;
  return {
    id,
    type: 'lens',
    title,
    width,
    config: {
      description,
      // The number's own label says it.
      hidePanelTitles: visualizationType === 'lnsMetric',
      enhancements: leadsTo.length === 0 ? {} : { dynamicActions: { events: leadsTo.map(drilldown) } },
      attributes: {
        title: '',
        description,
        type: 'lens',
        visualizationType,
        references: [layer],
        state: {
          visualization,
          query: kql(where),
          filters: [],
          internalReferences: [],
          adHocDataViews: {},
          datasourceStates: {
            formBased: {
              layers: {
                [LAYER]: { columns, columnOrder: Object.keys(columns), incompleteColumns: {}, sampling: 1 },
              },
            },
            // Migrations of older shapes look into it.
            indexpattern: { layers: {} },
            textBased: { layers: {} },
          },
        },
      },
    },
    references: [
      layer,
      ...leadsTo.map((dashboard): Reference => ({
        type: 'dashboard',
        id: dashboard,
        name: `drilldown:DASHBOARD_TO_DASHBOARD_DRILLDOWN:${dashboard}:dashboardId`,
      })),
    ],
  };
}

function drilldown(dashboard: DashboardId): object {
  return {
    eventId: dashboard,
    triggers: ['FILTER_TRIGGER'],
    action: {
      factoryId: 'DASHBOARD_TO_DASHBOARD_DRILLDOWN',
      name: NAMES[dashboard],
      config: { useCurrentFilters: true, useCurrentDateRange: true, openInNewTab: false },
    },
  };
}
