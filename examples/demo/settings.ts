import { randomBytes } from 'node:crypto';

/** What the API server is told at its start; the names are how it speaks of a caller without naming a secret. */
export interface ApiSettings {
  /** Listened on if it is free; else any other. */
  readonly port: number | undefined;
  readonly keys: readonly { readonly name: string; readonly key: string; readonly limit: number }[];
  readonly proxies: readonly { readonly name: string; readonly limit: number }[];
  readonly windowMs: number;
}

/** What the proxies are told at their start. A proxy with `userinfo` asks for it. */
export interface ProxySettings {
  readonly proxies: readonly { readonly name: string; readonly userinfo: string | undefined }[];
}

/** What the API server counted, by the names of its settings. */
export interface ServerStats {
  readonly callers: Readonly<Record<string, { readonly arrived: number; readonly refused: number }>>;
  /** Requests in all, those for these numbers left out. */
  readonly requests: number;
}

export const KEY_LIMIT = 50;
export const PROXY_LIMIT = 60;
export const CATALOG_KEY_LIMIT = 100;

/** What the API gives as bytes. */
export const BLOB: Buffer = Buffer.alloc(16 * 1024, 'proxy-manager ');

const minted = (what: string): string => `demo-${what}-${randomBytes(16).toString('hex')}`;

/** Secrets made for this run alone, so that the quotas of an earlier run do not count. They are never written down. */
export interface DemoSecrets {
  readonly keys: readonly string[];
  readonly catalogKeys: readonly string[];
  readonly proxyPassword: string;
}

export function mintSecrets(): DemoSecrets {
  return {
    keys: Array.from({ length: 4 }, () => minted('key')),
    catalogKeys: Array.from({ length: 2 }, () => minted('key')),
    proxyPassword: minted('password'),
  };
}
