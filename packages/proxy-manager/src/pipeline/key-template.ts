import type { HeaderList } from './headers.js';
import { header } from './headers.js';
import type { OutboundRequest } from './exchange.js';

/** What stands for the key in urls, headers and bodies until it goes onto the wire. */
export const PLACEHOLDER = '{key}';

/** The placeholder as written, and as `URL` writes it in a path and `URLSearchParams` everywhere. */
const ENCODED_PLACEHOLDER = /\{key\}|%7[Bb]key%7[Dd]/g;

type Body = OutboundRequest['body'];

/** How text is written inside a body of this content type, or undefined where a body is not text. */
function escapeFor(contentType: string | undefined): ((text: string) => string) | undefined {
  if (contentType === undefined || /^text\/|^multipart\/|[/+]xml\b|\bgraphql\b/i.test(contentType))
    return (text) => text;
  if (/[/+]json\b/i.test(contentType)) return (text) => JSON.stringify(text).slice(1, -1);
  if (/x-www-form-urlencoded/i.test(contentType)) return encodeURIComponent;
  return undefined;
}

/** True where the caller placed the key somewhere in the request. */
export function placesKey(request: OutboundRequest): boolean {
  const { username, password } = request.auth ?? { username: '', password: '' };
  return (
    isTemplateUrl(request.url) ||
    request.headers.some(([, value]) => value.includes(PLACEHOLDER)) ||
    username.includes(PLACEHOLDER) ||
    password.includes(PLACEHOLDER) ||
    isTemplateBody(request.body, request.headers)
  );
}

function isTemplateUrl(url: URL): boolean {
  return url.href.search(ENCODED_PLACEHOLDER) !== -1;
}

function isTemplateBody(body: Body, headers: HeaderList): boolean {
  const text = latin1(body);
  if (text === undefined) return false;
  const contentType = header(headers, 'content-type');
  return text.search(placeholderIn(contentType)) !== -1 && escapeFor(contentType) !== undefined;
}

/** Only forms percent-encode their text: elsewhere `%7Bkey%7D` is what it is. */
function placeholderIn(contentType: string | undefined): RegExp {
  return /x-www-form-urlencoded/i.test(contentType ?? '') ? ENCODED_PLACEHOLDER : /\{key\}/g;
}

/** Bodies are searched byte by byte as latin1, so that the bytes around a key stay what they are in every encoding. */
function latin1(body: Body): string | undefined {
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array
    ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
    : undefined;
}

function sameKind(text: string, body: Body): string | Uint8Array {
  return typeof body === 'string' ? text : Buffer.from(text, 'latin1');
}

/** `{key}` in the text replaced by the key. A function replaces, since a key may hold `$&`. */
export function fillText(template: string, key: string): string {
  if (template === PLACEHOLDER) return key;
  return template.replaceAll(PLACEHOLDER, () => key);
}

/** The url with its placeholders filled in, percent-encoded. */
export function fillUrl(url: URL, key: string): URL {
  return isTemplateUrl(url) ? new URL(url.href.replace(ENCODED_PLACEHOLDER, () => encodeURIComponent(key))) : url;
}

/** The body with its placeholders filled in, escaped as its content type wants. */
export function fillBody(body: Body, headers: HeaderList, key: string): Body {
  if (!isTemplateBody(body, headers)) return body;
  const contentType = header(headers, 'content-type');
  const escape = escapeFor(contentType);
  const text = latin1(body);
  if (escape === undefined || text === undefined) return body;
  const escaped = escape(key);
  const written = typeof body === 'string' ? escaped : Buffer.from(escaped).toString('latin1');
  return sameKind(
    text.replace(placeholderIn(contentType), () => written),
    body,
  );
}
