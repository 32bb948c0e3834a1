import { KibanaError } from './kibana-error.js';

/** How a server is reached, and who asks. */
export interface ConnectionOptions {
  /** With the base path, where the server has one; `user:password@` is taken as username and password. */
  readonly url: string | URL;
  /** Base64, as Elasticsearch gives it. */
  readonly apiKey?: string;
  readonly username?: string;
  readonly password?: string;
  /** The certificates that are trusted, in PEM. Default: those of Node.js. */
  readonly ca?: Buffer | string;
  /** For one answer, in ms. @default 30_000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Connection options that have been checked. */
export interface Connection {
  /** Without userinfo and without a slash at the end: fit to be printed. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: Buffer | string | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws {KibanaError} `ERR_KIBANA_OPTIONS`: the url is none, or it is not clear who asks. */
export function connect(options: ConnectionOptions): Connection {
  const { apiKey, ca, timeoutMs = 30_000, signal } = options;
  const url = parse(options.url);
  const username = options.username ?? decodeURIComponent(url.username);
  const password = options.password ?? decodeURIComponent(url.password);
  const isNamed = username !== '' || password !== '';
  if (apiKey !== undefined && isNamed) throw wrong('an API key and a username: give one of them');
  if (isNamed && (username === '' || password === '')) throw wrong('a username and a password belong together');
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  const headers: Record<string, string> = {};
  if (apiKey !== undefined) headers['authorization'] = `ApiKey ${apiKey}`;
  if (isNamed) headers['authorization'] = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return { base: url.href.replace(/\/+$/, ''), headers, ca, timeoutMs, signal };
}

function parse(url: string | URL): URL {
  const text = String(url);
  // Not shown where it is wrong: there may be a password in it.
  if (!URL.canParse(text)) throw wrong('url: expected one like http://localhost:5601');
  const parsed = new URL(text);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') throw wrong('url: expected http: or https:');
  return parsed;
}

function wrong(message: string): KibanaError {
  return new KibanaError('ERR_KIBANA_OPTIONS', message);
}
