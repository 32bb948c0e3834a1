import { LAYER } from './chart.js';
import type { Chart } from './chart.js';
import type { Columns } from './column.js';

interface Xy {
  readonly shape: 'area_stacked' | 'bar' | 'bar_horizontal' | 'bar_horizontal_stacked' | 'bar_stacked' | 'line';
  readonly columns: Columns;
  readonly x: string;
  /** The columns drawn. */
  readonly y: readonly string[];
  /** One series for each value of this column, in place of one for each column of `y`. */
  readonly split?: string;
  /** What the y axis counts. */
  readonly yTitle: string;
  readonly colors?: Readonly<Record<string, string>>;
  /** The y axis as a share, from 0 to 1. */
  readonly isShare?: boolean;
  /** How a line goes where a bucket has no value. @default 'None' */
  readonly fitting?: 'Carry' | 'Linear' | 'None';
}

/** Bars, lines or areas. */
export function xy({ shape, columns, x, y, split, yTitle, colors = {}, isShare, fitting = 'None' }: Xy): Chart {
  const isLying = shape.startsWith('bar_horizontal');
  const hasLegend = split !== undefined || y.length > 1;
  return {
    visualizationType: 'lnsXY',
    columns,
    visualization: {
      legend: { isVisible: hasLegend, position: 'right', showSingleSeries: false },
      valueLabels: isLying && y.length === 1 ? 'show' : 'hide',
      fittingFunction: fitting,
      ...(fitting !== 'None' && { emphasizeFitting: true }),
      preferredSeriesType: shape,
      yTitle,
      axisTitlesVisibilitySettings: { x: false, yLeft: true, yRight: false },
      tickLabelsVisibilitySettings: { x: true, yLeft: true, yRight: true },
      labelsOrientation: { x: 0, yLeft: 0, yRight: 0 },
      gridlinesVisibilitySettings: { x: false, yLeft: true, yRight: true },
      yLeftExtent: isShare
        ? { mode: 'custom', lowerBound: 0, upperBound: 1, niceValues: true }
        : { mode: 'full', niceValues: true },
      layers: [
        {
          layerId: LAYER,
          layerType: 'data',
          seriesType: shape,
          position: 'top',
          showGridlines: false,
          xAccessor: x,
          accessors: y,
          ...(split !== undefined && { splitAccessor: split, palette: { type: 'palette', name: 'default' } }),
          yConfig: y
            .filter((id) => colors[id] !== undefined)
            .map((forAccessor) => ({ forAccessor, color: colors[forAccessor], axisMode: 'left' })),
        },
      ],
    },
  };
}
