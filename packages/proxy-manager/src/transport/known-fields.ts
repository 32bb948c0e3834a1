import type { HeaderList } from '../pipeline/headers.js';

type Field = HeaderList[number];

/** So many names are remembered, and values up to so many characters. */
const KEPT = 100;
const LONGEST = 256;

/** Of each name, as servers write it, the newest field. */
const newest = new Map<string, Field>();

/**
 * A field of a reply, its name in lower case: the very same one that came under this name before, where it said the same.
 * Most replies of an origin differ in few fields, and a cache that keeps thousands of them keeps the others once.
 */
export function knownField(name: string, value: string): Field {
  const before = newest.get(name);
  if (before?.[1] === value) return before;
  const field: Field = [before?.[0] ?? name.toLowerCase(), value];
  if (value.length > LONGEST) return field;
  if (before === undefined && newest.size >= KEPT) newest.clear();
  newest.set(name, field);
  return field;
}
