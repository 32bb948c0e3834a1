import { LAYER } from './chart.js';
import type { Chart } from './chart.js';
import type { Columns } from './column.js';
import { steps } from './palette.js';
import type { Step } from './palette.js';

interface MetricChart {
  /** Holds the column `value`, and `second` where a second number stands below it. */
  readonly columns: Columns;
  readonly subtitle: string;
  /** What the second number is. */
  readonly secondPrefix?: string;
  readonly steps?: readonly Step[];
}

/** One big number. */
export function metricChart({ columns, subtitle, secondPrefix, steps: list }: MetricChart): Chart {
  return {
    visualizationType: 'lnsMetric',
    columns,
    visualization: {
      layerId: LAYER,
      layerType: 'data',
      metricAccessor: 'value',
      subtitle,
      ...('second' in columns && { secondaryMetricAccessor: 'second', secondaryPrefix: secondPrefix }),
      ...(list && { palette: steps(list) }),
    },
  };
}
