import type { Readable } from 'node:stream';
import type { AxiosRequestConfig } from 'axios';

/** The body of a reply as `responseType` and `responseEncoding` want it, before any parsing. */
export function axiosBody(
  body: Readable | Uint8Array,
  { responseType, responseEncoding }: Pick<AxiosRequestConfig, 'responseEncoding' | 'responseType'>,
): Buffer | Readable | string {
  if (!(body instanceof Uint8Array)) return body;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (responseType === 'arraybuffer') return bytes;
  const text = bytes.toString((responseEncoding ?? 'utf8') as BufferEncoding);
  const isUtf8 = responseEncoding === undefined || /^utf-?8$/i.test(responseEncoding);
  return isUtf8 && text.startsWith('\uFEFF') ? text.slice(1) : text;
}
