import type { SecureContextOptions } from 'node:tls';
import { Readable } from 'node:stream';
import { ClosedError } from '../errors.js';
import { lastUsed } from '../last-used.js';
import type { Carrier } from './carrier.js';
import { ConnectionPool } from './connection-pool.js';
import { cachedLookup } from './dns-cache.js';
import { limitedBody } from './limited-body.js';
import { proxyAuthorization } from './proxy-authorization.js';
import { followRedirects } from './redirects.js';
import { routeTo, type Route } from './route.js';
import type { Transport, WireObservation, WireReply, WireRequest } from './transport.js';
import { loadClient } from './undici-client.js';
import { WireExchange } from './wire-exchange.js';

const TLS_SESSIONS = 500;
/** Of all origins and proxies; those that stay idle for some seconds are closed anyhow. */
const IDLE_CONNECTIONS = 1_000;
/** The framing is ours to say. */
const dropped: ReadonlySet<string> = new Set(['keep-alive', 'proxy-connection', 'transfer-encoding']);

export interface UndiciTransportOptions {
  /**
   * HTTP/1.1 connections of one origin through one proxy at a time; an exchange beyond them waits for one.
   * @default 256
   */
  readonly connections?: number;
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
   * The longest silence within a body, in ms; one that is waited for whole may also not be slower than 1 kB a second for so long.
   * @default 300_000
   */
  readonly bodyMs?: number;
  /** Whom TLS trusts. Default: as Node does, NODE_EXTRA_CA_CERTS included. */
  readonly tls?: Pick<SecureContextOptions, 'ca'>;
}

/** The transport over undici: kept-alive connections of its own per origin and proxy, all closed by `close()`. */
export function undiciTransport(options: UndiciTransportOptions = {}): Transport {
  const { connections = 256, connectMs = 10_000, headersMs = 300_000, bodyMs = 300_000, tls = {} } = options;
  let opening: Promise<ConnectionPool> | undefined;
  let opened: ConnectionPool | undefined;
  let closed = false;

  const open = async (): Promise<ConnectionPool> => {
    const undici = { Client: await loadClient() };
    const sessions = lastUsed<Buffer>(TLS_SESSIONS);
    const settings = { stepMs: connectMs, headersMs, bodyMs, tls, sessions, lookup: cachedLookup() };
    opened = new ConnectionPool(undici, settings, { perRoute: connections, idle: IDLE_CONNECTIONS });
    return opened;
  };

  const sendOn = (pool: ConnectionPool, request: WireRequest, observation: WireObservation): Promise<WireReply> => {
    if (closed) throw new ClosedError('ProxyManager');
    request.signal.throwIfAborted();
    return exchangeOn(pool, request, observation, bodyMs);
  };

  const sendOnce = (request: WireRequest, observation: WireObservation): Promise<WireReply> =>
    opened === undefined
      ? (opening ??= open()).then((pool) => sendOn(pool, request, observation))
      : sendOn(opened, request, observation);

  return {
    send: (request, observation) => followRedirects(request, observation, sendOnce),
    async close() {
      closed = true;
      const pool = await opening;
      await pool?.close(new ClosedError('ProxyManager'));
    },
  };
}

function exchangeOn(
  pool: ConnectionPool,
  request: WireRequest,
  observation: WireObservation,
  patienceMs: number,
): Promise<WireReply> {
  const route = routeTo(request.url, request.proxy, request.tls);
  const body = limitedBody(request, observation.sent);
  const sendOn = (carrier: Carrier): Promise<WireReply> => {
    const exchange = new WireExchange(request, carrier, observation, patienceMs);
    carrier.dispatch(
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
  };
  const unsent = (error: unknown): never => {
    if (body instanceof Readable) body.on('error', () => {}).destroy();
    throw error;
  };
  const carrier = pool.take(route, request.signal);
  if (!(carrier instanceof Promise)) return sendOn(carrier);
  return carrier.then((given) => {
    if (!request.signal.aborted) return sendOn(given);
    // In the moment in which it was given: nobody heard of that, and whoever listens from now on hears nothing more.
    given.release();
    return unsent(request.signal.reason);
  }, unsent);
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
