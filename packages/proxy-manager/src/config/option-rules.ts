import { found, problem, unknownField } from './problem.js';
import type { Path } from './problem.js';
import { PLAIN } from './shown.js';

/** Adds what is wrong with a value to `problems`; the value is never undefined. */
export type Rule = (value: unknown, path: Path, problems: string[]) => void;

/** Rules by the name of the field. */
export type Rules = Readonly<Record<string, Rule>>;

/** The longest time that a timer of Node can take. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** A century: beyond it no date can be written. */
const LONGEST_TTL_MS = 3_153_600_000_000;

/** A rule that a value passes or not; the error shows a value that looks as `shows` says, of a `secret` nothing. */
export function rule(expected: string, accepts: (value: unknown) => boolean, shows: RegExp | 'secret' = PLAIN): Rule {
  return (value, path, problems) => {
    if (accepts(value)) return;
    problems.push(problem(path, `expected ${expected}, found ${found(value, shows === 'secret' ? undefined : shows)}`));
  };
}

/** An object whose fields have rules of their own; those without are mistakes when the `known` ones are given. */
export function object(rules: Rules, known?: readonly string[]): Rule {
  return (value, path, problems) => {
    if (!isObject(value)) problems.push(problem(path, `expected an object, found ${found(value, PLAIN)}`));
    else checkFields(value, rules, path, problems, known);
  };
}

/** An object that needs this field, beside what `rule` says of it. */
export function required(name: string, inner: Rule): Rule {
  return (value, path, problems) => {
    inner(value, path, problems);
    if (isObject(value) && Reflect.get(value, name) === undefined) {
      problems.push(problem([...path, name], 'expected a value, found nothing'));
    }
  };
}

export function checkFields(
  value: object,
  rules: Rules,
  path: Path,
  problems: string[],
  known?: readonly string[],
): void {
  for (const name of Object.keys(value)) {
    const field: unknown = Reflect.get(value, name);
    if (field === undefined) continue;
    const check = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (check !== undefined) check(field, [...path, name], problems);
    else if (known !== undefined) problems.push(problem(...unknownField(path, name, known)));
  }
}

/** An array whose values each pass the rule. */
export function each(item: Rule): Rule {
  return (value, path, problems) => {
    if (!Array.isArray(value)) problems.push(problem(path, `expected an array, found ${found(value, PLAIN)}`));
    else value.forEach((entry: unknown, index) => item(entry, [...path, index], problems));
  };
}

/** The first rule that the kind of the value picks: an object goes to `whenObject`, all else to `otherwise`. */
export function either(whenObject: Rule, otherwise: Rule): Rule {
  return (value, path, problems) => (isObject(value) ? whenObject : otherwise)(value, path, problems);
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object with these methods, such as a store that the caller brings. */
export function has(...methods: readonly string[]): (value: unknown) => boolean {
  return (value) =>
    isObject(value) && methods.every((method) => method in value && typeof Reflect.get(value, method) === 'function');
}

export function oneOf(...values: readonly unknown[]): (value: unknown) => boolean {
  return (value) => values.includes(value);
}

/** A number from `min` to `max`; NaN is not. */
function within(min: number, max: number): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && value >= min && value <= max;
}

export const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

export const isTime: (value: unknown) => boolean = within(0, LONGEST_TIMER_MS);

export const bool: Rule = rule('true or false', (value) => typeof value === 'boolean');
export const positiveInteger: Rule = rule(
  'a positive integer',
  (value) => Number.isSafeInteger(value) && Number(value) > 0,
);
export const text: Rule = rule('a string', isText);
export const time: Rule = rule(`milliseconds from 0 to ${LONGEST_TIMER_MS}`, isTime);
export const positiveTime: Rule = rule(`milliseconds from 1 to ${LONGEST_TIMER_MS}`, within(1, LONGEST_TIMER_MS));
export const ttl: Rule = rule(`milliseconds from 1 to ${LONGEST_TTL_MS}`, within(1, LONGEST_TTL_MS));
