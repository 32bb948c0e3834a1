import type { SecureContextOptions } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { ClosedError } from '../errors.js';
import { ConnectionPool } from './connection-pool.js';
import { limitedBody } from './limited-body.js';
import { proxyAuthorization } from './proxy-authorization.js';
import { followRedirects } from './redirects.js';
import { routeTo, type Route } from './route.js';
import type { Transport, WireObservation, WireReply, WireRequest } from './transport.js';
import { WireExchange, type OnEnd } from './wire-exchange.js';

const TLS_SESSIONS = 500;
/** The framing is ours to say. */
const dropped: ReadonlySet<string> = new Set(['keep-alive', 'proxy-connection', 'transfer-encoding']);

export interface UndiciTransportOptions {
  /**
   * Bound of each step of connecting: TCP, the proxy's answer, the TLS handshake; in ms.
   * @default 10_000
   */
  readonly connectMs?: number;
  /**
   * How long the head of a reply is waited for, in ms.
   * @default 300_000
   */
  readonly headersMs?: number;
  /**
   * The longest silence within a body, in ms.
   * @default 300_000
   */
  readonly bodyMs?: number;
  /** Whom TLS trusts. Default: as Node does, NODE_EXTRA_CA_CERTS included. */
  readonly tls?: Pick<SecureContextOptions, 'ca'>;
}

/** The transport over undici: kept-alive connections of its own per origin and proxy, all closed by `close()`. */
export function undiciTransport(options: UndiciTransportOptions = {}): Transport {
  const { connectMs = 10_000, headersMs = 300_000, bodyMs = 300_000, tls = {} } = options;
  let opening: Promise<ConnectionPool> | undefined;
  let closed = false;

  const open = async (): Promise<ConnectionPool> => {
    const undici = await import('undici');
    const sessions = new LRUCache<string, Buffer>({ max: TLS_SESSIONS });
    return new ConnectionPool(undici, { stepMs: connectMs, headersMs, bodyMs, tls, sessions });
  };

  const sendOnce = async (request: WireRequest, observation: WireObservation): Promise<WireReply> => {
    const pool = await (opening ??= open());
    if (closed) throw new ClosedError('ProxyManager');
    request.signal.throwIfAborted();
    return exchangeOn(pool, request, observation);
  };

  return {
    send: (request, observation) => followRedirects(request, observation, sendOnce),
    async close() {
      closed = true;
      const pool = await opening;
      await pool?.close(new ClosedError('ProxyManager'));
    },
  };
}

function exchangeOn(pool: ConnectionPool, request: WireRequest, observation: WireObservation): Promise<WireReply> {
  const route = routeTo(request.url, request.proxy);
  const onEnd: OnEnd = (connection, reusable, reason) =>
    reusable ? pool.release(connection) : pool.drop(connection, reason);
  const body = limitedBody(request, observation.sent);
  const connection = pool.take(route);
  const exchange = new WireExchange(request, connection, observation, onEnd);
  connection.dispatch(
    {
      path: target(request.url, route),
      method: request.method,
      headers: wireHeaders(request, route),
      body,
      ...(request.options.headersMs === undefined ? {} : { headersTimeout: request.options.headersMs }),
    },
    exchange,
  );
  return exchange.reply;
}

function target({ origin, pathname, search }: URL, { absoluteForm }: Route): string {
  return absoluteForm ? origin + pathname + search : pathname + search;
}

function wireHeaders({ headers, url, proxy }: WireRequest, { absoluteForm }: Route): string[] {
  const flat: string[] = [];
  let host = false;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (dropped.has(lower) || (absoluteForm && lower === 'proxy-authorization')) continue;
    if (lower === 'host') host = true;
    flat.push(name, value);
  }
  if (!absoluteForm) return flat;
  if (!host) flat.push('host', url.host);
  const authorization = proxy && proxyAuthorization(proxy);
  if (authorization !== undefined) flat.push('proxy-authorization', authorization);
  return flat;
}
