import type { ResolvedCachePolicy } from '../config/cache-policy.js';
import { ConfigError } from '../errors.js';
import type { Exchange } from '../pipeline/exchange.js';
import { header } from '../pipeline/headers.js';
import type { Directives } from './cache-control.js';
import { cacheControl } from './cache-control.js';
import type { KeyScope } from './key.js';
import { identityOf } from './identity.js';
import { cacheKey } from './key.js';
import { asksOrigin } from './validators.js';

/** What one exchange wants of the cache. */
export interface Ask {
  readonly key: string;
  readonly scope: KeyScope;
  readonly policy: ResolvedCachePolicy;
  /** The request's own `Cache-Control`. */
  readonly directives: Directives;
  readonly reads: boolean;
  readonly writes: boolean;
  /** A stored reply serves only once the origin has confirmed it. */
  readonly mustConfirm: boolean;
  /** A stored reply serves however old it is. */
  readonly atAnyAge: boolean;
  /** Without a stored reply nothing is sent. */
  readonly onlyStored: boolean;
}

const NOTHING_SAID: Directives = new Map();

/**
 * What the exchange wants of the cache; undefined: to be left alone. So are methods that the policy does not list,
 * bodies that are streams, a request with `Cache-Control: no-store` or a condition that only the origin can judge, in
 * ttl mode one for a part (`Range`), and `socketPath`, which makes the url say nothing about the server.
 *
 * @throws {ConfigError} `perCredential`, and nothing says which credential it will be.
 */
export function askOf(exchange: Exchange): Ask | undefined {
  const { request } = exchange;
  const { cache: policy } = exchange.policy;
  if (policy === undefined || !policy.methods.has(request.method)) return undefined;
  const { headers, wire } = request;
  const isPart = header(headers, 'range') !== undefined;
  if (wire.axios?.socketPath !== undefined || asksOrigin(headers)) return undefined;
  if (isPart && (policy.mode === 'ttl' || request.method !== 'GET')) return undefined;
  const directives = requestDirectives(headers);
  if (directives.has('no-store')) return undefined;
  const credentials = policy.perCredential ? identityOf(exchange) : undefined;
  if (policy.perCredential && credentials === undefined) {
    throw new ConfigError('cache', [
      'perCredential: expected a credential that is known before the cache is asked; call getKeyProxy() first, name a session, or leave perCredential out',
    ]);
  }
  const scope = scopeOf(policy, credentials);
  const key = cacheKey(request, scope);
  if (key === undefined) return undefined;
  const { use } = policy;
  return {
    key,
    scope,
    policy,
    directives,
    reads: use !== 'reload',
    writes: !isPart,
    mustConfirm: use === 'no-cache' || use === 'refresh' || directives.has('no-cache'),
    atAnyAge: use === 'force-cache' || use === 'only-if-cached',
    onlyStored: use === 'only-if-cached' || directives.has('only-if-cached'),
  };
}

/** `Pragma: no-cache` says the same to caches of old, and counts where nothing newer is said (RFC 9111 §5.4). */
function requestDirectives(headers: Exchange['request']['headers']): Directives {
  if (header(headers, 'cache-control') !== undefined) return cacheControl(headers);
  const pragma = header(headers, 'pragma');
  return pragma !== undefined && /\bno-cache\b/i.test(pragma) ? new Map([['no-cache', ['']]]) : NOTHING_SAID;
}

/** What everybody shares is the same scope each time. */
function scopeOf(policy: ResolvedCachePolicy, credentials: readonly string[] | undefined): KeyScope {
  const { mode, varyBy, sortQuery } = policy;
  if (credentials !== undefined) return { mode, varyBy, sortQuery, credentials };
  let scope = shared.get(policy);
  if (scope === undefined) {
    scope = { mode, varyBy, sortQuery, credentials };
    shared.set(policy, scope);
  }
  return scope;
}

const shared = new WeakMap<ResolvedCachePolicy, KeyScope>();
