/*
 * JSON laid as text. Each `and…` writes one member of an object that has others before it, or nothing where there is
 * nothing to tell.
 */

/** The text in one piece: what was put together is a tree, which every line that it becomes a part of goes through again. */
export function flat(text: string): string {
  return Buffer.from(text).toString();
}

/** Printable ASCII that stands in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** As `JSON.stringify` writes a text; for most a look is enough. */
export function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** As `quoted`, without the quotes. */
export function unquoted(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text).slice(1, -1);
}

/** As `JSON.stringify` writes a number: JSON knows neither NaN nor Infinity. */
export function numeral(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}

export function andText(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":${quoted(text)}`;
}

export function andNumber(name: string, value: number | undefined): string {
  return value === undefined ? '' : `,"${name}":${numeral(value)}`;
}

/** Whatever JSON can hold. */
export function andJson(name: string, value: unknown): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`;
}

/** An object of `members`, each of them written by an `and…`. */
export function andObject(name: string, members: string): string {
  return members === '' ? '' : `,"${name}":{${members.slice(1)}}`;
}
