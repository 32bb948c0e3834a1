import { Impit } from 'impit';
import type { Browser, ImpitResponse } from 'impit';
import { Readable } from 'node:stream';
import { ClosedError, followRedirects, TransportFault } from 'proxy-manager';
import type { ProxyCredential, Transport, WireObservation, WireReply, WireRequest } from 'proxy-manager';
import { receivedBody, sentBody, whole } from './bodies.js';
import { asksProxy, bodyFault, faultOf, neverSent, subjectOf } from './faults.js';
import { methodOf, receivedHeaders, sentHeaders } from './head.js';

/** Each keeps connections of its own. */
const CLIENTS = 100;

export interface ImpitTransportOptions {
  /** Whose TLS and headers are sent. */
  readonly browser: Browser;
  /**
   * Bound of one exchange from connecting to the last byte, in ms: impit has none for less.
   * @default 300_000
   */
  readonly totalMs?: number;
}

/** Sends by impit, which looks like a browser to whoever checks TLS, HTTP/2 and the header fields. */
export function impitTransport({ browser, totalMs = 300_000 }: ImpitTransportOptions): Transport {
  const clients = new Map<string, Impit>();
  const inFlight = new Set<AbortController>();
  let closed = false;

  /** One client per proxy, since impit knows a proxy per client; the one unused for longest goes. */
  const clientFor = (proxy: ProxyCredential | undefined): Impit => {
    const key = proxy === undefined ? '' : `${proxy.protocol}://${proxy.hostname}:${proxy.port} ${proxy.id}`;
    const client =
      clients.get(key) ?? new Impit({ browser, timeout: totalMs, ...(proxy ? { proxyUrl: urlOf(proxy) } : {}) });
    clients.delete(key);
    clients.set(key, client);
    const [oldest] = clients.keys();
    if (clients.size > CLIENTS && oldest !== undefined) clients.delete(oldest);
    return client;
  };

  const sendOnce = async (request: WireRequest, observation: WireObservation): Promise<WireReply> => {
    if (closed) throw new ClosedError('ProxyManager');
    const { body, options, signal, url } = request;
    signal.throwIfAborted();
    const method = methodOf(request);
    const sentBefore = observation.sent;
    const stop = new AbortController();
    let bodyError: unknown;
    const upload = sentBody(request, {
      sent: sentBefore,
      bytes: (count) => (observation.bytesSent += count),
      failed: (error) => (bodyError = error),
    });

    const onAbort = (): void => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    inFlight.add(stop);
    const tooLate = setTimeout(() => stop.abort(silence(request)), options.headersMs ?? totalMs);
    const end = (): void => {
      clearTimeout(tooLate);
      signal.removeEventListener('abort', onAbort);
      inFlight.delete(stop);
    };

    const startedMs = performance.now();
    try {
      const client = clientFor(request.proxy);
      const hangUp = new AbortController();
      // impit does not tell when it is connected: from here on a byte may have gone out.
      observation.sent = true;
      const work = client.fetch(url, {
        method,
        headers: sentHeaders(request),
        ...(upload === undefined ? {} : { body: upload }),
        redirect: 'manual',
        signal: hangUp.signal,
      });
      const response = await unlessStopped(work, stop.signal, hangUp);
      clearTimeout(tooLate);
      observation.ttfbMs = performance.now() - startedMs;
      if (response.status === 407 && asksProxy(request)) {
        await dropped(response, hangUp);
        // The proxy refused the request, so no origin has seen it.
        observation.sent = sentBefore;
        throw passwordFault(request, sentBefore);
      }
      return await replyOf(response, request, observation, { stop: stop.signal, hangUp, end });
    } catch (error) {
      end();
      if (body instanceof Readable) body.on('error', () => {}).destroy();
      if (stop.signal.aborted) throw stop.signal.reason;
      if (bodyError !== undefined) throw bodyError;
      if (neverSent(error)) observation.sent = sentBefore;
      throw faultOf(error, request, observation.sent);
    }
  };

  return {
    send: (request, observation) => followRedirects(request, observation, sendOnce),
    async close() {
      closed = true;
      for (const stop of inFlight) stop.abort(new ClosedError('ProxyManager'));
      // impit closes idle connections when its client is garbage, and they keep no process alive.
      clients.clear();
    },
  };
}

/** The reply, its body whole or as it arrives; `end` is called when nothing of the exchange is left. */
async function replyOf(
  response: ImpitResponse,
  request: WireRequest,
  observation: WireObservation,
  { stop, hangUp, end }: { stop: AbortSignal; hangUp: AbortController; end: () => void },
): Promise<WireReply> {
  const { status, statusText } = response;
  const { maxResponseBytes } = request.options;
  const isBuffered = request.options.body === 'buffer';
  const hasBody = request.method !== 'HEAD' && status !== 204 && status !== 304;
  const { headers, isDecoded } = receivedHeaders(response.headers, hasBody);
  const headMs = performance.now();

  const body = receivedBody(response.body, {
    bytes(total) {
      if (total > maxResponseBytes) throw tooLarge(request);
    },
    // Whoever reads a stream has the head already.
    fault: (error) => bodyFault(error, request, isBuffered ? { status, statusText, headers, isDecoded } : undefined),
    hangUp: () => hangUp.abort(),
  });
  const onStop = (): void => {
    body.destroy(stop.reason instanceof Error ? stop.reason : new Error('aborted', { cause: stop.reason }));
  };
  stop.addEventListener('abort', onStop);
  body.once('close', () => {
    observation.downloadMs = performance.now() - headMs;
    end();
  });
  // Which HTTP it was, impit does not tell.
  const head = { status, statusText, headers, url: request.url, httpVersion: '' };
  return { ...head, body: isBuffered ? await whole(body) : body };
}

/** The head, or why it is waited for no longer; one that comes after all is hung up on. */
function unlessStopped(
  work: Promise<ImpitResponse>,
  stop: AbortSignal,
  hangUp: AbortController,
): Promise<ImpitResponse> {
  return new Promise((resolve, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason), { once: true });
    work.then((response) => (stop.aborted ? dropped(response, hangUp) : resolve(response)), reject);
  });
}

async function dropped(response: ImpitResponse, hangUp: AbortController): Promise<void> {
  hangUp.abort();
  await response.body.cancel().catch(() => {});
}

/** socks5h: the proxy looks the name up. */
function urlOf({ hostname, port, protocol, userinfo }: ProxyCredential): string {
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/s.exec(userinfo?.reveal() ?? '') ?? [];
  const login = userinfo === undefined ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
  return `${protocol === 'socks5' ? 'socks5h' : protocol}://${login}${hostname}:${port}`;
}

function tooLarge(request: WireRequest): TransportFault {
  const message = `${subjectOf(request)}: maxContentLength size of ${request.options.maxResponseBytes} exceeded`;
  return new TransportFault('ERR_BAD_RESPONSE', message, { phase: 'response', sent: true });
}

function silence(request: WireRequest): TransportFault {
  const message = `${subjectOf(request)} did not answer in time (ETIMEDOUT)`;
  return new TransportFault('ETIMEDOUT', message, { phase: 'request', sent: true });
}

function passwordFault({ proxy }: WireRequest, sent: boolean): TransportFault {
  const code = 'ERR_PROXY_AUTH_REQUESTED';
  return new TransportFault(code, `proxy ${proxy?.id} answered with status 407 (${code})`, { phase: 'proxy', sent });
}
