import type { DecodedPanel, Visualization } from './decoded.js';
import { rect, text, wobble } from './svg.js';
import type { Box } from './svg.js';
import { xySketch } from './xy-sketch.js';

const MUTED = '#98A2B3';
const FAINT = '#EEF2F7';
/** A number that is coloured by its value is drawn on a good day. */
const GOOD = '#B6E0D1';

/**
 * What stands in a panel: its title, and a sketch that shows its kind and its columns, not data. `listed` are the columns
 * of a panel that lists documents.
 */
export function panelSketch(panel: DecodedPanel, listed: readonly string[], box: Box): string[] {
  const { title, type, embeddableConfig } = panel;
  const { attributes, savedVis } = embeddableConfig;
  if (type === 'links') return links(attributes?.links?.map(({ label }) => label) ?? [], box);
  if (savedVis !== undefined) return hint(savedVis.params.markdown, box);
  const head = text(box.x + 10, box.y + 19, title, box.width - 20, { size: 12.5, bold: true, color: '#1A1C21' });
  const inner = { x: box.x + 10, y: box.y + 30, width: box.width - 20, height: box.height - 40 };
  const layer = Object.values(attributes?.state?.datasourceStates.formBased.layers ?? {})[0];
  if (attributes?.state === undefined || layer === undefined) return [head, ...table(['@timestamp', ...listed], inner)];
  const { visualization } = attributes.state;
  if (attributes.visualizationType === 'lnsMetric')
    return metric(visualization, layer.columns['value']?.label ?? '', box);
  if (attributes.visualizationType === 'lnsDatatable') {
    const labels = visualization.columns?.map(({ columnId }) => layer.columns[columnId]?.label ?? '') ?? [];
    return [head, ...table(labels, inner)];
  }
  return [head, ...(visualization.layers ?? []).flatMap((drawn) => xySketch(drawn, layer.columns, inner))];
}

function links(labels: readonly string[], { x, y, width, height }: Box): string[] {
  // Each as wide as its words, as Kibana sets them.
  const all = labels.join('').length + 4 * labels.length;
  let before = 0;
  return labels.map((label) => {
    const middle = (before + (label.length + 4) / 2) / all;
    before += label.length + 4;
    const style = { size: 12.5, color: '#0061A6', anchor: 'middle' } as const;
    return text(x + width * middle, y + height / 2 + 4, label, width, style);
  });
}

function hint(markdown: string, { x, y, width, height }: Box): string[] {
  const words = markdown.replaceAll(/[*`]/g, '').split(' ');
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    if ((line.length + word.length) * 5.4 > width - 24) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  const fitting = Math.max(1, Math.floor((height - 6) / 12));
  return lines
    .slice(0, fitting)
    .map((line, index) => text(x + 10, y + 14 + index * 12, line, width, { size: 9.5, color: '#69707D' }));
}

function metric({ subtitle = '', secondaryPrefix, palette }: Visualization, label: string, box: Box): string[] {
  const { x, y, width, height } = box;
  const fill = palette === undefined ? undefined : GOOD;
  return [
    ...(fill === undefined ? [] : [rect(x + 1, y + 1, width - 2, height - 2, fill, 5)]),
    text(x + 10, y + 20, label, width - 20, { size: 12.5, bold: true, color: '#1A1C21' }),
    text(x + 10, y + 35, subtitle, width - 20, { size: 10, color: '#69707D' }),
    ...(secondaryPrefix === undefined
      ? []
      : [
          text(x + width - 12, y + height - 8, `${secondaryPrefix} …`, width - 20, {
            size: 10,
            color: '#69707D',
            anchor: 'end',
          }),
        ]),
    rect(x + width - 82, y + height - 40, 70, 17, fill === undefined ? '#D3DAE6' : 'rgba(0,0,0,0.18)', 4),
  ];
}

function table(labels: readonly string[], { x, y, width, height }: Box): string[] {
  const shares = labels.map((_, index) => (index === 0 ? 1.6 : 1));
  const total = shares.reduce((sum, share) => sum + share, 0);
  const rows = Math.max(1, Math.floor((height - 22) / 20));
  let left = x;
  const cells = labels.flatMap((label, index) => {
    const room = ((shares[index] ?? 1) / total) * width;
    const at = left;
    left += room;
    return [
      text(at, y + 12, label, room - 4, { size: 10.5, bold: true, color: '#343741' }),
      ...Array.from({ length: rows }, (_, row) =>
        rect(at, y + 28 + row * 20, Math.min(room - 12, room * (0.35 + 0.4 * wobble(row * 13 + index))), 7, FAINT, 3),
      ),
    ];
  });
  return [...cells, rect(x, y + 18, width, 1, MUTED)];
}
