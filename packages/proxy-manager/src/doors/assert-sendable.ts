import type { Endpoint } from '../config/resolve.js';
import { ConfigError, HostNotAllowedError } from '../errors.js';
import type { OutboundRequest } from '../pipeline/exchange.js';
import { placesKey } from '../pipeline/key-template.js';
import type { SecretPattern } from '../pipeline/secret-pattern.js';
import type { DoorName } from './door.js';
import { allowsHost } from '../pool/hosts.js';
import type { Pool } from '../usage/usage-store.js';

/** Throws for what can be known to be wrong before anything is looked up, counted or sent. */
export function assertSendable(
  request: OutboundRequest,
  by: {
    readonly door: DoorName;
    readonly endpoint: Endpoint;
    readonly pool: Pool;
    /** After `getKeyProxy()` the caller is trusted to place the key. */
    readonly isPinned: boolean;
    readonly given: readonly SecretPattern[];
    /** As the options say it. */
    readonly userAgent: string | undefined;
  },
): void {
  const { door } = by;
  const { name, hosts, apply } = by.endpoint;
  if (by.given.some((pattern) => pattern.inHost(request.url))) {
    throw new ConfigError(door, ['url: expected the key in path, query, headers or body, found it in the host']);
  }
  for (const pattern of by.given) {
    const option = pattern.in(request.method) ? 'method' : 'userAgent';
    if (option === 'userAgent' && (by.userAgent === undefined || !pattern.in(by.userAgent))) continue;
    throw new ConfigError(door, [`${option}: expected the key in path, query, headers or body, found it here`]);
  }
  if (!allowsHost(hosts, request.url)) throw new HostNotAllowedError(name, request.url.host, hosts ?? []);
  const usesKey = by.pool.sections.some(({ kind }) => kind === 'key');
  if (usesKey && !by.isPinned && apply === undefined && !placesKey(request)) {
    throw new ConfigError(`${door} on endpoint "${name}"`, [
      'nothing says where the key goes. Write {key} into the url, a header or the body of this call, or set ' +
        `key_based.${name}.apply in secrets.json, or call getKeyProxy() and place the key yourself`,
    ]);
  }
}
