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

export function urlText(url: URL): UrlText {
  const address = addressOf(url);
  const { pathname } = url;
  const search = publicPairs(url.search);
  const full = fullUrl(url, search);
  return {
    address,
    place: unquoted(`${address.origin}${pathname}`),
    full,
    members: urlMembers(url, address, { full, search }),
    route: quoted(routeOf(pathname)),
  };
}

const known = new WeakMap<URL, UrlText>();

/**
 * As `urlText`, kept as long as the url: for one that is asked for again and again, as what the cache has is, and is the
 * same object each time. For one that comes once this would cost more than it saves.
 */
export function keptUrlText(url: URL): UrlText {
  let text = known.get(url);
  if (text === undefined) {
    const { place, members, route, ...rest } = urlText(url);
    text = { ...rest, place: flat(place), members: flat(members), route: flat(route) };
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
  const dot = path.lastIndexOf('.');
  if (dot === -1) return undefined;
  const extension = path.slice(dot + 1);
  return EXTENSION.test(extension) ? extension : undefined;
}

const EXTENSION = /^(?=.*[a-z])[a-z\d]{1,10}$/i;

/** The members with the url in the caller's words, too. */
export function andUrl({ full, members }: UrlText, written: string | undefined): string {
  return `${members},"original":${quoted(publicOriginal(written, full))}}`;
}
