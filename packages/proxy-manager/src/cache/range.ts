import type { HeaderList } from '../pipeline/headers.js';
import { header, withHeader } from '../pipeline/headers.js';
import { entityTag } from './validators.js';

/** A part of a stored body. */
export interface Part {
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/**
 * The one range of bytes that the request asks for, or undefined where the origin has to say: of several ranges, of
 * other units, of what lies outside, and of bytes that we hold in another coding than it has (RFC 9110 §14).
 */
export function partOf(
  request: HeaderList,
  stored: { readonly headers: HeaderList; readonly body: Uint8Array },
): Part | undefined {
  const { headers, body } = stored;
  const length = body.byteLength;
  // Decoded bytes have lost their length: ranges of the coded ones are not ours to cut.
  if (header(headers, 'content-encoding') !== undefined || header(headers, 'content-length') !== String(length)) {
    return undefined;
  }
  if (!isUnchanged(header(request, 'if-range'), headers)) return undefined;
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header(request, 'range')?.trim() ?? '') ?? [];
  if (from === '' && (to === '' || Number(to) === 0)) return undefined;
  const first = from === '' ? Math.max(0, length - Number(to)) : Number(from);
  const last = from === '' || to === '' ? length - 1 : Math.min(Number(to), length - 1);
  if (first > last) return undefined;
  const part = body.subarray(first, last + 1);
  const range = `bytes ${first}-${last}/${length}`;
  return {
    headers: withHeader(withHeader(headers, 'content-length', String(part.byteLength)), 'content-range', range),
    body: part,
  };
}

/** `If-Range` (RFC 9110 §13.1.5): a strong entity tag, or the date of the last modification to the letter. */
function isUnchanged(condition: string | undefined, headers: HeaderList): boolean {
  if (condition === undefined) return true;
  const wanted = condition.trim();
  if (wanted.startsWith('W/')) return false;
  return wanted === (wanted.startsWith('"') ? entityTag(headers) : header(headers, 'last-modified')?.trim());
}
