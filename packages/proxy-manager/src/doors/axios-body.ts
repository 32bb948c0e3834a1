import type { Readable } from 'node:stream';
import type { AxiosRequestConfig } from 'axios';
import type { Reply } from '../pipeline/exchange.js';
import { ownBytes, viewOf } from './own-bytes.js';

/** The body of a reply as `responseType` and `responseEncoding` want it, before any parsing. */
export function axiosBody(
  reply: Pick<Reply, 'body' | 'isShared'>,
  { responseType, responseEncoding }: Pick<AxiosRequestConfig, 'responseEncoding' | 'responseType'>,
): Buffer | Readable | string {
  const { body } = reply;
  if (!(body instanceof Uint8Array)) return body;
  if (responseType === 'arraybuffer') return ownBytes(body, reply);
  const text = viewOf(body).toString((responseEncoding ?? 'utf8') as BufferEncoding);
  const isUtf8 = responseEncoding === undefined || /^utf-?8$/i.test(responseEncoding);
  return isUtf8 && text.startsWith('\uFEFF') ? text.slice(1) : text;
}
