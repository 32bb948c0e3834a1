import type { HeaderList } from './headers.js';
import { header } from './headers.js';
import type { OutboundRequest } from './exchange.js';

/** What stands for the key in urls, headers and bodies until it goes onto the wire. */
export const PLACEHOLDER = '{key}';

/** The placeholder as `URL` writes it in a path, and as `URLSearchParams` writes it. */
const ENCODED_PLACEHOLDER = /\{key\}|%7Bkey%7D/gi;

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
  return (
    text !== undefined &&
    text.search(ENCODED_PLACEHOLDER) !== -1 &&
    escapeFor(header(headers, 'content-type')) !== undefined
  );
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
  return template.replaceAll(PLACEHOLDER, () => key);
}

/** The url with its placeholders filled in, percent-encoded. */
export function fillUrl(url: URL, key: string): URL {
  return isTemplateUrl(url) ? new URL(url.href.replace(ENCODED_PLACEHOLDER, () => encodeURIComponent(key))) : url;
}

/** The body with its placeholders filled in, escaped as its content type wants. */
export function fillBody(body: Body, headers: HeaderList, key: string): Body {
  if (!isTemplateBody(body, headers)) return body;
  const escape = escapeFor(header(headers, 'content-type'));
  const text = latin1(body);
  if (escape === undefined || text === undefined) return body;
  const written = asIn(body, escape(key));
  return sameKind(
    text.replace(ENCODED_PLACEHOLDER, () => written),
    body,
  );
}

/** The text as it stands among the characters of `latin1(body)`. */
function asIn(body: Body, text: string): string {
  return typeof body === 'string' ? text : Buffer.from(text).toString('latin1');
}

/**
 * The reverse of filling: a key that the caller put in by hand becomes the placeholder again, so that cache key, log
 * and errors never see it. The origin of the url is left alone: a host is no place for a key.
 */
export function conceal(request: OutboundRequest, key: string): OutboundRequest {
  const { url, headers, body, auth } = request;
  const text = latin1(body);
  const escape = escapeFor(header(headers, 'content-type'));
  return {
    ...request,
    url: new URL(url.origin + hide(hide(url.href.slice(url.origin.length), encodeURIComponent(key)), key)),
    headers: headers.map(([name, value]) => [name, hide(value, key)] as const),
    // Only the form that filling writes is hidden: half of an escape sequence taken away would break the body.
    body: text === undefined || escape === undefined ? body : sameKind(hide(text, asIn(body, escape(key))), body),
    auth: auth && { username: hide(auth.username, key), password: hide(auth.password, key) },
  };
}

function hide(text: string, form: string): string {
  return text.replaceAll(form, PLACEHOLDER);
}
