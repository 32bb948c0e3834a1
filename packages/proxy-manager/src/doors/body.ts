import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { isAnyArrayBuffer } from 'node:util/types';
import axios, { AxiosHeaders } from 'axios';
import type { OutboundRequest } from '../pipeline/exchange.js';

/** A body as the wire takes it, and the content type it has unless the caller states one. */
export interface EncodedBody {
  readonly body: OutboundRequest['body'];
  readonly contentType: string | undefined;
}

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
  if (data === undefined || data === null) return { body: undefined, contentType: undefined };
  if (typeof data === 'string')
    return { body: data, contentType: words === 'fetch' ? 'text/plain;charset=UTF-8' : FORM };
  if (data instanceof Uint8Array) return { body: data, contentType: undefined };
  if (isAnyArrayBuffer(data)) return { body: new Uint8Array(data), contentType: undefined };
  if (ArrayBuffer.isView(data)) {
    return { body: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), contentType: undefined };
  }
  if (data instanceof URLSearchParams) return { body: data.toString(), contentType: FORM };
  if (data instanceof Readable) return { body: data, contentType: formDataType(data) };
  if (data instanceof ReadableStream) return { body: Readable.fromWeb(data), contentType: undefined };
  if (data instanceof FormData || data instanceof Blob) return readBody(data);
  if (contentType === undefined || /[/+]json\b/i.test(contentType)) {
    return { body: JSON.stringify(data), contentType: 'application/json' };
  }
  return encodeBody(asAxiosDoes(data, contentType), undefined, 'axios');
}

async function readBody(data: Blob | FormData): Promise<EncodedBody> {
  const encoded = new Response(data);
  const contentType = encoded.headers.get('content-type');
  return { body: new Uint8Array(await encoded.arrayBuffer()), contentType: contentType ?? undefined };
}

/** The package `form-data` is a stream that knows its own boundary. */
function formDataType(stream: Readable): string | undefined {
  if (!('getHeaders' in stream) || typeof stream.getHeaders !== 'function') return undefined;
  const headers: unknown = stream.getHeaders();
  const type: unknown = typeof headers === 'object' && headers !== null && Reflect.get(headers, 'content-type');
  return typeof type === 'string' ? type : undefined;
}

/** An object under a content type that is not JSON: axios knows forms, multipart and its own refusals. */
function asAxiosDoes(data: unknown, contentType: string): unknown {
  const headers = new AxiosHeaders({ 'content-type': contentType });
  return [axios.defaults.transformRequest ?? []]
    .flat()
    .reduce<unknown>((value, transform) => transform.call({ headers }, value, headers), data);
}
