import type { ClientOptions as ElasticsearchOptions } from '@elastic/elasticsearch';
import { ConfigError } from './errors.js';

/**
 * Throws a `ConfigError` where ioredis could make nothing of `url`. Like ioredis it takes `redis://`, `rediss://`, an
 * url without its scheme, a port, and the path of a socket. The error tells nothing of the url but its scheme.
 */
export function checkRedisUrl(url: string): void {
  const isPath = url.startsWith('/') && !url.startsWith('//');
  if (isPath || /^\d+$/.test(url)) return;
  const full = url.startsWith('//') ? `redis:${url}` : schemeOf(url) === undefined ? `redis://${url}` : url;
  check('redis', full, 'redis://host:6379', ['redis', 'rediss']);
}

/** The same for the urls of Elasticsearch, which are `http://` or `https://`. */
export function checkElasticsearchUrls(setting: string | ElasticsearchOptions): void {
  for (const url of elasticsearchUrls(setting)) {
    check('elasticsearch', url, 'https://host:9200', ['http', 'https']);
  }
}

/** Every url in the setting, with the user and password that it may hold. */
export function elasticsearchUrls(setting: string | ElasticsearchOptions): string[] {
  if (typeof setting === 'string') return [setting];
  return [setting.node, setting.nodes]
    .flat()
    .filter((node) => node !== undefined)
    .map((node) => (typeof node === 'string' || node instanceof URL ? String(node) : node.url.href));
}

function check(option: string, url: string, example: string, schemes: readonly string[]): void {
  const mistake = mistakeIn(url, schemes);
  if (mistake !== undefined) {
    throw new ConfigError('ProxyManager', [`${option}: expected an url such as ${example}, found ${mistake}`]);
  }
}

function mistakeIn(url: string, schemes: readonly string[]): string | undefined {
  const scheme = schemeOf(url);
  // What stands before a lone colon may be a user's name.
  if (scheme === undefined) return 'a text that is no url';
  if (!schemes.includes(scheme)) return `one with the scheme ${scheme}`;
  if (!URL.canParse(url)) return `one with the scheme ${scheme} that cannot be read`;
  const { hash, pathname, password, search, username } = new URL(url);
  if (`${pathname}${search}${hash}`.includes('@') || !isEncoded(username + password)) {
    return `one with the scheme ${scheme} whose user or password must be percent-encoded`;
  }
  return undefined;
}

function schemeOf(url: string): string | undefined {
  return /^\s*([a-z][a-z\d+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
