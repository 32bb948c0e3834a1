import type { AxiosRequestConfig } from 'axios';
import { ConfigError } from '../errors.js';
import type { HeaderList } from '../pipeline/headers.js';
import { TransportFault } from '../transport/fault.js';
import type { RedirectHop, WireRequest } from '../transport/transport.js';
import type { Masker } from './mask.js';

type BeforeRedirect = NonNullable<AxiosRequestConfig['beforeRedirect']>;

/** What of the next request a caller may look at but not change: its own word on where it goes is `hosts`. */
const WHERE = ['protocol', 'hostname', 'port', 'path', 'method'] as const;

/**
 * Asks axios's `beforeRedirect` about `next`: it sees no key, may set headers and `auth`, and stops the redirect by
 * throwing.
 */
export function askBeforeRedirect(
  before: BeforeRedirect,
  { status, headers, from }: RedirectHop,
  next: WireRequest,
  masker: Masker,
): WireRequest {
  const url = new URL(masker.text(next.url.href));
  const shown = next.headers.map(([name, value]) => [name, masker.text(value)] as const);
  const where = {
    protocol: url.protocol,
    hostname: url.hostname,
    port: url.port,
    path: url.pathname + url.search,
    method: next.method,
  };
  const options: Record<string, unknown> = { ...where, href: url.href, headers: byName(shown) };
  const response = { headers: byName(masked(headers, masker)), statusCode: status };
  const request = { url: masker.text(from.url.href), method: from.method, headers: byName(shown) };
  try {
    Reflect.apply(before, undefined, [options, response, request]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `Redirected request failed: ${reason}`;
    throw new TransportFault(
      'ERR_FR_REDIRECTION_FAILURE',
      message,
      { phase: 'response', sent: true },
      { cause: error },
    );
  }
  const changed = WHERE.filter((name) => options[name] !== where[name]);
  if (changed.length > 0) {
    throw new ConfigError('beforeRedirect', [
      `${changed.join(', ')}: may set headers and auth, not where the redirect goes; throw to stop it`,
    ]);
  }
  return { ...next, headers: withChanges(next.headers, shown, options) };
}

function masked(headers: HeaderList, masker: Masker): HeaderList {
  return headers.map(([name, value]) => [masker.text(name), masker.text(value)] as const);
}

function byName(headers: HeaderList): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of headers) fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`;
  return fields;
}

/** The real headers where the caller has left the shown ones as they were, and the caller's where not. */
function withChanges(real: HeaderList, shown: HeaderList, options: Record<string, unknown>): HeaderList {
  const wanted = new Map(Object.entries((options['headers'] ?? {}) as Record<string, unknown>));
  const before = byName(shown);
  const kept = real.filter(([name]) => wanted.get(name) === before[name]);
  const set = [...wanted]
    .filter(([name, value]) => value !== before[name] && value !== undefined && value !== null)
    .map(([name, value]) => [name, String(value)] as const);
  const { auth } = options;
  if (typeof auth !== 'string') return [...kept, ...set];
  const others = [...kept, ...set].filter(([name]) => name.toLowerCase() !== 'authorization');
  return [...others, ['Authorization', `Basic ${Buffer.from(auth).toString('base64')}`]];
}
