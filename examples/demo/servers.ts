import { startChild, type Child } from './child.js';
import {
  CATALOG_KEY_LIMIT,
  KEY_LIMIT,
  PROXY_LIMIT,
  type ApiSettings,
  type DemoSecrets,
  type ProxySettings,
} from './settings.js';

const PROXIES = ['proxy-1', 'proxy-2', 'proxy-3'];
/** The one that asks for a user and a password. */
const LOCKED = 1;

export interface Servers {
  readonly api: Child<{ port: number }>;
  readonly proxies: Child<{ ports: number[] }>;
}

/** The API, on `port` if that is free, and the proxies: each a process of its own. */
export async function startServers(secrets: DemoSecrets, port: number | undefined): Promise<Servers> {
  const keys = [
    ...secrets.keys.map((key, index) => ({ name: `key-${index + 1}`, key, limit: KEY_LIMIT })),
    ...secrets.catalogKeys.map((key, index) => ({ name: `catalog-${index + 1}`, key, limit: CATALOG_KEY_LIMIT })),
  ];
  const [api, proxies] = await Promise.all([
    startChild<{ port: number }>('./api-server.js', {
      port,
      keys,
      proxies: PROXIES.map((name) => ({ name, limit: PROXY_LIMIT })),
      windowMs: 24 * 60 * 60 * 1000,
    } satisfies ApiSettings),
    startChild<{ ports: number[] }>('./proxies.js', {
      proxies: PROXIES.map((name, index) => ({
        name,
        userinfo: index === LOCKED ? `demo:${secrets.proxyPassword}` : undefined,
      })),
    } satisfies ProxySettings),
  ]);
  return { api, proxies };
}

/** The very form of a secrets.json, given as an object so that no key of the demo is written anywhere. */
export function secretsFile(secrets: DemoSecrets, proxyPorts: readonly number[]): Record<string, unknown> {
  return {
    key_based: {
      demo_keys: { limit: KEY_LIMIT, refresh_rate: 1440, keys: secrets.keys },
      demo_catalog: {
        limit: CATALOG_KEY_LIMIT,
        refresh_rate: 1440,
        keys: secrets.catalogKeys,
        apply: { headers: { 'x-api-key': '{key}' } },
      },
    },
    // A port may come again in a later run, so the proxies' window is short.
    ip_based: { demo_proxies: { limit: PROXY_LIMIT, refresh_rate: 5 } },
    ips: proxyPorts.map((port, index) =>
      index === LOCKED ? `http://demo:${secrets.proxyPassword}@127.0.0.1:${port}` : `127.0.0.1:${port}`,
    ),
  };
}
