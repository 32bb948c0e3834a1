import { Stream } from 'node:stream';
import { isAnyArrayBuffer } from 'node:util/types';
import type { InternalAxiosRequestConfig } from 'axios';
import type { OutboundRequest } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import { header, withHeader } from '../pipeline/headers.js';
import { AxiosError, AxiosHeaders } from './axios-core.js';
import type { EncodedBody } from './body.js';
import { encodeBody } from './body.js';
import { framed, redirectRules, toHeaderList, wireOptions } from './outbound.js';
import { uriOf as builtUri } from './uri.js';
import { withoutUserinfo } from './userinfo.js';

/** The config that axios gives its adapter, with data transformed and headers merged, as the request for the pipeline. */
export async function axiosOutbound(config: InternalAxiosRequestConfig): Promise<OutboundRequest> {
  const method = (config.method ?? 'get').toUpperCase();
  const { url, auth } = withoutUserinfo(urlOf(config));
  const { body, headers } = await encoded(config, sanitized(toHeaderList(undefined, config.headers, method)));
  return {
    method,
    url,
    originalUrl: auth === undefined ? config.url : undefined,
    headers: framed(headers, body),
    body,
    auth:
      config.auth === undefined ? auth : { username: config.auth.username ?? '', password: config.auth.password ?? '' },
    wire: wireOptions(config),
    ...redirectRules(config, 'axios'),
  };
}

function urlOf(config: InternalAxiosRequestConfig): URL {
  const written = uriOf(config);
  // As axios: over a socket the path alone says enough.
  const url = config.socketPath ? new URL(written, 'http://localhost') : new URL(written);
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw new AxiosError(`Unsupported protocol ${url.protocol}`, AxiosError.ERR_BAD_REQUEST, config);
}

function uriOf(config: InternalAxiosRequestConfig): string {
  if (config.params === undefined && config.baseURL === undefined) return config.url ?? '';
  try {
    return builtUri(config);
  } catch (error) {
    const { url } = config;
    throw AxiosError.from(error, AxiosError.ERR_BAD_REQUEST, config, null, undefined, { url, exists: true });
  }
}

/** Characters that no header can hold, above all line breaks, are left out, as axios does it. */
function sanitized(headers: HeaderList): HeaderList {
  return headers.some(([, value]) => UNFIT.test(value))
    ? headers.map(([name, value]) => [name, value.replaceAll(EVERY_UNFIT, '').trim()] as const)
    : headers;
}

const UNFIT = /[^\t -~\u0080-\u00ff]|^[\t ]|[\t ]$/;
const EVERY_UNFIT = /[^\t -~\u0080-\u00ff]+/g;

async function encoded(
  config: InternalAxiosRequestConfig,
  headers: HeaderList,
): Promise<{ readonly body: OutboundRequest['body']; readonly headers: HeaderList }> {
  const data: unknown = config.data;
  // axios's adapter sends nothing for what is falsy after its transforms.
  if (!data) return { body: undefined, headers };
  if (typeof data === 'string' || data instanceof Uint8Array) return { body: data, headers };
  if (isAnyArrayBuffer(data)) return { body: new Uint8Array(data), headers };
  if (data instanceof FormData || data instanceof Blob) {
    const { body, contentType }: EncodedBody = await encodeBody(data, undefined, 'axios');
    const type = contentType ?? 'application/octet-stream';
    // Its own type, with the boundary, over the one that axios puts on every post.
    return {
      body,
      headers: data instanceof Blob && data.size === 0 ? headers : withHeader(headers, 'Content-Type', type),
    };
  }
  if (data instanceof Stream || data instanceof ReadableStream) {
    // First, since a form forgets its length as it is read.
    const withForm = await withFormHeaders(headers, data, config);
    const { body } = await encodeBody(data, undefined, 'axios');
    return { body, headers: withForm };
  }
  const message = 'Data after transformation must be a string, an ArrayBuffer, a Buffer, or a Stream';
  throw new AxiosError(message, AxiosError.ERR_BAD_REQUEST, config);
}

/** The package `form-data` is a stream that knows its boundary, and its length if it can be known. */
async function withFormHeaders(
  headers: HeaderList,
  data: Stream | ReadableStream,
  { formDataHeaderPolicy }: InternalAxiosRequestConfig,
): Promise<HeaderList> {
  if (!('getHeaders' in data) || typeof data.getHeaders !== 'function') return headers;
  let list = headers;
  for (const [name, value] of Object.entries(new AxiosHeaders(data.getHeaders()).toJSON(true))) {
    const isContent = /^content-(?:length|type)$/i.test(name);
    if (isContent || formDataHeaderPolicy !== 'content-only') list = withHeader(list, name, value);
  }
  if (header(list, 'content-length') !== undefined || !('getLength' in data)) return list;
  const length = await lengthOf(data as { getLength: (done: (error: unknown, length: number) => void) => void });
  return length === undefined ? list : withHeader(list, 'content-length', String(length));
}

function lengthOf(form: {
  getLength: (done: (error: unknown, length: number) => void) => void;
}): Promise<number | undefined> {
  return new Promise((resolve) => {
    form.getLength((error, length) => resolve(error || !Number.isFinite(length) ? undefined : length));
  });
}
