/** What the log's documents are, as KQL. One document is one attempt, or one reply out of the cache. */

/** Every exchange, and no note of the log about itself. */
export const EXCHANGE = 'http.request.id: *';

/** Attempts that had the network, or tried to. */
export const ATTEMPT = '(proxy_manager.attempt.number: * and not event.action: "pool-exhausted")';

/** Replies out of the cache; of a request that failed before it was answered by a stale one, the answer. */
export const SAVED = 'event.action: "cache-hit"';

/** A request has at most one such document, its last one. */
export const SUCCESS = 'event.outcome: "success"';

export const FAILURE = 'event.outcome: "failure"';

/** Of requests that looked into the cache. */
export const ASKED_CACHE = 'not proxy_manager.cache.status: "bypass"';

/** Refused before anything was sent: no key or proxy was left. */
export const REFUSED = 'event.action: "pool-exhausted"';

export const RETRY = 'proxy_manager.attempt.number > 1';

/** Attempts through a proxy. */
export const PROXIED: string = `(${ATTEMPT} and proxy_manager.proxy.id: *)`;

/** What all documents of one request share: requests are counted by it. */
export const REQUEST_ID = 'http.request.id';

export function all(...queries: readonly string[]): string {
  return queries.join(' and ');
}
