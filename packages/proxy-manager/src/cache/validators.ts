import type { HeaderList } from '../pipeline/headers.js';
import { header, withoutHeaders } from '../pipeline/headers.js';
import { httpDateMs } from '../pipeline/http-date.js';

/** The conditions of a request that a cache may answer (RFC 9110 §13.1). */
const ANSWERABLE: ReadonlySet<string> = new Set(['if-modified-since', 'if-none-match']);

/** The conditions that only the origin can judge: they are about a change that is to be made. */
const FOR_THE_ORIGIN: readonly string[] = ['if-match', 'if-unmodified-since'];

/** What a 304 does not repeat of the reply it stands for: it has no content. */
const OF_CONTENT: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
]);

/** A bare `x` is no entity tag, yet servers send it and compare it as it stands. */
export function entityTag(headers: HeaderList): string | undefined {
  return header(headers, 'etag')?.trim() || undefined;
}

export function asksOrigin(headers: HeaderList): boolean {
  return FOR_THE_ORIGIN.some((name) => header(headers, name) !== undefined);
}

/** The request's headers, asking whether the stored reply is still valid; undefined where it has nothing to ask by. */
export function askingWhether(headers: HeaderList, stored: HeaderList): HeaderList | undefined {
  const etag = entityTag(stored);
  const modified = header(stored, 'last-modified');
  const conditions: [string, string][] = [];
  if (etag !== undefined) conditions.push(['if-none-match', etag]);
  if (modified !== undefined) conditions.push(['if-modified-since', modified]);
  return conditions.length === 0 ? undefined : [...withoutHeaders(headers, ANSWERABLE), ...conditions];
}

/** True where the caller has what is stored already, by the conditions of its request (RFC 9111 §4.3.2). */
export function hasAlready(request: HeaderList, stored: HeaderList, nowMs: number): boolean {
  if (header(request, 'if-none-match') !== undefined) {
    const lists = request.filter(([name]) => name.toLowerCase() === 'if-none-match').map(([, value]) => value);
    const etag = entityTag(stored);
    return lists.some((list) => list.trim() === '*' || (etag !== undefined && names(list, etag)));
  }
  if (header(request, 'if-modified-since') === undefined) return false;
  const sinceMs = httpDateMs(header(request, 'if-modified-since')?.trim() ?? '', nowMs);
  const modified = header(stored, 'last-modified') ?? header(stored, 'date') ?? '';
  const modifiedMs = httpDateMs(modified.trim(), nowMs);
  return sinceMs !== undefined && modifiedMs !== undefined && modifiedMs <= sinceMs;
}

/** The head of a 304 for the stored one (RFC 9110 §15.4.5). */
export function notModifiedHeaders(stored: HeaderList): HeaderList {
  return withoutHeaders(stored, OF_CONTENT);
}

/** True where a 304 is about the stored reply, and not about another one that we do not hold (RFC 9111 §4.3.4). */
export function confirms(confirmation: HeaderList, stored: HeaderList): boolean {
  const etag = entityTag(confirmation);
  if (etag !== undefined) {
    const ours = entityTag(stored);
    return ours !== undefined && weak(etag) === weak(ours);
  }
  const modified = header(confirmation, 'last-modified');
  return modified === undefined || modified === (header(stored, 'last-modified') ?? modified);
}

/** The weak comparison of RFC 9110 §8.8.3.2 with each of a list. */
function names(list: string, etag: string): boolean {
  const given = list.match(/(?:W\/)?"[^"]*"|[^\s,]+/g) ?? [];
  return given.some((each) => weak(each) === weak(etag));
}

function weak(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag;
}
