import { bareError, ConfigError } from '../errors.js';
import { TransportFault, type FaultPhase, type ReceivedHead } from './fault.js';

/** undici's own codes in the words that axios and Node use; what is not listed keeps its code. */
const codes: Readonly<Record<string, string>> = {
  HPE_INVALID_EOF_STATE: 'ECONNRESET',
  UND_ERR_BODY_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_HEADERS_OVERFLOW: 'HPE_HEADER_OVERFLOW',
  UND_ERR_HEADERS_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_INFO: 'ECONNRESET',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'ERR_BAD_REQUEST',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'ECONNRESET',
  UND_ERR_SOCKET: 'ECONNRESET',
};

const phrases: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'could not be looked up, the name server did not answer',
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'closed the connection',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ENOTFOUND: 'has no address',
  EPIPE: 'closed the connection',
  ERR_BAD_REQUEST: 'was sent a body that is not as long as content-length says',
  ERR_BAD_RESPONSE: 'sent what is not HTTP',
  ETIMEDOUT: 'did not answer in time',
  HPE_HEADER_OVERFLOW: 'sent more headers than fit',
};

/** OpenSSL's names for what is wrong with a certificate, and Node's own. */
const ofTls = /CERT|EPROTO|SIGNATURE|SSL|TLS/;

/** What undici refuses before it writes a byte: an argument of the caller is wrong, not the network. */
const refused: ReadonlySet<string> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

/** The code of a system, TLS, parser or undici error; `ERR_NETWORK`, as in axios, where it has none. */
export function faultCode(error: unknown): string {
  // undici's parser has lost its codes; its reasons are llhttp's own words.
  if (error instanceof Error && error.name === 'HTTPParserError' && !('code' in error && error.code)) {
    return error.message.includes('EOF') ? 'ECONNRESET' : 'ERR_BAD_RESPONSE';
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_NETWORK';
  return codes[code] ?? code;
}

/** Node's code for what the system, or a peer that hung up, did to the socket. */
const ofSocket = /^E[A-Z]{3,}$/;

/**
 * An error from after the sending as a cause. Its fields can carry bytes of the reply, and a reply can echo a key: only
 * code and words of a broken connection are kept, which are Node's and undici's own, and of a parser's nothing.
 */
export function bareCause(error: unknown): Error | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code in codes || ofSocket.test(code) ? bareError(error) : undefined;
}

/**
 * A fault that says who (`subject`: a proxy's id, or method and origin) did what.
 *
 * The message never holds the url's path or query.
 */
export function networkFault(
  error: unknown,
  subject: string,
  where: { readonly phase: FaultPhase; readonly sent: boolean; readonly received?: ReceivedHead | undefined },
): ConfigError | TransportFault {
  if (error instanceof TransportFault) {
    // A first hop that went out stays sent, however far the second one came.
    if (error.sent === where.sent || !where.sent) return error;
    return new TransportFault(error.code, error.message, { phase: error.phase, sent: true }, { cause: error.cause });
  }
  const code = faultCode(error);
  if (refused.has(code) && error instanceof Error) return new ConfigError(subject, [error.message], { cause: error });
  const phrase = phrases[code] ?? (ofTls.test(code) ? 'failed in the TLS handshake' : 'failed');
  const message = `${subject} ${phrase} (${code})`;
  const cause = where.sent ? bareCause(error) : error;
  return new TransportFault(code, message, where, cause === undefined ? undefined : { cause });
}
