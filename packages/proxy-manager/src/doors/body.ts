import { PassThrough, Readable, Stream } from 'node:stream';
import { isAnyArrayBuffer } from 'node:util/types';
import type { OutboundRequest } from '../pipeline/exchange.js';
import { AxiosHeaders, wholeAxios } from './axios-core.js';

/** A body as the wire takes it, and the content type it has unless the caller states one. */
export interface EncodedBody {
  readonly body: OutboundRequest['body'];
  readonly contentType: string | undefined;
}

const JSON_TYPE = /[/+]json\b/i;
const FORM = 'application/x-www-form-urlencoded;charset=utf-8';

/**
 * Encodes what fetch takes as `body` and axios as `data`. Everything but a stream is read into memory, so that it can
 * be sent again. `words` tells whose default a bare string follows: fetch calls it text, axios a form.
 */
export function encodeBody(
  data: unknown,
  contentType: string | undefined,
  words: 'axios' | 'fetch',
): EncodedBody | Promise<EncodedBody> {
  if (data === null && words === 'axios' && JSON_TYPE.test(contentType ?? '')) return { body: 'null', contentType };
  if (data === undefined || data === null) return { body: undefined, contentType: undefined };
  if (typeof data === 'string') {
    if (words === 'fetch') return { body: data, contentType: 'text/plain;charset=UTF-8' };
    return { body: JSON_TYPE.test(contentType ?? '') ? jsonText(data) : data, contentType: FORM };
  }
  if (data instanceof Uint8Array) return { body: data, contentType: undefined };
  if (isAnyArrayBuffer(data)) return { body: new Uint8Array(data), contentType: undefined };
  if (ArrayBuffer.isView(data)) {
    return { body: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), contentType: undefined };
  }
  if (data instanceof URLSearchParams) return { body: data.toString(), contentType: FORM };
  if (data instanceof Stream) return { body: patient(data), contentType: formDataType(data) };
  if (data instanceof ReadableStream) return { body: patient(Readable.fromWeb(data)), contentType: undefined };
  if (data instanceof FormData || data instanceof Blob) return readBody(data);
  if (contentType === undefined || JSON_TYPE.test(contentType)) {
    return { body: JSON.stringify(data), contentType: 'application/json' };
  }
  if (/^multipart\//i.test(contentType)) return readBody(wholeAxios().toFormData(data, new FormData()) as FormData);
  return encodeBody(asAxiosDoes(data, contentType), undefined, 'axios');
}

/**
 * A stream may fail while the pool or the host's pace is waited for, when nobody reads it yet, and an error that nobody
 * listens to ends the process. Whoever reads it later meets the error all the same.
 */
function patient(stream: Stream): Readable {
  const readable = stream instanceof Readable ? stream : stream.pipe(new PassThrough());
  return readable.on('error', () => {});
}

/** As axios: text that is JSON goes as it is, other text as a JSON string. */
function jsonText(text: string): string {
  try {
    JSON.parse(text);
    return text.trim();
  } catch {
    return JSON.stringify(text);
  }
}

async function readBody(data: Blob | FormData): Promise<EncodedBody> {
  const encoded = new Response(data);
  const contentType = encoded.headers.get('content-type');
  return { body: new Uint8Array(await encoded.arrayBuffer()), contentType: contentType ?? undefined };
}

/** The package `form-data` is a stream that knows its own boundary. */
function formDataType(stream: Stream): string | undefined {
  if (!('getHeaders' in stream) || typeof stream.getHeaders !== 'function') return undefined;
  const headers: unknown = stream.getHeaders();
  const type: unknown = typeof headers === 'object' && headers !== null && Reflect.get(headers, 'content-type');
  return typeof type === 'string' ? type : undefined;
}

/** An object under a content type that is not JSON: axios knows forms and its own refusals. */
function asAxiosDoes(data: unknown, contentType: string): unknown {
  const headers = new AxiosHeaders({ 'content-type': contentType });
  return [wholeAxios().defaults.transformRequest ?? []]
    .flat()
    .reduce<unknown>((value, transform) => transform.call({ headers }, value, headers), data);
}
