import type { HeaderList } from '../pipeline/headers.js';

/** Shown as there, never with their value: they hold credentials of users, which the library does not know. */
const PRIVATE = /^(?:(?:proxy-)?authorization|(?:set-)?cookie2?|.*(?:api-?key|token|secret|password|signature).*)$/;

const TEXT = /^(?:text\/|application\/(?:.*[+/])?(?:json|xml|javascript|x-www-form-urlencoded|graphql|x?html|yaml)\b)/;

/** Read beyond the bound, so that a secret which the bound would cut in two is seen whole, and hidden. */
const SLACK_BYTES = 8192;

/** The header fields whose names are in `names`, by lower-case name; undefined where there is none. */
export function headerFields(list: HeaderList, names: ReadonlySet<string>): Record<string, unknown> | undefined {
  let fields: Record<string, string | string[]> | undefined;
  for (const [name, value] of list) {
    const lower = name.toLowerCase();
    if (!names.has(lower)) continue;
    const shown = PRIVATE.test(lower) ? '[redacted]' : value;
    fields ??= {};
    const earlier = fields[lower];
    fields[lower] = earlier === undefined ? shown : [earlier, shown].flat();
  }
  return fields;
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
