import { ClosedError, ConfigError } from '../errors.js';
import { axiosConfig } from './axios-config.js';
import { TransportFault, type ReceivedHead } from './fault.js';
import { bareCause, faultCode, networkFault } from './network-fault.js';
import { ObservedRequest, type NodeTransport } from './observed-request.js';
import { followRedirects } from './redirects.js';
import { replyOf } from './axios-reply.js';
import { passwordFault, subjectOf } from './reply-rules.js';
import { authority, routeTo } from './route.js';
import type { Transport, WireObservation, WireReply, WireRequest } from './transport.js';

export interface AxiosHttpTransportOptions {
  /**
   * Bound of connecting, to the proxy and through it, in ms; a wait for a free socket of the agent is no part of it.
   * @default 30_000
   */
  readonly connectMs?: number;
}

/** What only the proxy's own address can be the reason of. */
const UNREACHED: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
]);

/** The transport over axios's own http adapter, for the options that nobody else knows (`httpAgent`, `socketPath`, …). */
export function axiosHttpTransport({ connectMs = 30_000 }: AxiosHttpTransportOptions = {}): Transport {
  const inFlight = new Set<AbortController>();
  let closed = false;

  const sendOnce = async (request: WireRequest, observation: WireObservation): Promise<WireReply> => {
    const { default: axios } = await import('axios');
    if (closed) throw new ClosedError('ProxyManager');
    request.signal.throwIfAborted();
    const { axios: given = {} } = request.options;
    const stop = new AbortController();
    let tooLong: NodeJS.Timeout | undefined;
    const limitConnecting = (): void => {
      clearTimeout(tooLong);
      tooLong = setTimeout(() => {
        // To wait for a free socket of the caller's agent is not to connect, and takes as long as its other requests do.
        if (observed.state === 'queued') limitConnecting();
        else if (observed.state === 'connecting')
          stop.abort(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }));
      }, connectMs);
    };
    const observed = new ObservedRequest(observation, given.transport as NodeTransport | undefined, limitConnecting);
    const sentBefore = observation.sent;
    const config = axiosConfig(axios, request, sentBefore, observed.transport, stop.signal);
    // axios speaks HTTP/2 past every `transport`, so that nothing of it can be observed.
    if (Number(given.httpVersion) === 2) observed.assumeSent();

    const onAbort = (): void => stop.abort(request.signal.reason);
    request.signal.addEventListener('abort', onAbort);
    inFlight.add(stop);
    limitConnecting();
    const end = (): void => {
      if (!inFlight.delete(stop)) return;
      clearTimeout(tooLong);
      request.signal.removeEventListener('abort', onAbort);
      observed.end();
    };
    // axios's errors hold its config and request, and these the keys: only their code goes on.
    const translate = (error: unknown, phase: 'request' | 'response', received?: ReceivedHead): unknown => {
      if (error instanceof TransportFault || error instanceof ConfigError) return error;
      const cause: unknown = stop.signal.aborted ? stop.signal.reason : error;
      if (request.signal.aborted || cause instanceof ClosedError) return cause;
      return translated(cause, request, observation, phase, received);
    };

    try {
      const response = await axios.getAdapter('http')(config);
      if (request.proxy && (observed.tunnelRefused || response.status === 407)) {
        response.data.on('error', () => {}).destroy();
        // The proxy refused the request, so no origin has seen it; one that has is at the other end of a tunnel.
        if (request.url.protocol === 'http:') observation.sent = sentBefore;
        throw proxyRefusal(request, request.proxy.id, response.status, observation.sent);
      }
      return await replyOf(response, request, translate, end);
    } catch (error) {
      end();
      throw translate(error, 'request');
    }
  };

  return {
    send: (request, observation) => followRedirects(request, observation, sendOnce),
    async close() {
      closed = true;
      for (const stop of inFlight) stop.abort(new ClosedError('ProxyManager'));
    },
  };
}

function proxyRefusal({ url }: WireRequest, proxyId: string, status: number, sent: boolean): TransportFault {
  if (status === 407) return passwordFault(proxyId, sent);
  const code = 'ERR_PROXY_TUNNEL';
  const target = authority(routeTo(url, undefined));
  const message = `proxy ${proxyId}, asked for a tunnel to ${target}, answered with status ${status} (${code})`;
  return new TransportFault(code, message, { phase: 'tunnel', sent });
}

function translated(
  error: unknown,
  request: WireRequest,
  { sent }: WireObservation,
  furthest: 'request' | 'response',
  received: ReceivedHead | undefined,
): ConfigError | TransportFault {
  const { proxy } = request;
  // Of an option axios says best itself what is wrong with it.
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_BAD_OPTION')) {
    return new TransportFault(String(error.code), error.message, { phase: 'connect', sent });
  }
  // Whoever does not answer before anything was sent is the proxy, where there is one; axios does not tell more.
  const failed = bare(error);
  const behind = proxy && !UNREACHED.has(faultCode(failed)) ? 'tunnel' : 'proxy';
  const phase = furthest === 'response' ? furthest : sent ? 'request' : proxy ? behind : 'connect';
  const subject = proxy && phase === behind ? `proxy ${proxy.id}` : subjectOf(request);
  return networkFault(failed, subject, { phase, sent, received });
}

/** The error without what axios hangs on it. */
function bare(error: unknown): Error {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  const cause = bareCause(error);
  if (cause !== undefined) return cause;
  return Object.assign(
    new Error(error instanceof Error ? error.name : 'failed'),
    typeof code === 'string' ? { code } : {},
  );
}
