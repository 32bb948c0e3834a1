import type { Columns } from './column.js';

/** What a Lens panel draws: the columns that are computed, and how they are shown. */
export interface Chart {
  readonly visualizationType: 'lnsDatatable' | 'lnsMetric' | 'lnsXY';
  readonly columns: Columns;
  readonly visualization: Readonly<Record<string, unknown>>;
}

/** The one layer that every chart here has. */
export const LAYER = 'l1';
