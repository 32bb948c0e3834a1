import type { Attempt, Exchange, Reply } from '../pipeline/exchange.js';
import { header } from '../pipeline/headers.js';
import type { Outcome } from './exchange-line.js';
import { andJson, andNumber, andObject, andText, numeral } from './json-text.js';
import { publicUrl } from './public-url.js';
import { bodyText, headerFields, hidingOwn } from './record-content.js';
import type { BodyPolicy, RecordPolicy } from './record-policy.js';
import { wantsBodies } from './record-policy.js';

const NOTHING_MORE: RecordPolicy = { headers: undefined, bodies: undefined };

/** What of an exchange may be shown, and with what hidden. */
interface Shown {
  readonly headers: RecordPolicy['headers'];
  /** Undefined: no body is wanted. */
  readonly bodies: BodyPolicy | undefined;
  readonly hide: (text: string) => string;
}

/** ECS `http.*`. */
export function andHttp(exchange: Exchange, outcome: Outcome, attempt: Attempt | undefined): string {
  const { reply } = outcome;
  const shown = shownOf(exchange, reply, attempt);
  let text = `,"http":{"request":{${askedMembers(exchange, attempt, shown)}}`;
  if (reply === undefined) return `${text}}`;
  text += `,"response":{${answeredMembers(reply, outcome, attempt, shown)}}`;
  if (attempt !== undefined && reply.httpVersion !== '') text += andText('version', reply.httpVersion);
  return `${text}}`;
}

function shownOf({ request, policy }: Exchange, reply: Reply | undefined, attempt: Attempt | undefined): Shown {
  const { headers, bodies } = policy.record ?? NOTHING_MORE;
  if (headers === undefined && bodies === undefined) return NOTHING_SHOWN;
  // What the cache gives stands in the log already, with the reply that it was.
  const isWanted = attempt !== undefined && bodies !== undefined && wantsBodies(bodies, reply?.status);
  return {
    headers,
    bodies: isWanted ? bodies : undefined,
    hide: hidingOwn(request.headers, attempt?.hide ?? asItIs),
  };
}

const NOTHING_SHOWN: Shown = { headers: undefined, bodies: undefined, hide: asItIs };

function asItIs(text: string): string {
  return text;
}

function askedMembers({ id, request }: Exchange, attempt: Attempt | undefined, shown: Shown): string {
  const type = mimeType(header(request.headers, 'content-type'));
  // A key that the caller wrote there by hand need not be one that this attempt knows.
  const isOpen = request.asWritten?.bodyHoldsSecret !== true;
  const referrer = header(request.headers, 'referer');
  let text = `"id":"${id}"${andText('method', request.method)}`;
  if (attempt !== undefined && attempt.bytesSent > 0) text += `,"bytes":${attempt.bytesSent}`;
  text += andObject('body', bodyMembers(request.body, type, isOpen ? shown : NOTHING_SHOWN));
  text += andText('mime_type', type);
  text += andText('referrer', referrer === undefined ? undefined : publicUrl(referrer));
  return text + andHeaders(request.headers, shown);
}

function answeredMembers(reply: Reply, outcome: Outcome, attempt: Attempt | undefined, shown: Shown): string {
  const type = mimeType(header(reply.headers, 'content-type'));
  let text = `"status_code":${numeral(reply.status)}`;
  if (attempt !== undefined && attempt.bytesReceived > 0) text += `,"bytes":${attempt.bytesReceived}`;
  text += andText('mime_type', type);
  text += andObject('body', answeredBody(reply, outcome, type, shown));
  return text + andHeaders(reply.headers, shown);
}

function answeredBody(reply: Reply, outcome: Outcome, type: string | undefined, shown: Shown): string {
  const { bodyBytes, bodyStart } = outcome.reply === undefined ? NO_BODY : outcome;
  const isDecoded = shown.bodies === undefined || header(reply.headers, 'content-encoding') === undefined;
  const body = reply.body instanceof Uint8Array ? reply.body : bodyStart;
  return bodyMembers(body, type, isDecoded ? shown : NOTHING_SHOWN, bodyBytes);
}

const NO_BODY = { bodyBytes: undefined, bodyStart: undefined };

/** `bytes`: how long the whole is, where the body is but its beginning. */
function bodyMembers(
  body: Exchange['request']['body'],
  type: string | undefined,
  shown: Shown,
  bytes?: number,
): string {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return andNumber('bytes', bytes);
  const members = andNumber('bytes', bytes ?? (typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength));
  if (shown.bodies === undefined) return members;
  return members + andText('content', bodyText(body, type, shown.bodies.maxBytes, shown.hide));
}

function andHeaders(list: Exchange['request']['headers'], { headers, hide }: Shown): string {
  return headers === undefined ? '' : andJson('headers', headerFields(list, headers, hide));
}

function mimeType(contentType: string | undefined): string | undefined {
  if (contentType === undefined) return undefined;
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase() || undefined;
}
