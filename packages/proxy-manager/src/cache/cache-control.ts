import type { HeaderList } from '../pipeline/headers.js';

/**
 * The directives of `Cache-Control` (RFC 9111 §5.2): names in lower case, each with all values that it was given; one
 * without a value has ''.
 */
export type Directives = ReadonlyMap<string, readonly string[]>;

/** A name, and the value as token or quoted string. A value in spaces is none: `max-age = 5` says nothing. */
const DIRECTIVE = /([^\s,;="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?[^,"]*(?:"(?:[^"\\]|\\.)*"[^,"]*)*/g;

const NONE: Directives = new Map();

/** The longest time that caches must be able to hold (RFC 9111 §1.2.2), in seconds: about 68 years. */
const LONGEST_SECONDS = 2_147_483_648;

/** What all `Cache-Control` fields of `headers` say together. */
export function cacheControl(headers: HeaderList): Directives {
  let directives: Map<string, string[]> | undefined;
  for (const [name, value] of headers) {
    if (name.length !== 13 || name.toLowerCase() !== 'cache-control') continue;
    directives ??= new Map();
    for (const [, written = '', quoted, token] of value.matchAll(DIRECTIVE)) {
      const directive = written.toLowerCase();
      const said = quoted?.replaceAll(/\\(.)/g, '$1') ?? token ?? '';
      const known = directives.get(directive);
      if (known === undefined) directives.set(directive, [said]);
      else known.push(said);
    }
  }
  return directives ?? NONE;
}

/**
 * The seconds that a directive was given, in ms; undefined where it is absent. One that is broken, or said twice with
 * different values, counts as 0: what cannot be read must not make a reply serve longer (RFC 9111 §4.2.1).
 */
export function directiveMs(directives: Directives, name: string): number | undefined {
  const values = directives.get(name);
  if (values === undefined) return undefined;
  const [first = '', ...others] = values;
  if (!/^\d+$/.test(first) || others.some((other) => other !== first)) return 0;
  return Math.min(Number(first), LONGEST_SECONDS) * 1000;
}
