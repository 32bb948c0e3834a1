import type { HeaderList } from '../pipeline/headers.js';
import { PLACEHOLDER } from '../pipeline/key-template.js';
import { patternOf } from '../pipeline/secret-pattern.js';
import { Secret } from '../secret.js';

/** Shown as there, never with their value: they hold credentials of users, which the library does not know. */
const PRIVATE = /^(?:(?:proxy-)?authorization|(?:set-)?cookie2?|.*(?:api-?key|token|secret|password|signature).*)$/;

const TEXT = /^(?:text\/|application\/(?:.*[+/])?(?:json|xml|javascript|x-www-form-urlencoded|graphql|x?html|yaml)\b)/;

/** Read beyond the bound, so that a secret which the bound would cut in two is seen whole, and hidden. */
const SLACK_BYTES = 8192;

/** The header fields whose names are in `names`, by lower-case name; undefined where there is none. */
export function headerFields(
  list: HeaderList,
  names: ReadonlySet<string>,
  hide: (text: string) => string,
): Record<string, unknown> | undefined {
  let fields: Record<string, string | string[]> | undefined;
  for (const [name, value] of list) {
    const lower = name.toLowerCase();
    if (!names.has(lower)) continue;
    const shown = PRIVATE.test(lower) ? '[redacted]' : hide(value);
    fields ??= {};
    const earlier = fields[lower];
    fields[lower] = earlier === undefined ? shown : [earlier, shown].flat();
  }
  return fields;
}

/** `hide`, and a placeholder over what the caller's own credentials in `headers` are, wherever they come back. */
export function hidingOwn(headers: HeaderList, hide: (text: string) => string): (text: string) => string {
  const own = headers.flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    if (!PRIVATE.test(lower) || value.includes(PLACEHOLDER)) return [];
    const values = lower === 'cookie' ? value.split(';').map((pair) => pair.slice(pair.indexOf('=') + 1)) : [value];
    // Behind the scheme, if there is one.
    return values.map((each) => patternOf(new Secret(each.trim().replace(/^[\w-]+ +/, ''), 'header')));
  });
  // First, while they are whole: one of them may hold what `hide` takes out.
  return own.length === 0 ? hide : (text) => hide(own.reduce((hidden, pattern) => pattern.hide(hidden), text));
}

/** How much of a body must be kept for a bound of `maxBytes`. */
export function bytesToKeep(maxBytes: number): number {
  return maxBytes + SLACK_BYTES;
}

/** The text of a body, its secrets hidden, up to `maxBytes`; undefined where it is none, or not readable as text. */
export function bodyText(
  body: string | Uint8Array,
  mimeType: string | undefined,
  maxBytes: number,
  hide: (text: string) => string,
): string | undefined {
  if (body.length === 0) return undefined;
  const keep = bytesToKeep(maxBytes);
  let text: string;
  if (typeof body === 'string') text = body.slice(0, keep);
  else if (mimeType === undefined || !TEXT.test(mimeType)) return undefined;
  else text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, keep)).toString('utf8');
  return upTo(maxBytes, hide(text));
}

function upTo(maxBytes: number, text: string): string {
  if (text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes) return text;
  // A character that the bound cuts becomes U+FFFD, which says nothing.
  return Buffer.from(text)
    .subarray(0, maxBytes)
    .toString('utf8')
    .replace(/\uFFFD$/, '');
}
