import { isIP } from 'node:net';
import type { Reply } from '../pipeline/exchange.js';

type Fields = Record<string, unknown>;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Names of query parameters that hold a credential, without their `-` and `_`. */
const SECRET_NAME =
  /^(?:(?:x|api|app|access|auth|client|private|secret|subscription|consumer)*key|.*(?:token|secret|signature|credential|passwd|password|passphrase)|pass|pwd|sig|auth|authorization|jwt|sessionid)$/i;

const MAYBE_SECRET = /key|token|secret|sig|cred|pass|pwd|auth|jwt|session/i;

/** ECS `url.*`, without userinfo, and with `***` for parameters that are credentials by their name. */
export function urlFields(url: URL): Fields {
  const { protocol, pathname, hash } = url;
  const search = publicPairs(url.search);
  const fields: Fields = {
    full: fullUrl(url, search),
    scheme: protocol.slice(0, -1),
    domain: domainOf(url),
    path: pathname,
  };
  const port = portOf(url);
  if (port !== undefined) fields['port'] = port;
  if (search !== '') fields['query'] = search.slice(1);
  if (hash !== '') fields['fragment'] = publicPairs(hash).slice(1);
  return fields;
}

/** An url of which nothing is known, fit to be shown; undefined where it is none. */
export function publicUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return fullUrl(url, publicPairs(url.search));
}

/** ECS `server.*` and `destination.*`: the origin, also when a proxy stands between. */
export function addressFields(url: URL): Fields {
  const address = domainOf(url);
  const fields: Fields = { address };
  fields[isIP(address) === 0 ? 'domain' : 'ip'] = address;
  const port = portOf(url);
  if (port !== undefined) fields['port'] = port;
  return fields;
}

/** ECS `related.*`: every host that the exchange was with, the one that a redirect led to included. */
export function relatedFields(url: URL, reply: Reply | undefined): Fields {
  const fields: Record<string, string[]> = {};
  const asked = domainOf(url);
  const answered = reply === undefined ? asked : domainOf(reply.url);
  for (const host of asked === answered ? [asked] : [asked, answered]) {
    (fields[isIP(host) === 0 ? 'hosts' : 'ip'] ??= []).push(host);
  }
  return fields;
}

function fullUrl(
  { href, protocol, username, password, host, pathname, search, hash }: URL,
  publicSearch: string,
): string {
  const publicHash = publicPairs(hash);
  if (username === '' && password === '' && publicSearch === search && publicHash === hash) return href;
  return `${protocol}//${host}${pathname}${publicSearch}${publicHash}`;
}

/** `?a=b&c=d` with the values of secret parameters hidden; a placeholder of ours stays, it says more. */
function publicPairs(pairs: string): string {
  if (pairs === '' || !MAYBE_SECRET.test(pairs)) return pairs;
  const shown = pairs
    .slice(1)
    .split('&')
    .map((pair) => {
      const end = pair.indexOf('=');
      const name = pair.slice(0, end).replaceAll(/[-_.]|%\w\w/g, '');
      return end === -1 || pair.includes('{key') || !SECRET_NAME.test(name) ? pair : `${pair.slice(0, end)}=***`;
    });
  return pairs.charAt(0) + shown.join('&');
}

function domainOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function portOf({ port, protocol }: URL): number | undefined {
  return port === '' ? DEFAULT_PORTS[protocol] : Number(port);
}
