import type { OutgoingHttpHeaders } from 'node:http2';
import type { Dispatch } from './carrier.js';
import type { Route } from './route.js';

/** What belongs to one connection has no place in HTTP/2 (RFC 9113 §8.2.2). */
const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Methods whose missing body is told (RFC 9110 §8.6). */
const EXPECTS_BODY: ReadonlySet<string> = new Set(['PATCH', 'POST', 'PUT']);

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\da-z]+$/i;
/** What would end the field, where somebody passes it on by HTTP/1.1 (RFC 9113 §10.3). */
const UNFIT = /[^\t -~\u0080-\u00FF]/;

/** Node's HTTP/2 sends it as it is. By the code that undici has for what it refuses by HTTP/1.1. */
class InvalidArgument extends Error {
  readonly code = 'UND_ERR_INVALID_ARG';
}

/** The fields of one request. Throws where one of them, or the method, is none; without its value, which may hold a key. */
export function http2Headers({ body, headers, method, path }: Dispatch, { origin }: Route): OutgoingHttpHeaders {
  if (!TOKEN.test(method)) throw new InvalidArgument('invalid request method');
  const fields: Record<string, string | string[]> = {
    ':method': method,
    ':scheme': 'https',
    ':authority': origin.slice(origin.indexOf('//') + 2),
    ':path': path,
  };
  if (typeof body === 'string' || body instanceof Uint8Array)
    fields['content-length'] = String(Buffer.byteLength(body));
  else if (body === null && EXPECTS_BODY.has(method)) fields['content-length'] = '0';
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = String(headers[index]).toLowerCase();
    const value = String(headers[index + 1]);
    if (!TOKEN.test(name)) throw new InvalidArgument('invalid header key');
    if (UNFIT.test(value)) throw new InvalidArgument(`invalid ${name} header`);
    if (name === 'host') fields[':authority'] = value;
    else if (!DROPPED.has(name)) {
      const before = fields[name];
      fields[name] = before === undefined ? value : [before, value].flat();
    }
  }
  return fields;
}
