import { hash, randomBytes } from 'node:crypto';
import type { Exchange } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import type { CacheVariant } from './cache-store.js';
import { identityOf } from './identity.js';

/** What in ttl mode tells no replies apart unless the policy names it: who asks, and how the bytes are coded on the way. */
const NOT_IN_TTL_MODE = /^(?:\*|accept-encoding|authorization|cookie|proxy-authorization|user-agent|sec-ch-ua.*)$/;

/** True where the reply can answer no other request (RFC 9111 §4.1). */
export function variesByAnything(headers: HeaderList): boolean {
  return varyFields(headers).includes('*');
}

/** The request headers that tell replies apart: those of `Vary`, and those of the policy; sorted. */
export function variantNames(
  headers: HeaderList,
  { mode, varyBy }: { readonly mode: 'http' | 'ttl'; readonly varyBy: readonly string[] },
): readonly string[] {
  const fields = varyFields(headers);
  const counted = mode === 'http' ? fields : fields.filter((name) => !NOT_IN_TTL_MODE.test(name));
  return counted.length + varyBy.length === 0 ? counted : [...new Set([...counted, ...varyBy])].toSorted();
}

/** The variant that answers `exchange` beside others of the `family`, by default a new one. `key` is the request's own. */
export function variantOf(
  key: string,
  names: readonly string[],
  exchange: Exchange,
  family: string = randomBytes(12).toString('base64url'),
): CacheVariant {
  const said = names.map((name) => [name, saidIn(exchange, name)]);
  return { names, family, digest: hash('sha256', `${key} ${family}\n${JSON.stringify(said)}`) };
}

function varyFields(headers: HeaderList): string[] {
  const names: string[] = [];
  for (const [name, value] of headers) {
    if (name !== 'vary') continue;
    for (const field of value.split(',')) {
      const written = field.trim().toLowerCase();
      if (written !== '') names.push(written);
    }
  }
  return names;
}

/**
 * What the request says in the header `name`, whitespace aside; null where it says nothing. What a later stage adds
 * stands for itself: a rotated user agent is one and the same for whoever leaves it to us, cookies and keys are those of
 * the pinned identity or the session.
 */
function saidIn(exchange: Exchange, name: string): unknown {
  const { request, policy, endpoint } = exchange;
  const values = request.headers.filter(([candidate]) => candidate.toLowerCase() === name).map(([, value]) => value);
  if (values.length > 0) {
    const parts = values.join(',').split(',');
    const said = parts.map((part) => part.trim().replaceAll(/\s+/g, ' ')).join(',');
    const identity = HOLDS_KEY.test(said) ? identityOf(exchange) : undefined;
    return identity === undefined ? said : [said, identity];
  }
  if (name === 'user-agent' || name.startsWith('sec-ch-ua')) return [policy.userAgent];
  const isOfIdentity =
    name === 'cookie' ||
    name === 'authorization' ||
    endpoint.apply?.headers.some(([applied]) => applied.toLowerCase() === name) === true;
  return isOfIdentity ? (identityOf(exchange) ?? null) : null;
}

/** As a key is written where it goes, or where it was hidden. */
const HOLDS_KEY = /\{key[:}]/;
