import { andText, flat, quoted, unquoted } from './json-text.js';
import type { Address } from './line-address.js';
import { addressOf } from './line-address.js';
import { fullUrl, publicOriginal, publicPairs } from './public-url.js';
import { routeOf } from './route.js';

/** What the log tells of an url. */
export interface UrlText {
  readonly address: Address;
  /** Origin and path, as JSON without its quotes. */
  readonly place: string;
  /** Without userinfo, and with `***` for parameters that are credentials by their name. */
  readonly full: string;
  /** ECS `network.*` and `url.*`; the url is still to be closed. */
  readonly members: string;
  /** The path with `{id}` for what looks like one, as JSON. */
  readonly route: string;
}

const known = new WeakMap<URL, UrlText>();

/** Kept as long as the url, which is the same object for the next one who asks for it. */
export function urlText(url: URL): UrlText {
  let text = known.get(url);
  if (text === undefined) {
    const address = addressOf(url);
    const { pathname } = url;
    const search = publicPairs(url.search);
    const full = fullUrl(url, search);
    text = {
      address,
      place: flat(unquoted(`${address.origin}${pathname}`)),
      full,
      members: flat(urlMembers(url, address, { full, search })),
      route: flat(quoted(routeOf(pathname))),
    };
    known.set(url, text);
  }
  return text;
}

const NETWORK = ',"network":{"protocol":"http","transport":"tcp","direction":"egress"}';

function urlMembers(
  { hash, pathname }: URL,
  { place }: Address,
  { full, search }: { readonly full: string; readonly search: string },
): string {
  let text = `${NETWORK},"url":{${place}${andText('full', full)}${andText('path', pathname)}`;
  text += andText('extension', extensionOf(pathname));
  if (search !== '') text += andText('query', search.slice(1));
  if (hash !== '') text += andText('fragment', publicPairs(hash).slice(1));
  return text;
}

/** As `png`; what is but digits is part of a number. */
function extensionOf(path: string): string | undefined {
  const extension = path.slice(path.lastIndexOf('.') + 1);
  return EXTENSION.test(extension) ? extension : undefined;
}

const EXTENSION = /^(?=.*[a-z])[a-z\d]{1,10}$/i;

/** The members with the url in the caller's words, too. */
export function andUrl({ full, members }: UrlText, written: string | undefined): string {
  return `${members},"original":${quoted(publicOriginal(written, full))}}`;
}
