export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

interface TextStyle {
  readonly size?: number;
  readonly bold?: boolean;
  readonly color?: string;
  readonly anchor?: 'end' | 'middle' | 'start';
}

/** A text that is cut off where the room ends. */
export function text(x: number, y: number, words: string, room: number, style: TextStyle = {}): string {
  const { size = 11, bold = false, color = '#343741', anchor = 'start' } = style;
  const fits = Math.floor(room / (size * 0.56));
  const shown = words.length > fits ? `${words.slice(0, Math.max(1, fits - 1))}…` : words;
  const weight = bold ? ' font-weight="600"' : '';
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}"${weight} fill="${color}" text-anchor="${anchor}">${escaped(shown)}</text>`;
}

export function rect(x: number, y: number, width: number, height: number, fill: string, rx = 0): string {
  const rounded = rx === 0 ? '' : ` rx="${rx}"`;
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"${rounded} fill="${fill}"/>`;
}

/** Pictures are compared byte by byte: no digits that another machine might round otherwise. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A number from 0 to 1 that looks like chance and is the same every time. */
export function wobble(seed: number): number {
  return ((seed * 7919 + 104_729) % 1009) / 1009;
}
