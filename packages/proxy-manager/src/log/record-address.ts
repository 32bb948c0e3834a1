import { isIP } from 'node:net';

type Fields = Record<string, unknown>;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** ECS `url.*`, without userinfo. */
export function urlFields(url: URL): Fields {
  const { protocol, pathname, search, hash } = url;
  const fields: Fields = {
    full: withoutUserinfo(url),
    scheme: protocol.slice(0, -1),
    domain: domainOf(url),
    path: pathname,
  };
  const port = portOf(url);
  if (port !== undefined) fields['port'] = port;
  if (search !== '') fields['query'] = search.slice(1);
  if (hash !== '') fields['fragment'] = hash.slice(1);
  return fields;
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

function withoutUserinfo(url: URL): string {
  if (url.username === '' && url.password === '') return url.href;
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare.href;
}

function domainOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function portOf({ port, protocol }: URL): number | undefined {
  return port === '' ? DEFAULT_PORTS[protocol] : Number(port);
}
