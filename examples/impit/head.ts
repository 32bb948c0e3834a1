import { ConfigError } from 'proxy-manager';
import type { HeaderList, WireRequest } from 'proxy-manager';
import type { HttpMethod } from 'impit';
import { subjectOf } from './faults.js';

const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE']);
/** The framing is impit's to say, and the codings are those of its browser. */
const DROPPED: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'transfer-encoding',
]);
/** What `send` and `fetch` put where the caller says nothing; the browser has a word of its own. */
const DEFAULT_ACCEPTS: ReadonlySet<string> = new Set(['*/*', 'application/json, text/plain, */*']);
const DECODED: ReadonlySet<string> = new Set(['br', 'deflate', 'gzip', 'x-gzip', 'zstd']);
const OF_CODING: ReadonlySet<string> = new Set(['content-encoding', 'content-length']);

/** The request's method, unless impit cannot do what is asked: then an error, before anything is sent. */
export function methodOf(request: WireRequest): HttpMethod {
  const { body, method, options, proxy, tls } = request;
  const problems = [
    METHODS.has(method) ? '' : `method: expected one of ${[...METHODS].join(', ')}, found ${method}`,
    method === 'GET' && body !== undefined ? 'body: impit sends none with GET' : '',
    options.axios === undefined ? '' : `${Object.keys(options.axios).join(', ')}: known to axios's own adapter alone`,
    options.decompress ? '' : 'decompress: impit always decodes',
    tls === undefined ? '' : 'tls: impit has no certificates of an endpoint',
    proxy === undefined && hasProxyInEnvironment()
      ? 'proxy: impit would take the one of the environment, unset HTTP_PROXY, HTTPS_PROXY and ALL_PROXY'
      : '',
  ].filter((problem) => problem !== '');
  if (problems.length > 0) throw new ConfigError(subjectOf(request), problems);
  return method as HttpMethod;
}

/** The fields that the caller and the pipeline say; impit puts those of its browser behind them. */
export function sentHeaders({ body, headers }: WireRequest): [string, string][] {
  const isCounted = typeof body === 'string' || body instanceof Uint8Array;
  const fields = new Map<string, string>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (DROPPED.has(lower) || (isCounted && lower === 'content-length')) continue;
    if (lower === 'accept' && DEFAULT_ACCEPTS.has(value)) continue;
    // Of a repeated field impit sends the first one alone.
    const before = fields.get(lower);
    fields.set(lower, before === undefined ? value : `${before}${lower === 'cookie' ? '; ' : ', '}${value}`);
  }
  return [...fields];
}

/** The reply's fields, and whether its body was decoded: then without those that told of the coding. */
export function receivedHeaders(headers: Headers, hasBody: boolean): { headers: HeaderList; isDecoded: boolean } {
  const isDecoded = hasBody && DECODED.has(headers.get('content-encoding')?.trim().toLowerCase() ?? '');
  const list = [...headers];
  return { isDecoded, headers: isDecoded ? list.filter(([name]) => !OF_CODING.has(name)) : list };
}

function hasProxyInEnvironment(): boolean {
  return Object.entries(process.env).some(([name, value]) => /^(?:all|https?)_proxy$/i.test(name) && value !== '');
}
