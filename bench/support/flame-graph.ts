import type { Frame } from './flame-tree.js';

const WIDTH = 1000;
const ROW = 17;
const TOP = 30;
/** Of the font, a monospaced one of 11 px. */
const LETTER = 6.7;

const OTHERS = { name: 'Node.js and V8', fill: '#d5d9de' };
const KINDS: readonly { readonly name: string; readonly fill: string; has(part: string): boolean }[] = [
  { name: 'proxy-manager', fill: '#ffb86b', has: (part) => part.startsWith('src/') },
  { name: 'packages', fill: '#8ec5f0', has: (part) => part.endsWith(' (npm)') },
  { name: 'garbage collector', fill: '#cdb4e8', has: (part) => part === 'garbage collector' },
];

const escaped = (written: string): string => written.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/**
 * The flame graph of a tree as SVG: a box for each function, as wide as the CPU that it and what it called took, and what
 * it called below it. Equal trees give equal bytes.
 */
export function flameGraph(tree: Frame): string {
  const boxes: string[] = [];
  let rows = 0;
  const draw = (frame: Frame, left: number, row: number): void => {
    rows = Math.max(rows, row + 1);
    boxes.push(box(frame, left, row));
    let at = left;
    for (const call of frame.calls) {
      draw(call, at, row + 1);
      at += widthOf(call);
    }
  };
  draw(tree, 0, 0);
  const height = TOP + rows * ROW + 4;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`,
    ` font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="11" fill="#1b1f24">\n`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>\n`,
    ...legend(),
    ...boxes,
    '</svg>\n',
  ].join('');
}

const widthOf = ({ percent }: Frame): number => (percent * WIDTH) / 100;

function box(frame: Frame, left: number, row: number): string {
  const { name, part, percent } = frame;
  const width = widthOf(frame);
  const [x, y] = [left.toFixed(1), TOP + row * ROW];
  const { fill } = KINDS.find(({ has }) => has(part)) ?? OTHERS;
  const title = `${name}${part === '' ? '' : `, ${part}`}: ${percent} %`;
  return [
    `<g><title>${escaped(title)}</title>`,
    `<rect x="${x}" y="${y}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW - 1}" rx="1" fill="${fill}"/>`,
    text(labelOf(frame, Math.floor((width - 6) / LETTER)), left + 3, y + 12),
    '</g>\n',
  ].join('');
}

/** As much as there is room for: the name and where it stands, or the beginning of the name, or nothing. */
function labelOf({ name, part }: Frame, room: number): string {
  const whole = /^src|npm/.test(part) ? `${name}  ${part}` : name;
  if (whole.length <= room) return whole;
  if (name.length <= room) return name;
  return room < 4 ? '' : `${name.slice(0, room - 1)}…`;
}

function text(label: string, x: number, y: number): string {
  return label === '' ? '' : `<text x="${x.toFixed(1)}" y="${y}" xml:space="preserve">${escaped(label)}</text>`;
}

function legend(): readonly string[] {
  let x = 4;
  return [...KINDS, OTHERS].map(({ name, fill }) => {
    const item = `<rect x="${x}" y="8" width="11" height="11" rx="1" fill="${fill}"/>${text(name, x + 16, 18)}\n`;
    x += Math.ceil(16 + name.length * LETTER + 20);
    return item;
  });
}
