import type { ResolvedCachePolicy } from '../config/cache-policy.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import { header } from '../pipeline/headers.js';
import type { CacheShelf } from './cache-store.js';
import { identityOf } from './identity.js';
import { cacheKey } from './key.js';

/** RFC 9110 §9.2.1, and QUERY of its own RFC: they change nothing at the origin. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY', 'TRACE']);

/** How long a reply waits until the entries are gone; a store that is slower catches up behind it. */
const BUDGET_MS = 250;

/**
 * Deletes, in http mode, what a successful unsafe method has made out of date (RFC 9111 §4.4): the replies for its own
 * url, and for those of `Location` and `Content-Location` at the same origin. Undefined: there is nothing to delete.
 */
export function invalidate(store: CacheShelf, exchange: Exchange, reply: Reply): Promise<void> | undefined {
  const { request } = exchange;
  const { cache } = exchange.policy;
  if (cache?.mode !== 'http' || SAFE.has(request.method) || reply.status < 200 || reply.status >= 400) return undefined;
  return deleteOutdated(store, exchange, reply, cache);
}

async function deleteOutdated(
  store: CacheShelf,
  exchange: Exchange,
  reply: Reply,
  cache: ResolvedCachePolicy,
): Promise<void> {
  const { request } = exchange;
  const { mode, varyBy, sortQuery } = cache;
  const scope = { mode, varyBy, sortQuery, credentials: cache.perCredential ? identityOf(exchange) : undefined };
  const keys = outdated(request.url, reply).flatMap((url) =>
    ['GET', 'HEAD'].map((method) => cacheKey({ method, url, body: undefined }, scope)),
  );
  const deleting = Promise.allSettled(keys.map(async (key) => key !== undefined && store.delete(key)));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, BUDGET_MS)));
  await Promise.race([deleting, late]);
  clearTimeout(timer);
}

function outdated(target: URL, { headers, url }: Reply): URL[] {
  const named = ['location', 'content-location'].map((name) => header(headers, name));
  const urls = [target, url];
  for (const written of named) {
    if (written !== undefined && URL.canParse(written, url.href)) urls.push(new URL(written, url));
  }
  return urls.filter(({ origin }) => origin === target.origin);
}
