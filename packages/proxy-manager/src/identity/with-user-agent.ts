import type { HeaderList } from '../pipeline/headers.js';
import { header } from '../pipeline/headers.js';
import type { BrowserFamily } from './browser-order.js';
import { browserFamily, inBrowserOrder } from './browser-order.js';
import { clientHints } from './client-hints.js';

/** As a browser set to English says it; a language of one's own is a header of one's own. */
const ACCEPT_LANGUAGE: Readonly<Record<BrowserFamily, string>> = {
  chromium: 'en-US,en;q=0.9',
  firefox: 'en-US,en;q=0.5',
  safari: 'en-US,en;q=0.9',
};

/**
 * The headers with this user agent and what goes with it: the client hints, `accept-language`, and the browser's order.
 * A header that is there already stays as it is: with a user agent of its own, the list comes back unchanged.
 */
export function withUserAgent(
  headers: HeaderList,
  userAgent: string,
  options: { /** Default: true. */ readonly hints?: boolean } = {},
): HeaderList {
  if (header(headers, 'user-agent') !== undefined) return headers;
  const family = browserFamily(userAgent);
  if (family === undefined) return [['User-Agent', userAgent], ...headers];
  const hints = options.hints === false ? [] : clientHints(userAgent);
  const added: HeaderList = [...hints, ['User-Agent', userAgent], ['Accept-Language', ACCEPT_LANGUAGE[family]]];
  return inBrowserOrder([...added.filter(([name]) => header(headers, name) === undefined), ...headers], family);
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
