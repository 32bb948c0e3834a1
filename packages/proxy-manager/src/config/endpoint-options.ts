import type { Path, Report } from './problem.js';
import { found } from './problem.js';
import type { Apply, Pace } from './resolve.js';
import { HOST_LIKE } from './shown.js';

/** The fields of a value that is meant to be an object; whoever reads them finds nothing where it is none. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

// A wildcard, a host without anything that belongs to an url, and a port.
const HOST = /^(\*\.)?(\[[^\]]+\]|[^\s/?#@:*[\]\\]+)(:\d{1,5})?$/;

export function readHosts(value: unknown, path: Path, report: Report): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const hosts = value.flatMap((text: unknown, index) => {
    if (typeof text !== 'string') return [];
    const [, wildcard = '', host = '', port = ''] = HOST.exec(text) ?? [];
    if (host !== '' && URL.canParse(`http://${host}${port}`))
      return [wildcard + new URL(`http://${host}`).hostname + port];
    report(
      [...path, index],
      `expected a host such as api.example.com or *.example.com, found ${found(text, HOST_LIKE)}`,
    );
    return [];
  });
  return Object.freeze(hosts);
}

export function readPace(value: unknown, path: Path, report: Report): Pace | undefined {
  if (value === undefined) return undefined;
  const fields = fieldsOf(value);
  if (Object.keys(fields).length === 0 && value === Object(value)) {
    report(path, 'expected concurrency, minTimeMs or reservoir, found none');
  }
  const { concurrency, minTimeMs, reservoir } = fields;
  const { starts, everyMs } = fieldsOf(reservoir);
  return Object.freeze({
    concurrency: typeof concurrency === 'number' ? concurrency : undefined,
    minTimeMs: typeof minTimeMs === 'number' ? minTimeMs : 0,
    reservoir:
      typeof starts === 'number' && typeof everyMs === 'number' ? Object.freeze({ starts, everyMs }) : undefined,
  });
}

export function readApply(value: unknown, path: Path, report: Report): Apply | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') {
    checkTemplate(value, path, report);
    checkHeader('authorization', value, path, report);
    return Object.freeze({ headers: pairs([['authorization', value]]), query: pairs([]) });
  }
  const { headers, query, ...others } = fieldsOf(value);
  const apply = Object.freeze({
    headers: pairs(Object.entries(fieldsOf(headers))),
    query: pairs(Object.entries(fieldsOf(query))),
  });
  for (const [name, template] of apply.headers) {
    checkTemplate(template, [...path, 'headers', name], report);
    checkHeader(name, template, [...path, 'headers', name], report);
  }
  for (const [name, template] of apply.query) checkTemplate(template, [...path, 'query', name], report);
  // Anything else in it has been told already.
  if (isEmpty(headers) && isEmpty(query) && Object.keys(others).length === 0 && isFields(value)) {
    report(path, 'expected a header or a query parameter, found neither');
  }
  return apply;
}

function pairs(entries: readonly (readonly [string, unknown])[]): Apply['headers'] {
  return Object.freeze(
    entries.flatMap(([name, template]) =>
      typeof template === 'string' ? [Object.freeze([name, template] as const)] : [],
    ),
  );
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (isFields(value) && Object.keys(value).length === 0);
}

function checkTemplate(template: string, path: Path, report: Report): void {
  if (!template.includes('{key}')) report(path, 'expected a template with {key}, found a string without it');
}

const TOKEN = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;

function checkHeader(name: string, template: string, path: Path, report: Report): void {
  if (!TOKEN.test(name)) report(path, 'expected the name of a header, found other characters');
  if (/\p{Cc}/u.test(template) || !/^[ -\u00ff]*$/.test(template)) {
    report(path, 'expected characters that a header may hold, found others');
  }
}
