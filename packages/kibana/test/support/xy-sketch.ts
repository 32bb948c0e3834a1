import type { Column } from '../../src/lens/column.js';
import type { XyLayer } from './decoded.js';
import { rect, round, text, wobble } from './svg.js';
import type { Box } from './svg.js';

/** The first colours of Kibana's default palette, for series that have none of their own. */
const DEFAULT_COLORS = ['#54B399', '#6092C0', '#D36086', '#9170B8', '#CA8EAE'];
const BARS = 26;

interface Series {
  readonly label: string;
  readonly color: string;
}

/** Bars, lines or areas of the right number and colour, with the legend that Kibana shows. */
export function xySketch(layer: XyLayer, columns: Readonly<Record<string, Column>>, box: Box): string[] {
  const series = seriesOf(layer, columns);
  const hasLegend = series.length > 1;
  const plot = { ...box, x: box.x + 22, width: box.width - 22 - (hasLegend ? 110 : 0), height: box.height - 14 };
  const legend = series.map(({ label, color }, index) => {
    const at = box.y + 8 + index * 17;
    const left = box.x + box.width - 96;
    return `<circle cx="${round(left)}" cy="${round(at)}" r="4" fill="${color}"/>${text(left + 10, at + 4, label, 86, { size: 10.5 })}`;
  });
  return [...axes(plot), ...(hasLegend ? legend : []), ...draw(layer.seriesType, series, plot)];
}

function seriesOf({ accessors, splitAccessor, yConfig }: XyLayer, columns: Readonly<Record<string, Column>>): Series[] {
  if (splitAccessor !== undefined) {
    const name = columns[splitAccessor]?.label.toLowerCase() ?? '';
    return DEFAULT_COLORS.map((color, index) => ({ label: `${name} ${index + 1}`, color }));
  }
  return accessors.map((id, index) => ({
    label: columns[id]?.label ?? id,
    color: yConfig.find(({ forAccessor }) => forAccessor === id)?.color ?? DEFAULT_COLORS[index] ?? '#98A2B3',
  }));
}

function axes({ x, y, width, height }: Box): string[] {
  return [
    ...[0, 0.25, 0.5, 0.75].map((share) => rect(x, y + height * share, width, 0.6, '#E3E8F0')),
    rect(x, y + height, width, 1, '#98A2B3'),
  ];
}

function draw(shape: string, series: readonly Series[], plot: Box): string[] {
  if (shape.startsWith('bar_horizontal')) return lyingBars(series, plot);
  if (shape === 'line') return series.map((one, index) => line(one, index, series.length, plot));
  if (shape === 'area_stacked') return areas(series, plot);
  return standingBars(series, plot);
}

/** Most of a stack is its first part, which is the good one. */
function shares(count: number, seed: number): number[] {
  const raw = Array.from({ length: count }, (_, index) =>
    index === 0 ? 1.6 : 0.14 + 0.3 * wobble(seed * 31 + index * 17),
  );
  const sum = raw.reduce((total, value) => total + value, 0);
  return raw.map((value) => value / sum);
}

function standingBars(series: readonly Series[], { x, y, width, height }: Box): string[] {
  const step = width / BARS;
  return Array.from({ length: BARS }, (_, bar) => {
    const whole = height * (0.5 + 0.4 * wobble(bar));
    let top = y + height;
    return shares(series.length, bar)
      .map((share, index) => {
        top -= whole * share;
        return rect(x + bar * step + 1, top, step - 2, whole * share, series[index]?.color ?? '');
      })
      .join('');
  });
}

function lyingBars(series: readonly Series[], { x, y, width, height }: Box): string[] {
  const bars = Math.min(6, Math.max(3, Math.floor(height / 26)));
  const step = height / bars;
  return Array.from({ length: bars }, (_, bar) => {
    const whole = (width - 70) * (0.95 - (0.75 * bar) / bars);
    let left = x + 70;
    return [
      rect(x, y + bar * step + step / 2 - 4, 54, 7, '#EEF2F7', 3),
      ...shares(series.length, bar).map((share, index) => {
        const at = left;
        left += whole * share;
        return rect(at, y + bar * step + 3, whole * share, step - 6, series[index]?.color ?? '');
      }),
    ].join('');
  });
}

function line({ color }: Series, index: number, count: number, { x, y, width, height }: Box): string {
  const level = 0.78 - (0.6 * index) / Math.max(1, count);
  const points = Array.from({ length: BARS }, (_, at) => {
    const up = y + height * Math.min(0.95, Math.max(0.05, level - 0.14 * wobble(at * 3 + index * 11)));
    return `${round(x + (width * at) / (BARS - 1))},${round(up)}`;
  });
  return `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="1.6"/>`;
}

function areas(series: readonly Series[], plot: Box): string[] {
  const { x, y, width, height } = plot;
  return series.map(({ color }, index) => {
    const points = Array.from({ length: BARS }, (_, at) => {
      const up = y + height * (0.25 + index * 0.5 + 0.12 * wobble(at * 5 + index * 7));
      return `${round(x + (width * at) / (BARS - 1))},${round(up)}`;
    });
    const base = round(y + height);
    return `<polygon points="${round(x)},${base} ${points.join(' ')} ${round(x + width)},${base}" fill="${color}" fill-opacity="0.55"/>`;
  });
}
