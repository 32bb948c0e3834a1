import type {
  AxiosHeaders as AxiosHeadersType,
  AxiosRequestConfig,
  AxiosResponse,
  InternalAxiosRequestConfig,
} from 'axios';
import type { SendOptions } from '../config/options.js';
import type { CacheStatus, Exchange, Reply, Trace } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import type { VerdictName } from '../pool/verdict.js';
import { AxiosError, AxiosHeaders } from './axios-core.js';
import { ownBytes, viewOf } from './own-bytes.js';

/** How the reply came about. */
export interface ExchangeInfo {
  /** `http.request.id` in the log. */
  readonly id: string;
  /** Where it came from; why that was no hit stands in the reply's `Cache-Status` header, as `fwd` and `detail`. */
  readonly cache: CacheStatus;
  /** The key of the last attempt; undefined for a cache hit and an endpoint without keys. The log tells those before. */
  readonly credential: { readonly id: string } | undefined;
  readonly proxy: { readonly id: string } | undefined;
  /** Attempts on the network; 0 for a cache hit. */
  readonly attempts: number;
  /** What the last attempt on the network was taken for; undefined for a cache hit, and where nothing was sent. */
  readonly verdict: VerdictName | undefined;
  /** Why a failed attempt was not repeated: what stood in the way is the request, such as a streamed body. */
  readonly notRepeated: string | undefined;
  /** Time spent waiting for the pool, the host's pace and between attempts, in ms. */
  readonly waitedMs: number;
  readonly durationMs: number;
  /** The User-Agent that was sent. */
  readonly userAgent: string | undefined;
}

/** An axios response that also tells how it came about. `config`, `request` and `headers` hold no pool secret. */
export interface ExchangeResponse<T = unknown> extends AxiosResponse<T> {
  readonly exchange: ExchangeInfo;
}

export function toResponse<T>(exchange: Exchange, config: SendOptions, reply: Reply): ExchangeResponse<T> {
  const response: ExchangeResponse<T> = {
    data: undefined as T,
    status: reply.status,
    statusText: reply.statusText,
    headers: toAxiosHeaders(reply.headers),
    config: maskedConfig(exchange, config),
    request: maskedRequest(exchange, reply.url),
    exchange: exchangeInfo(exchange),
  };
  response.data = decode(reply, response, config) as T;
  return response;
}

export function exchangeInfo({ id, trace }: Exchange): ExchangeInfo {
  return {
    id,
    cache: trace.cache,
    credential: takenOf(trace, 'key'),
    proxy: takenOf(trace, 'proxy'),
    attempts: trace.attempts,
    verdict: trace.last?.verdict?.kind,
    notRepeated: trace.notRepeated,
    waitedMs: trace.waitedMs,
    durationMs: performance.now() - trace.startedMs,
    userAgent: trace.last?.userAgent,
  };
}

function takenOf({ last }: Trace, kind: 'key' | 'proxy'): { readonly id: string } | undefined {
  for (const reading of last?.taken ?? []) if (reading.kind === kind) return { id: reading.id };
  return undefined;
}

/**
 * The options of axios that say how a call is made and hold neither a credential nor a live object. What is not listed
 * stays out of `config`: a Request's own options hold the pool, an agent its sockets with the headers of other exchanges.
 */
const SHOWN: ReadonlySet<string> = new Set([
  'baseURL',
  'decompress',
  'maxBodyLength',
  'maxContentLength',
  'maxRedirects',
  'params',
  'paramsSerializer',
  'responseEncoding',
  'responseType',
  'signal',
  'timeout',
  'transformRequest',
  'transformResponse',
  'transitional',
  'validateStatus',
] satisfies readonly (keyof AxiosRequestConfig)[]);

/** With a concealed url these would show again what it hides. */
const PARTS_OF_URL: ReadonlySet<string> = new Set(['baseURL', 'params']);

/** What the caller configured, with `{key}` where the key went; url, headers and data as the stages saw them. */
export function maskedConfig({ request }: Exchange, config: SendOptions): InternalAxiosRequestConfig {
  const { asWritten, auth, body, headers, method, url } = request;
  const shown: InternalAxiosRequestConfig = {
    method: method.toLowerCase(),
    url: url.href,
    headers: toAxiosHeaders(headers),
    data: asWritten?.bodyHoldsSecret === true ? '[holds a key]' : body,
  };
  if (auth !== undefined) shown.auth = auth;
  for (const name of Object.keys(config)) {
    if (!SHOWN.has(name) || (asWritten !== undefined && PARTS_OF_URL.has(name))) continue;
    const value: unknown = Reflect.get(config, name);
    if (value !== undefined) Reflect.set(shown, name, value);
  }
  return shown;
}

/** In the place of Node's ClientRequest, which would show what was really sent. */
export function maskedRequest({ request }: Exchange, url: URL = request.url): object {
  const { method } = request;
  return {
    method,
    protocol: url.protocol,
    host: url.host,
    path: url.pathname + url.search,
    res: { responseUrl: url.href },
  };
}

/** Fields of one name become one, cookies apart. Only what `AxiosHeaders.set` would change goes through it: it is slow. */
export function toAxiosHeaders(list: HeaderList): AxiosHeadersType {
  const headers = new AxiosHeaders();
  for (const [name, value] of list) {
    if (isCookie(name)) headers.set('set-cookie', [...headers.getSetCookie(), value]);
    else if (!(name in headers) && TIDY_NAME.test(name) && TIDY_VALUE.test(value)) headers[name] = value;
    else join(headers, name, value);
  }
  return headers;
}

function isCookie(name: string): boolean {
  return name.length === 10 && name.toLowerCase() === 'set-cookie';
}

function join(headers: AxiosHeadersType, name: string, value: string): void {
  const before = headers.get(name);
  headers.set(name, before === undefined ? value : `${String(before)}, ${value}`);
}

const TIDY_NAME = /^[a-z\d-]+$/i;
const TIDY_VALUE = /^[!-~](?:[ -~]*[!-~])?$/;

function decode(reply: Reply, response: ExchangeResponse, config: SendOptions): unknown {
  const { responseType, transformResponse } = config;
  const { body } = reply;
  if (!(body instanceof Uint8Array)) return body;
  if (responseType === 'arraybuffer' || responseType === 'stream') return ownBytes(body, reply);
  const text = viewOf(body).toString(config.responseEncoding as BufferEncoding | undefined);
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (transformResponse !== undefined && transformResponse !== null) {
    return [transformResponse]
      .flat()
      .reduce<unknown>(
        (data, transform) =>
          transform.call(response.config, data, response.headers as AxiosHeadersType, response.status),
        content,
      );
  }
  if (responseType !== undefined && responseType !== 'json') return content;
  return parsed(content, responseType === 'json' && config.transitional?.silentJSONParsing === false, response);
}

/** As axios: whatever parses is parsed, the rest stays text, unless the caller asked for the error. */
function parsed(text: string, isStrict: boolean, response: ExchangeResponse): unknown {
  if (text === '') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!isStrict) return text;
    throw AxiosError.from(error, AxiosError.ERR_BAD_RESPONSE, response.config, null, response);
  }
}
