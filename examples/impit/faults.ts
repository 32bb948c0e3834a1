import { ConfigError, TransportFault } from 'proxy-manager';
import type { FaultPhase, ReceivedHead, WireRequest } from 'proxy-manager';

interface Told {
  readonly code: string;
  readonly phase: FaultPhase;
  /** False where surely nothing of the request went out. */
  readonly sent: boolean;
}

/** What impit's error says, by its class and by what Rust's own error, which is its text, names. */
const SIGNS: readonly (readonly [name: string, text: RegExp, told: Told])[] = [
  ['ConnectError', /SocksConnect\(\s*V5\(\s*Auth/, before('ERR_PROXY_AUTH_REQUESTED', 'proxy')],
  ['ConnectError', /SocksConnect\(\s*(?:V5|Io|Parsing)/, before('ERR_PROXY_TUNNEL', 'tunnel')],
  ['ConnectError', /Tunnel/, before('ERR_PROXY_TUNNEL', 'tunnel')],
  ['ConnectError', /ConnectionRefused/, before('ECONNREFUSED', 'proxy')],
  ['ConnectError', /dns error/, before('ENOTFOUND', 'proxy')],
  ['ConnectError', /(?:Host|Network)Unreachable/, before('EHOSTUNREACH', 'proxy')],
  ['ConnectError', /TimedOut/, before('ETIMEDOUT', 'proxy')],
  ['ConnectError', /ConnectionReset|UnexpectedEof/, before('ECONNRESET', 'connect')],
  ['ConnectError', /Invalid|Alert/, before('EPROTO', 'connect')],
  ['ConnectError', /(?:)/, before('ERR_NETWORK', 'connect')],
  ['ConnectTimeout', /(?:)/, before('ETIMEDOUT', 'proxy')],
  ['ProxyAuthRequired', /(?:)/, before('ERR_PROXY_AUTH_REQUESTED', 'proxy')],
  ['ProxyTunnelError', /(?:)/, before('ERR_PROXY_TUNNEL', 'tunnel')],
  ['ProxyError', /(?:)/, before('ERR_PROXY_TUNNEL', 'tunnel')],
  ['TimeoutError', /(?:)/, after('ETIMEDOUT')],
  ['RemoteProtocolError', /(?:)/, after('ECONNRESET')],
  ['HTTPError', /ConnectionReset|BrokenPipe|IncompleteMessage/, after('ECONNRESET')],
  ['HTTPError', /Parse\(/, after('ERR_BAD_RESPONSE')],
];

function before(code: string, phase: FaultPhase): Told {
  return { code, phase, sent: false };
}

function after(code: string): Told {
  return { code, phase: 'request', sent: true };
}

/** Whether an error of impit's leaves it certain that no byte of the request went out. */
export function neverSent(error: unknown): boolean {
  return error instanceof Error && (error.name === 'LocalProtocolError' || !told(error).sent);
}

/**
 * impit's error in the words of the contract. Its text is only searched, and it is never the cause: it holds the url and
 * the proxy's address, and these a key and a password.
 */
export function faultOf(error: unknown, request: WireRequest, sent: boolean): ConfigError | TransportFault {
  if (error instanceof TransportFault) return error;
  const subject = subjectOf(request);
  if (error instanceof Error && error.name === 'LocalProtocolError') {
    return new ConfigError(subject, ['a header field that HTTP does not allow']);
  }
  const { code, phase } = told(error);
  const { proxy } = request;
  if (proxy === undefined) {
    return new TransportFault(code, `${subject} failed (${code})`, {
      phase: phase === 'proxy' ? 'connect' : phase,
      sent,
    });
  }
  // Asked for an http url itself, it is the proxy who hangs up or talks rubbish; a silence may be anybody's.
  const isAsked = phase === 'request' && code !== 'ETIMEDOUT' && asksProxy(request);
  const where = isAsked ? 'tunnel' : phase;
  const who = where === 'proxy' || where === 'tunnel' ? `proxy ${proxy.id}` : subject;
  return new TransportFault(code, `${who} failed (${code})`, { phase: where, sent });
}

/** A reply's body broke off, or is not coded as its head says. */
export function bodyFault(error: unknown, request: WireRequest, received: ReceivedHead | undefined): TransportFault {
  const text = error instanceof Error ? error.message : '';
  const code = /TimedOut/.test(text) ? 'ETIMEDOUT' : /hyper::Error/.test(text) ? 'ECONNRESET' : 'ERR_BAD_RESPONSE';
  const message = `${subjectOf(request)} sent a body that did not come whole (${code})`;
  return new TransportFault(code, message, { phase: 'response', sent: true, received });
}

/** How messages name an exchange: never with its path or query, which can hold a key. */
export function subjectOf({ method, url }: WireRequest): string {
  return `${method} ${url.origin}`;
}

/** An http proxy is asked for the whole of an http url, and may answer itself; else it opens a tunnel and is out of it. */
export function asksProxy({ proxy, url }: WireRequest): boolean {
  return proxy !== undefined && proxy.protocol !== 'socks5' && url.protocol === 'http:';
}

function told(error: unknown): Told {
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  return SIGNS.find(([kind, text]) => kind === name && text.test(message))?.[2] ?? after('ERR_NETWORK');
}
