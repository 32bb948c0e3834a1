/** What the log's documents are, as KQL. One document is one attempt, or one reply that needed none. */

/** The first document of each `send`: so many requests were made. */
export const REQUEST = '(proxy_manager.attempt.number: 1 or not proxy_manager.attempt.number: *)';

/** Attempts that had the network, or tried to. */
export const ATTEMPT = '(proxy_manager.attempt.number: * and not event.action: "pool-exhausted")';

/** Replies that needed no attempt. */
export const SAVED = '(event.outcome: "success" and not proxy_manager.attempt.number: *)';

/** A request has at most one such document, its last one. */
export const SUCCESS = 'event.outcome: "success"';

export const FAILURE = 'event.outcome: "failure"';

/** Requests that looked into the cache. */
export const ASKED_CACHE: string = `(${REQUEST} and not proxy_manager.cache.status: "bypass")`;

/** Refused before anything was sent: no key or proxy was left. */
export const REFUSED = 'event.action: "pool-exhausted"';

export const RETRY = 'proxy_manager.attempt.number > 1';

/** Attempts through a proxy. */
export const PROXIED: string = `(${ATTEMPT} and proxy_manager.proxy.id: *)`;

export function all(...queries: readonly string[]): string {
  return queries.join(' and ');
}
