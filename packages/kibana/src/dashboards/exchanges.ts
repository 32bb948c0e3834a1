import { STATUS_COLORS } from '../content/colors.js';
import { ALL_EXCHANGES_ID } from '../content/searches.js';
import { STATUS_IDS, STATUS_SERIES } from '../content/status-series.js';
import { whenEmpty } from '../content/when-empty.js';
import { dashboard } from '../dashboard/dashboard.js';
import { lensPanel } from '../dashboard/lens-panel.js';
import { searchPanel } from '../dashboard/search-panel.js';
import { TIMELINE } from '../lens/bucket.js';
import { xy } from '../lens/xy.js';
import type { SavedObject } from '../saved-object.js';

/** The list that every other dashboard leads to: a drilldown can only open a dashboard. */
export const EXCHANGES: SavedObject = dashboard({
  id: 'proxy-manager-exchanges',
  title: 'Exchanges',
  description: 'The list of exchanges behind the figures, for the filters brought along.',
  whenEmpty: whenEmpty('A filter that came along may match nothing.'),
  rows: [
    {
      height: 9,
      panels: [
        lensPanel({
          id: 'status',
          title: 'Status over time',
          description: 'Attempts and cached replies by class of status.',
          width: 48,
          chart: xy({
            shape: 'bar_stacked',
            columns: { time: TIMELINE, ...STATUS_SERIES },
            x: 'time',
            y: STATUS_IDS,
            yTitle: 'exchanges',
            colors: STATUS_COLORS,
          }),
        }),
      ],
    },
    {
      height: 28,
      panels: [
        searchPanel({
          id: 'list',
          title: 'Exchanges',
          description: 'Every attempt, and every reply that the cache gave, newest first.',
          width: 48,
          search: ALL_EXCHANGES_ID,
        }),
      ],
    },
  ],
});
