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
  const { family, own, hinted, newest } = browserOf(userAgent);
  if (family === undefined) return [...own, ...headers];
  const sent = options.hints === false ? own : hinted;
  // Most calls bring no headers of their own, and so the very same list.
  if (newest.sent === sent && newest.headers === headers) return newest.list;
  const list = sent.filter(([name]) => header(headers, name) === undefined);
  newest.sent = sent;
  newest.headers = headers;
  newest.list = inBrowserOrder([...list, ...headers], family);
  return newest.list;
}

/** What a browser with this user agent sends of its own accord, and the same with its client hints. */
interface Browser {
  readonly family: BrowserFamily | undefined;
  readonly own: HeaderList;
  readonly hinted: HeaderList;
  /** What came of these headers, and what it sends, when it was last asked. */
  readonly newest: { sent: HeaderList | undefined; headers: HeaderList | undefined; list: HeaderList };
}

/** A user agent is sent many times, and takes some twenty searches to read. */
const REMEMBERED = 1_000;
const browsers = new Map<string, Browser>();

function browserOf(userAgent: string): Browser {
  let browser = browsers.get(userAgent);
  if (browser === undefined) {
    if (browsers.size >= REMEMBERED) browsers.clear();
    browser = readBrowser(userAgent);
    browsers.set(userAgent, browser);
  }
  return browser;
}

function readBrowser(userAgent: string): Browser {
  const family = browserFamily(userAgent);
  const field: HeaderList[number] = ['User-Agent', userAgent];
  if (family === undefined) return { family, own: [field], hinted: [field], newest: nothingYet() };
  const own: HeaderList = [field, ['Accept-Language', ACCEPT_LANGUAGE[family]]];
  return { family, own, hinted: [...clientHints(userAgent), ...own], newest: nothingYet() };
}

function nothingYet(): Browser['newest'] {
  return { sent: undefined, headers: undefined, list: [] };
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
