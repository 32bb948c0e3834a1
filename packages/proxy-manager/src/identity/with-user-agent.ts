import type { HeaderList } from '../pipeline/headers.js';
import { header } from '../pipeline/headers.js';
import { clientHints } from './client-hints.js';

/**
 * The headers with this user agent and the client hints that match it in front, in the order of browsers.
 * A header that is there already stays as it is: with a user agent of its own, the list comes back unchanged.
 */
export function withUserAgent(
  headers: HeaderList,
  userAgent: string,
  options: { /** Default: true. */ readonly hints?: boolean } = {},
): HeaderList {
  if (header(headers, 'user-agent') !== undefined) return headers;
  const hints = options.hints === false ? [] : clientHints(userAgent);
  const added = [...hints, ['User-Agent', userAgent] as const];
  return [...added.filter(([name]) => header(headers, name) === undefined), ...headers];
}

/** Where browsers send client hints: https, and the machine itself. */
export function isSecureOrigin({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true;
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(?:\.\d+){3}$/.test(hostname)
  );
}
