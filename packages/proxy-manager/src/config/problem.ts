import { nearMiss } from './near-miss.js';
import { showsEndpoint, showsField } from './shown.js';

export type Path = readonly (number | string)[];

/** Takes note of one mistake: where in the file, what was expected there, what was found. */
export type Report = (path: Path, text: string) => void;

/** One line of a `ConfigError`: `key_based.weather.limit: expected a positive integer, found "60"`. */
export function problem(path: Path, text: string): string {
  const where = path.map((step, index) => {
    if (typeof step === 'number') return `[${step}]`;
    const isEndpoint = index === 1 && (path[0] === 'key_based' || path[0] === 'ip_based');
    if (!(isEndpoint ? showsEndpoint(step) : showsField(step))) return '[a name that is not shown, it may be a secret]';
    return /^[\w$-]+$/.test(step) ? `${index === 0 ? '' : '.'}${step}` : `[${JSON.stringify(step)}]`;
  });
  return where.length === 0 ? text : `${where.join('')}: ${text}`;
}

/** Where an unknown field is and what it could have meant; told of its parent when its name may be a secret. */
export function unknownField(parent: Path, name: string, known: readonly string[]): readonly [Path, string] {
  const near = nearMiss(name, known);
  if (near !== undefined) return misplacedField(parent, name, `did you mean ${near}?`);
  const list = `known are ${known.join(', ')}`;
  return showsField(name) ? [[...parent, name], `unknown field (${list})`] : [parent, hiddenField(list)];
}

/** Where an unknown field is, and what to do about it. */
export function misplacedField(parent: Path, name: string, advice: string): readonly [Path, string] {
  return showsField(name) ? [[...parent, name], `unknown field, ${advice}`] : [parent, hiddenField(advice)];
}

function hiddenField(advice: string): string {
  return `an unknown field (its name is not shown, it may be a secret; ${advice})`;
}

/** A value as an error may show it: of a string or number no more than its kind, unless it looks as `shows` says. */
export function found(value: unknown, shows?: RegExp): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'object') return 'an object';
  if (shows !== undefined && typeof value === 'boolean') return String(value);
  if (typeof value === 'string' && shows?.test(value)) return JSON.stringify(value);
  if (typeof value === 'number' && shows?.test(String(value))) return String(value);
  return `a ${typeof value}`;
}
