import { createHash, hash } from 'node:crypto';
import type { OutboundRequest } from '../pipeline/exchange.js';
import { RecurringUrl } from '../pipeline/recurring-url.js';

/** What divides the cache beside the request itself; where nothing is said, replies are shared by all. */
export interface KeyScope {
  /** http mode keeps its replies apart, since it keeps others, and more of them. */
  readonly mode: 'http' | 'ttl';
  /** Request headers that tell replies apart: their names here, what they say in the variant. */
  readonly varyBy: readonly string[];
  /** Whether `?b=2&a=1` is `?a=1&b=2`. */
  readonly sortQuery: boolean;
  /** Ids of the pinned credentials whose own replies these are; undefined: everyone's. */
  readonly credentials: readonly string[] | undefined;
}

const EVERYONE: KeyScope = { mode: 'ttl', varyBy: [], sortQuery: false, credentials: undefined };

/**
 * The url as the cache knows it: as WHATWG writes it, the query in the caller's order unless it is to be sorted, without
 * fragment and userinfo.
 */
export function cacheUrl(url: URL, sortQuery = false): string {
  let { href } = url;
  if (url.username !== '' || url.password !== '') {
    const bare = new URL(url);
    bare.username = '';
    bare.password = '';
    ({ href } = bare);
  }
  const fragment = href.indexOf('#');
  const plain = fragment === -1 ? href : href.slice(0, fragment);
  return sortQuery ? withSortedQuery(plain) : plain;
}

/** By name alone: what a name was given twice keeps its order, which servers tell apart. */
function withSortedQuery(url: string): string {
  const start = url.indexOf('?');
  if (start === -1) return url;
  const nameOf = (pair: string): string => pair.split('=', 1)[0] ?? '';
  const pairs = url.slice(start + 1).split('&');
  const sorted = pairs.toSorted((left, right) => compare(nameOf(left), nameOf(right)));
  return `${url.slice(0, start)}?${sorted.join('&')}`;
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The last key that was made of an url, which is asked for again most of the time. */
const newest = new WeakMap<RecurringUrl, { readonly method: string; readonly scope: KeyScope; readonly key: string }>();

/**
 * 64 hex digits that stand for method, url and body of `request` within `scope`, or undefined where the body is a
 * stream: it cannot be read without being used up. No key or proxy password takes part: where one goes, the request
 * still says `{key}`.
 *
 * What is hashed reads like an HTTP message: a line, what narrows the scope, an empty line, the body. Neither method nor
 * url can hold a line break, so two requests are written alike only if they are alike.
 */
export function cacheKey(request: CacheableRequest, scope: KeyScope = EVERYONE): string | undefined {
  const { method, url, body } = request;
  const last = body === undefined && url instanceof RecurringUrl ? newest.get(url) : undefined;
  if (last?.method === method && last.scope === scope) return last.key;
  const head = `${method} ${cacheUrl(url, scope.sortQuery)}\n${scopeLines(scope)}\n`;
  if (body === undefined) {
    const key = hash('sha256', head);
    if (url instanceof RecurringUrl) newest.set(url, { method, scope, key });
    return key;
  }
  if (typeof body === 'string') return hash('sha256', head + body);
  if (body instanceof Uint8Array) return createHash('sha256').update(head).update(body).digest('hex');
  return undefined;
}

/** What a key is made of. */
export type CacheableRequest = Pick<OutboundRequest, 'body' | 'method' | 'url'>;

/** No line begins as a header does, and none holds a line break: ids and names are written as JSON. */
function scopeLines({ mode, varyBy, credentials }: KeyScope): string {
  let lines = mode === 'http' ? ':mode http\n' : '';
  if (varyBy.length > 0) lines += `:vary ${JSON.stringify(varyBy)}\n`;
  if (credentials !== undefined) lines += `:credentials ${JSON.stringify(credentials)}\n`;
  return lines;
}
