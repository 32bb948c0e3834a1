import { nearMiss } from './near-miss.js';

export type Path = readonly (number | string)[];

/** Takes note of one mistake: where in the file, what was expected there, what was found. */
export type Report = (path: Path, text: string) => void;

/** Fields that a later version will know. */
const LATER: ReadonlySet<string> = new Set(['account', 'limits', 'outcomes']);

/** One line of a `ConfigError`: `key_based.weather.limit: expected a positive integer, found "60"`. */
export function problem(path: Path, text: string): string {
  const where = path.map((step, index) => {
    if (typeof step === 'number') return `[${step}]`;
    return /^[\w$-]+$/.test(step) ? `${index === 0 ? '' : '.'}${step}` : `[${JSON.stringify(step)}]`;
  });
  return where.length === 0 ? text : `${where.join('')}: ${text}`;
}

/** What an unknown field could have meant. */
export function unknownField(name: string, known: readonly string[]): string {
  if (LATER.has(name)) return 'not supported by this version';
  const near = nearMiss(name, known);
  return `unknown field${near === undefined ? ` (known are ${known.join(', ')})` : `, did you mean ${near}?`}`;
}

/** A value as an error may show it: of a string no more than its kind, unless `show` says that it cannot be a secret. */
export function found(value: unknown, show: boolean): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'object') return 'an object';
  if (show && typeof value === 'string') return JSON.stringify(value);
  if (show && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
  return `a ${typeof value}`;
}
