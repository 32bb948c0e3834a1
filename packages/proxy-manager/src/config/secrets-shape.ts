import * as v from 'valibot';
import type { Path, Report } from './problem.js';
import { found, misplacedField, unknownField } from './problem.js';
import { ENDPOINT_FIELDS, secretsSchema } from './secrets-schema.js';
import { NOTHING, NUMERIC, WORD } from './shown.js';

type Issue = v.BaseIssue<unknown>;

/** Reports every mistake of shape in the content of a secrets.json, and shows no key or password while doing so. */
export function checkShape(file: unknown, report: Report): void {
  const { issues } = v.safeParse(secretsSchema, file, { abortPipeEarly: true });
  for (const issue of issues ?? []) reportIssue(issue, [], report);
}

/** What is expected where a field that must be there is not; else it is a string. */
const MISSING: Readonly<Record<string, string>> = {
  keys: 'an array of keys',
  uses: 'a positive integer',
  starts: 'a positive integer',
  everyMs: 'a number of milliseconds',
  verdict: 'a verdict',
};

function reportIssue(issue: Issue, parents: Path, report: Report): void {
  const path = [...parents, ...(issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)))];
  // Of an union, the branch that got further is the one that was meant.
  const deeper = issue.issues?.filter((inner) => inner.path !== undefined) ?? [];
  if (deeper.length > 0) deeper.forEach((inner) => reportIssue(inner, path, report));
  else if (issue.expected === 'never') reportUnknown(issue, path, report);
  else if (issue.type === 'strict_object' && issue.path?.at(-1)?.key !== undefined && issue.received === 'undefined') {
    report(path, `expected ${MISSING[String(path.at(-1))] ?? 'a string'}, found nothing`);
  } else report(path, `expected ${issue.message}, found ${found(issue.input, shownAt(path))}`);
}

/** valibot stops at the first unknown field; the file may have more. */
function reportUnknown(issue: Issue, path: Path, report: Report): void {
  const known = issue.message.split(' ');
  const parent = path.slice(0, -1);
  const input = issue.path?.at(-1)?.input;
  for (const [name, value] of Object.entries(typeof input === 'object' && input !== null ? input : {})) {
    if (known.includes(name)) continue;
    const sections = parent.length === 0 ? sectionsFor(name, value) : [];
    // A name among the keys may be a key that went to the wrong side of its colon.
    if (isHidden(parent)) report(parent, `expected no fields but ${known.join(', ')}`);
    else if (sections.length > 0)
      report(...misplacedField(parent, name, `its place is inside ${sections.join(' or ')}`));
    else report(...unknownField(parent, name, known));
  }
}

/** The sections where what stands beside them belongs: an endpoint, or the fields of one. */
function sectionsFor(name: string, value: unknown): readonly string[] {
  const names = isEndpointLike(value) ? Object.keys(value) : [name];
  return (['key_based', 'ip_based'] as const).filter((section) => {
    return names.every((each) => ENDPOINT_FIELDS[section].includes(each));
  });
}

function isEndpointLike(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}

/** Where keys, passwords or templates around a key stand. */
function isHidden([first, , third]: Path): boolean {
  return first === 'ips' || third === 'keys' || third === 'proxies' || third === 'apply' || third === 'tls';
}

const NUMBERS = new Set<unknown>([
  'limit',
  'refresh_rate',
  'concurrency',
  'minTimeMs',
  'uses',
  'within',
  'every',
  'margin',
  'status',
  'minBytes',
  'maxBytes',
  'starts',
  'everyMs',
]);

/** A number in place of an endpoint may be a key, whatever the endpoint is called. */
function shownAt(path: Path): RegExp | undefined {
  if (isHidden(path)) return undefined;
  if (path.length <= 2) return NOTHING;
  if (path.at(-1) === 'verdict' || path.at(-1) === 'per') return WORD;
  return NUMBERS.has(path.at(-1)) ? NUMERIC : NOTHING;
}
