import { Readable } from 'node:stream';
import type { AxiosRequestConfig } from 'axios';
import type { SendOptions } from '../config/options.js';
import { ConfigError } from '../errors.js';
import type { OutboundRequest } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import { header, withHeader, withoutHeaders } from '../pipeline/headers.js';
import { PLACEHOLDER } from '../pipeline/key-template.js';
import type { WireOptions } from '../transport/transport.js';
import { DECODES_ZSTD } from '../transport/decode.js';
import { Bare } from './bare.js';
import type { EncodedBody } from './body.js';
import type { DoorName } from './door.js';
import { encodeBody } from './body.js';
import { AxiosHeaders } from './axios-core.js';
import { knownUrl } from './known-url.js';
import { uriOf } from './uri.js';
import { withoutUserinfo } from './userinfo.js';

/** The options that only axios's own http adapter knows; an exchange that has one is sent by it. */
const AXIOS_ONLY = [
  'family',
  'httpAgent',
  'httpsAgent',
  'insecureHTTPParser',
  'lookup',
  'maxRate',
  'onDownloadProgress',
  'onUploadProgress',
  'proxy',
  'socketPath',
  'transport',
] as const satisfies readonly (keyof AxiosRequestConfig)[];

/** Bounds a decoded reply where the caller sets no `maxContentLength`: a gzip bomb must end somewhere. */
export const DEFAULT_MAX_RESPONSE_BYTES: number = 256 * 1024 * 1024;
/** As follow-redirects, which axios follows with. */
const DEFAULT_MAX_REDIRECTS = 21;
const DEFAULT_ACCEPT = 'application/json, text/plain, */*';
const ACCEPT_ENCODING = DECODES_ZSTD ? 'gzip, deflate, br, zstd' : 'gzip, deflate, br';

/** What the transport writes by itself, whatever the caller says. */
const COMPUTED: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'te', 'transfer-encoding', 'upgrade']);
const COMPUTED_WITH_LENGTH: ReadonlySet<string> = new Set([...COMPUTED, 'content-length']);

/**
 * The caller's words as the request that goes through the pipeline, at once unless a body has to be read; `defaults` are
 * the Request's own headers.
 */
export function toOutbound(
  config: SendOptions,
  defaults: SendOptions['headers'],
  door: DoorName,
): OutboundRequest | Promise<OutboundRequest> {
  const method = (config.method ?? 'GET').toUpperCase();
  const { url, auth } = readUrl(config, door);
  const words = config.body === undefined ? 'axios' : 'fetch';
  const given = toHeaderList(defaults, config.headers, method);
  const { data, headers: said } = transformed(config.body ?? config.data, config, given);
  const contentType = header(said, 'content-type');
  // A multipart type without a boundary could not be read by anyone.
  const isStated = contentType !== undefined && (!/^multipart\//i.test(contentType) || /boundary=/i.test(contentType));
  const withBody = ({ body, contentType: type }: EncodedBody): OutboundRequest => ({
    method,
    url,
    originalUrl: auth === undefined ? String(config.url ?? '') : undefined,
    headers: framed(isStated || type === undefined ? said : withHeader(said, 'content-type', type), body),
    body,
    auth: config.auth ?? auth,
    wire: wireOptions(config),
    ...redirectRules(config, door),
  });
  const encoding = encodeBody(data, contentType, words);
  return encoding instanceof Promise ? encoding.then(withBody) : withBody(encoding);
}

/** The headers without those that say how the message is framed; of a stream the caller alone knows the length. */
export function framed(headers: HeaderList, body: OutboundRequest['body']): HeaderList {
  return withoutHeaders(headers, body instanceof Readable ? COMPUTED : COMPUTED_WITH_LENGTH);
}

/** The caller's say in redirects, where it has one. */
export function redirectRules(
  { beforeRedirect, sensitiveHeaders }: SendOptions,
  door: DoorName,
): Pick<OutboundRequest, 'redirects'> {
  if (beforeRedirect === undefined && sensitiveHeaders === undefined) return {};
  if (sensitiveHeaders !== undefined && !isNames(sensitiveHeaders)) {
    throw new ConfigError(door, ['sensitiveHeaders: expected an array of header names']);
  }
  const sensitive = new Set(sensitiveHeaders?.map((name) => name.toLowerCase()));
  return { redirects: { before: beforeRedirect, sensitive } };
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function readUrl(config: SendOptions, door: DoorName): { url: URL; auth: OutboundRequest['auth'] } {
  const isBuilt = config.params !== undefined || config.baseURL !== undefined;
  const written = isBuilt ? uriOf(config) : String(config.url ?? '');
  const url = knownUrl(written);
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    const found = url === undefined ? 'a relative or broken one; baseURL makes a relative one whole' : url.protocol;
    throw new ConfigError(door, [`url: expected an absolute http or https url, found ${found}`]);
  }
  if (url.host.includes(PLACEHOLDER)) {
    throw new ConfigError(door, ['url: expected {key} in path, query, headers or body, found it in the host']);
  }
  return withoutUserinfo(url);
}

const NOTHING_SAID: HeaderList = [
  ['Accept', DEFAULT_ACCEPT],
  ['Accept-Encoding', ACCEPT_ENCODING],
];

/** What fetch says where its caller says nothing. */
export const ACCEPT_ALL: HeaderList = [['accept', '*/*']];

const ALL_ACCEPTED: HeaderList = [...ACCEPT_ALL, ['Accept-Encoding', ACCEPT_ENCODING]];

/** The call's fields over the defaults': a call says `false` or `null` to leave a default away, as in axios. */
export function toHeaderList(
  defaults: SendOptions['headers'],
  given: SendOptions['headers'],
  method: string,
): HeaderList {
  if (defaults === undefined && given === undefined) return NOTHING_SAID;
  if (defaults === undefined && given === ACCEPT_ALL) return ALL_ACCEPTED;
  const fields = new Map<string, { readonly name: string; readonly values: readonly unknown[] }>();
  for (const source of [defaults, given]) {
    for (const [name, value] of headerEntries(source, method)) {
      if (value !== undefined) fields.set(name.toLowerCase(), { name, values: Array.isArray(value) ? value : [value] });
    }
  }
  if (!fields.has('accept')) fields.set('accept', { name: 'Accept', values: [DEFAULT_ACCEPT] });
  if (!fields.has('accept-encoding'))
    fields.set('accept-encoding', { name: 'Accept-Encoding', values: [ACCEPT_ENCODING] });
  const list: (readonly [string, string])[] = [];
  for (const { name, values } of fields.values()) {
    for (const value of values)
      if (value !== null && value !== false)
        list.push([name, typeof value === 'string' ? value : JSON.stringify(value)]);
  }
  return list;
}

function headerEntries(given: SendOptions['headers'], method: string): Iterable<readonly [string, unknown]> {
  if (given === undefined || given === null) return [];
  if (given instanceof AxiosHeaders) return Object.entries(given.toJSON());
  if (typeof given === 'object' && Symbol.iterator in given) return given as Iterable<readonly [string, string]>;
  return Object.entries(flatten(given as Readonly<Record<string, unknown>>, method));
}

/** True where the caller writes `'User-Agent': null` (or `false`): none is sent, ours neither. */
export function disclaimsUserAgent(given: SendOptions['headers']): boolean {
  if (typeof given !== 'object' || given === null || Symbol.iterator in given !== given instanceof AxiosHeaders)
    return false;
  const name = Object.keys(given).find((each) => each.toLowerCase() === 'user-agent');
  const value: unknown = name === undefined ? undefined : Reflect.get(given, name);
  return value === null || value === false;
}

/** axios's defaults keep headers for all methods under `common` and for one under its name. */
function flatten(given: Readonly<Record<string, unknown>>, method: string): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const group of [given['common'], given[method.toLowerCase()]]) {
    if (typeof group === 'object' && group !== null) Object.assign(flat, group);
  }
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) flat[name] = value;
  }
  return flat;
}

/** The data, and the headers that the transforms may have set, as axios has it. */
function transformed(
  data: unknown,
  config: SendOptions,
  headers: HeaderList,
): { readonly data: unknown; readonly headers: HeaderList } {
  if (config.transformRequest === undefined) return { data, headers };
  const set = new AxiosHeaders(Object.fromEntries(headers));
  const result = [config.transformRequest]
    .flat()
    .reduce<unknown>((value, transform) => transform.call({ headers: set }, value, set), data);
  return { data: result, headers: toHeaderList(undefined, set, '') };
}

export function wireOptions(config: SendOptions): WireOptions {
  let axiosOnly: Bare | undefined;
  for (const name of AXIOS_ONLY) {
    const value: unknown = Reflect.get(config, name);
    if (value !== undefined && value !== false) (axiosOnly ??= new Bare())[name] = value;
  }
  // The fast transport speaks what the origin offers.
  if (config.httpVersion !== undefined) {
    const { http2Options, httpVersion } = config;
    axiosOnly = Object.assign(axiosOnly ?? new Bare(), { httpVersion, http2Options });
  }
  const { allowedSocketPaths } = config;
  if (allowedSocketPaths !== undefined && axiosOnly !== undefined) Object.assign(axiosOnly, { allowedSocketPaths });
  return {
    body: config.responseType === 'stream' ? 'stream' : 'buffer',
    decompress: config.decompress ?? true,
    maxRedirects: config.maxRedirects ?? DEFAULT_MAX_REDIRECTS,
    maxResponseBytes: bound(config.maxContentLength, DEFAULT_MAX_RESPONSE_BYTES),
    maxRequestBytes: bound(config.maxBodyLength, Number.POSITIVE_INFINITY),
    ...(axiosOnly === undefined ? {} : { axios: axiosOnly }),
  };
}

/** axios writes "no bound" as -1. */
function bound(bytes: number | undefined, otherwise: number): number {
  if (bytes === undefined) return otherwise;
  return bytes < 0 ? Number.POSITIVE_INFINITY : bytes;
}
