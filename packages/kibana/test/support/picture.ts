import type { Reference } from '../../src/saved-object.js';
import { savedObjects } from '../../src/saved-objects.js';
import type { DecodedDashboard, DecodedPanel } from './decoded.js';
import { panelSketch } from './panel-sketch.js';
import { escaped } from './svg.js';

const COLUMN = 24;
const ROW = 15;
const GAP = 6;
const TOP = 92;

/** The layout of a dashboard as SVG: every panel in its place, with its title and a sketch of what it draws. */
export function picture({ title, panels, controls, references }: DecodedDashboard): string {
  const width = 48 * COLUMN + 2 * GAP;
  const height = TOP + Math.max(...panels.map(({ gridData }) => gridData.y + gridData.h)) * ROW + GAP;
  const names = Object.values(controls).map(({ explicitInput }) => explicitInput.title);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="Inter, Helvetica, Arial, sans-serif">`,
    `<title>${escaped(title)}: layout</title>`,
    `<rect width="${width}" height="${height}" fill="#F6F9FC"/>`,
    `<text x="${GAP + 4}" y="32" font-size="19" font-weight="600" fill="#1A1C21">${escaped(title)}</text>`,
    ...names.map((name, index) => control(name, index, (width - GAP) / names.length)),
    ...panels.map((shown) => panel(shown, listedColumns(shown, references))),
    '</svg>',
    '',
  ].join('\n');
}

function control(name: string, index: number, width: number): string {
  const x = GAP + index * width;
  return [
    `<rect x="${x}" y="50" width="${width - GAP}" height="30" rx="4" fill="#FFFFFF" stroke="#D3DAE6"/>`,
    `<text x="${x + 10}" y="70" font-size="12" font-weight="600" fill="#343741">${escaped(name)}</text>`,
    `<text x="${x + 90}" y="70" font-size="12" fill="#69707D">Any</text>`,
  ].join('\n');
}

function panel(shown: DecodedPanel, listed: readonly string[]): string {
  const { x, y, w, h } = shown.gridData;
  const box = {
    x: GAP + x * COLUMN,
    y: TOP + y * ROW,
    width: w * COLUMN - GAP,
    height: h * ROW - GAP,
  };
  return [
    `<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="5" fill="#FFFFFF" stroke="#E3E8F0"/>`,
    ...panelSketch(shown, listed, box),
  ].join('\n');
}

/** What the columns are called that a saved search brings into a panel. */
function listedColumns({ panelIndex, panelRefName }: DecodedPanel, references: readonly Reference[]): string[] {
  const search = references.find(({ name }) => name === `${panelIndex}:${panelRefName}`)?.id;
  const objects = savedObjects();
  const columns = objects.find(({ type, id }) => type === 'search' && id === search)?.attributes['columns'] ?? [];
  const dataView = objects.find(({ type }) => type === 'index-pattern');
  const labels = JSON.parse(String(dataView?.attributes['fieldAttrs'])) as Record<
    string,
    { readonly customLabel: string }
  >;
  return (columns as readonly string[]).map((column) => labels[column]?.customLabel ?? column);
}
