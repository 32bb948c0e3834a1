import { fieldsOf, itemsOf } from './endpoint-options.js';
import type { Path, Report } from './problem.js';
import type { OutcomeRule } from './resolve.js';

/** The rules of `outcomes`; reports those that are about nothing, and patterns that are none. */
export function readOutcomes(value: unknown, path: Path, report: Report): readonly OutcomeRule[] | undefined {
  if (value === undefined) return undefined;
  return Object.freeze(itemsOf(value).map((entry, index) => readRule(fieldsOf(entry), [...path, index], report)));
}

function readRule(entry: Readonly<Record<string, unknown>>, path: Path, report: Report): OutcomeRule {
  const { status, header, body, size, verdict } = entry;
  const sized = fieldsOf(size);
  const headers = Object.entries(fieldsOf(header)).flatMap(([name, text]) => {
    const pattern = patternOf(text, [...path, 'header', name], report);
    return pattern === undefined ? [] : [Object.freeze([name, pattern] as const)];
  });
  const isAbout = status ?? body ?? header ?? size;
  if (isAbout === undefined && verdict !== undefined) {
    report(path, 'expected at least one of status, header, body and size, found none');
  }
  return Object.freeze({
    statuses: status === undefined ? undefined : statusesOf(status),
    headers: Object.freeze(headers),
    body: patternOf(body, [...path, 'body'], report),
    size: size === undefined ? undefined : Object.freeze({ ...sizeOf(sized) }),
    // Anything else has been reported as a mistake of shape.
    verdict: verdict as OutcomeRule['verdict'],
  });
}

function patternOf(text: unknown, path: Path, report: Report): RegExp | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return new RegExp(text, 'i');
  } catch {
    report(path, 'expected a regular expression, found a string that is none');
    return undefined;
  }
}

function sizeOf({ minBytes, maxBytes }: Readonly<Record<string, unknown>>): NonNullable<OutcomeRule['size']> {
  return {
    ...(typeof minBytes === 'number' ? { minBytes } : {}),
    ...(typeof maxBytes === 'number' ? { maxBytes } : {}),
  };
}

/** `403`, `"5xx"`, or a list of them. */
function statusesOf(status: unknown): ReadonlySet<number> {
  const found = new Set<number>();
  for (const one of [status].flat() as readonly unknown[]) {
    if (typeof one === 'number') found.add(one);
    else for (let last = 0; last < 100; last++) found.add(Number(String(one).charAt(0)) * 100 + last);
  }
  return found;
}
