import { RecurringUrl } from '../pipeline/recurring-url.js';

/** So many urls are remembered, and of as many that they were asked for once. */
const KEPT = 1000;

const known = new Map<string, RecurringUrl>();
const once = new Set<string>();

/**
 * The url that is written so; undefined for what is none. From the second time on it is the same object, which must not
 * be changed: most that are asked for twice are asked for often, while to keep those of a crawl costs more than to make them.
 */
export function knownUrl(written: string): URL | undefined {
  const url = known.get(written);
  if (url !== undefined) return url;
  if (once.has(written)) return keep(written);
  const made = parsed(written);
  // What has a password in it is not kept.
  if (made === undefined || made.username !== '' || made.password !== '') return made;
  if (once.size >= KEPT) once.clear();
  once.add(written);
  return made;
}

function keep(written: string): URL {
  const url = new RecurringUrl(written);
  once.delete(written);
  if (known.size >= KEPT) known.clear();
  known.set(written, url);
  return url;
}

function parsed(written: string): URL | undefined {
  try {
    return new URL(written);
  } catch {
    return undefined;
  }
}
