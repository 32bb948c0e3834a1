import { LAYER } from './chart.js';
import type { Chart } from './chart.js';
import type { Columns } from './column.js';
import { steps } from './palette.js';
import type { Step } from './palette.js';

interface Table {
  readonly columns: Columns;
  readonly sort: string;
  readonly direction?: 'asc' | 'desc';
  /** Columns whose cells are coloured by value. */
  readonly colored?: Readonly<Record<string, readonly Step[]>>;
  /** Widths in pixels, where the content asks for one. */
  readonly widths?: Readonly<Record<string, number>>;
}

/** Rows by the first columns, figures in the others. Helper columns of formulas are computed and not shown. */
export function table({ columns, sort, direction = 'desc', colored = {}, widths = {} }: Table): Chart {
  const helpers = new Set(Object.values(columns).flatMap(({ references = [] }) => references));
  return {
    visualizationType: 'lnsDatatable',
    columns,
    visualization: {
      layerId: LAYER,
      layerType: 'data',
      columns: Object.keys(columns)
        .filter((columnId) => !helpers.has(columnId))
        .map((columnId) => {
          const list = colored[columnId];
          const width = widths[columnId];
          return {
            columnId,
            isTransposed: false,
            ...(width !== undefined && { width }),
            ...(list && { colorMode: 'cell', palette: steps(list) }),
          };
        }),
      sorting: { columnId: sort, direction },
      paging: { size: 10, enabled: true },
      rowHeight: 'single',
      rowHeightLines: 1,
    },
  };
}
