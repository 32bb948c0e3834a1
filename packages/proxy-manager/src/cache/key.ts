import { createHash, hash } from 'node:crypto';
import type { OutboundRequest } from '../pipeline/exchange.js';

/**
 * The url as the cache knows it: as WHATWG writes it, the query in the caller's order, without fragment and userinfo.
 */
export function cacheUrl(url: URL): string {
  let { href } = url;
  if (url.username !== '' || url.password !== '') {
    const bare = new URL(url);
    bare.username = '';
    bare.password = '';
    ({ href } = bare);
  }
  const fragment = href.indexOf('#');
  return fragment === -1 ? href : href.slice(0, fragment);
}

/**
 * 64 hex digits that stand for method, url and body of `request`, or undefined where the body is a stream: it cannot
 * be read without being used up. No key or proxy password takes part: where one goes, the request still says `{key}`.
 *
 * What is hashed reads like an HTTP message: a line, an empty line, the body. Neither method nor url can hold a line
 * break, so two requests are written alike only if they are alike; headers that shall tell replies apart fit between.
 */
export function cacheKey(request: OutboundRequest): string | undefined {
  const { method, url, body } = request;
  const head = `${method} ${cacheUrl(url)}\n\n`;
  if (body === undefined) return hash('sha256', head);
  if (typeof body === 'string') return hash('sha256', head + body);
  if (body instanceof Uint8Array) return createHash('sha256').update(head).update(body).digest('hex');
  return undefined;
}
