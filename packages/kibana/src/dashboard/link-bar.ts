import type { DashboardId } from './dashboard.js';
import type { Panel } from './panel.js';

/** The dashboards in the order of their questions. */
const LINKS: readonly (readonly [DashboardId, string])[] = [
  ['proxy-manager-overview', 'Overview'],
  ['proxy-manager-credentials', 'Credentials and quotas'],
  ['proxy-manager-proxies', 'Proxies'],
  ['proxy-manager-cache', 'Cache'],
  ['proxy-manager-failures', 'Failures'],
  ['proxy-manager-exchanges', 'Exchanges'],
];

/** Links to all dashboards, which take the filters and the time along. */
export function linkBar(width: number): Panel {
  return {
    id: 'links',
    type: 'links',
    title: '',
    width,
    config: {
      hidePanelTitles: true,
      enhancements: {},
      attributes: {
        title: '',
        layout: 'horizontal',
        links: LINKS.map(([id, label], order) => ({
          type: 'dashboardLink',
          id,
          order,
          label,
          destinationRefName: refName(id),
          options: { openInNewTab: false, useCurrentFilters: true, useCurrentDateRange: true },
        })),
      },
    },
    references: LINKS.map(([id]) => ({ type: 'dashboard', id, name: refName(id) })),
  };
}

function refName(id: DashboardId): string {
  return `link_${id}_dashboard`;
}
