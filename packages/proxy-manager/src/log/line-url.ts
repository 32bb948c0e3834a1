import { andText, flat, quoted, unquoted } from './json-text.js';
import type { Address } from './line-address.js';
import { addressOf } from './line-address.js';
import { fullUrl, publicPairs } from './public-url.js';
import { routeOf } from './route.js';

/** What the log tells of an url. */
export interface UrlText {
  readonly address: Address;
  /** Origin and path, as JSON without its quotes. */
  readonly place: string;
  /** ECS `network.*`, and `url.*` without userinfo, and with `***` for parameters that are credentials by their name. */
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
    text = {
      address,
      place: flat(unquoted(`${address.origin}${pathname}`)),
      members: flat(urlMembers(url, address)),
      route: flat(quoted(routeOf(pathname))),
    };
    known.set(url, text);
  }
  return text;
}

const NETWORK = ',"network":{"protocol":"http","transport":"tcp","direction":"egress"}';

function urlMembers(url: URL, { place }: Address): string {
  const search = publicPairs(url.search);
  const { hash } = url;
  let text = `${NETWORK},"url":{${place}${andText('full', fullUrl(url, search))}${andText('path', url.pathname)}`;
  if (search !== '') text += andText('query', search.slice(1));
  if (hash !== '') text += andText('fragment', publicPairs(hash).slice(1));
  return `${text}}`;
}
