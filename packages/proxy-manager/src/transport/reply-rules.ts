import type { HeaderList } from '../pipeline/headers.js';
import { TransportFault, type ReceivedHead } from './fault.js';
import { faultCode } from './network-fault.js';
import type { WireRequest } from './transport.js';

const decoded: ReadonlySet<string> = new Set(['content-encoding', 'content-length']);

/** How messages name an exchange: never with its path or query, which can hold a key. */
export function subjectOf({ method, url }: WireRequest): string {
  return `${method} ${url.origin}`;
}

/** Replies that end with their head (RFC 9112 §6.3), whatever their headers say. */
export function hasNoBody(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/** The headers of a body that was decoded: its coding and coded length are gone. */
export function decodedHeaders(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !decoded.has(name));
}

/** The body is longer than `maxResponseBytes`, in axios's words. */
export function tooLargeFault(request: WireRequest): TransportFault {
  const message = `${subjectOf(request)}: maxContentLength size of ${request.options.maxResponseBytes} exceeded`;
  return new TransportFault('ERR_BAD_RESPONSE', message, { phase: 'response', sent: true });
}

/** Heads that only inform (RFC 9110 §15.2) come and come, each of which ends the wait for the real one. */
export function neverAnswersFault(request: WireRequest): TransportFault {
  const message = `${subjectOf(request)} informs without end, and does not answer (ERR_BAD_RESPONSE)`;
  return new TransportFault('ERR_BAD_RESPONSE', message, { phase: 'request', sent: true });
}

/** The body, waited for whole, trickles in. */
export function tooSlowFault(request: WireRequest): TransportFault {
  const message = `${subjectOf(request)} sends less than 1 kB a second (ETIMEDOUT)`;
  return new TransportFault('ETIMEDOUT', message, { phase: 'response', sent: true });
}

/** The body could not be decoded. */
export function decodeFault(request: WireRequest, error: unknown, received?: ReceivedHead): TransportFault {
  const code = faultCode(error);
  const message = `${subjectOf(request)} sent a body that is not what its content-encoding says (${code})`;
  return new TransportFault(code, message, { phase: 'response', sent: true, received });
}

/** A proxy that was asked without a tunnel, or by axios, wants another password. */
export function passwordFault(proxyId: string, sent: boolean): TransportFault {
  const code = 'ERR_PROXY_AUTH_REQUESTED';
  return new TransportFault(code, `proxy ${proxyId} answered with status 407 (${code})`, { phase: 'proxy', sent });
}
