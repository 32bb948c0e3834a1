import { isIP } from 'node:net';
import type { ProxyCredential, TlsIdentity } from '../config/resolve.js';

/** The way to an origin: straight, or through one proxy. Connections with the same `key` stand in for one another. */
export interface Route {
  readonly key: string;
  /** `https://api.example.com`: scheme, host and port, never a path. */
  readonly origin: string;
  readonly secure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  readonly proxy: ProxyCredential | undefined;
  /** Plain http through an http proxy: the proxy is asked for the whole url, and no tunnel is built. */
  readonly absoluteForm: boolean;
  readonly tls?: TlsIdentity | undefined;
}

/** How a request for `url` travels, through `proxy` where one is given. */
export function routeTo(url: URL, proxy: ProxyCredential | undefined, tls?: TlsIdentity): Route {
  const { origin } = url;
  const secure = url.protocol === 'https:';
  const absoluteForm = proxy !== undefined && proxy.protocol !== 'socks5' && !secure;
  const via = proxy === undefined ? '' : `${proxy.protocol}://${proxy.hostname}:${proxy.port} ${proxy.id} `;
  return {
    key: absoluteForm ? via : `${via}${origin}${secure && tls !== undefined ? ` ${tls.id}` : ''}`,
    origin,
    secure,
    hostname: unbracketed(url.hostname),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    proxy,
    absoluteForm,
    tls,
  };
}

/** `host:port`, an IPv6 address in brackets, as a CONNECT request names its target. */
export function authority({ hostname, port }: Pick<Route, 'hostname' | 'port'>): string {
  return isIP(hostname) === 6 ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** The address as a socket wants it: an IPv6 one without its brackets. */
export function unbracketed(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
