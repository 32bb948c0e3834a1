import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import * as builtins from '../builtins.js';
import type { ProxyCredential } from '../config/resolve.js';
import { TransportFault } from './fault.js';
import { openHttpTunnel } from './http-tunnel.js';
import { faultCode, networkFault } from './network-fault.js';
import { authority, unbracketed, type Route } from './route.js';
import { answered, ClosedEarly, step } from './socket-steps.js';
import { openSocksTunnel } from './socks-tunnel.js';
import { TunnelRefused } from './tunnel-refused.js';

const KEEP_ALIVE_PROBE_MS = 60_000;
const TCP_BUFFER_BYTES = 65_536;

export interface DialSettings {
  /** Bound of each step: the connection, the proxy's answer, the TLS handshake. */
  readonly stepMs: number;
  readonly tls: Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'>;
  readonly lookup: LookupFunction;
  /** The protocols offered to the origin, the dearest first. */
  readonly alpn: readonly string[];
  /** TLS sessions, to resume. */
  readonly sessions: { get(host: string): Buffer | undefined; set(host: string, session: Buffer): unknown };
}

/** How long the parts of one dialling took, in ms; absent where there was no such part. */
export interface DialTimes {
  dnsMs?: number;
  tlsMs?: number;
}

/**
 * A socket on which HTTP to the route's origin can be spoken (or, in absolute form, HTTP to its proxy).
 * Rejects with one `TransportFault` of phase `proxy`, `tunnel` or `connect`; nothing of the attempt is left open then.
 */
export async function dial(
  route: Route,
  servername: string | undefined,
  settings: DialSettings,
  signal: AbortSignal,
  times: DialTimes = {},
): Promise<Socket> {
  const { origin, proxy } = route;
  const to = proxy === undefined ? origin : `${origin} through proxy ${proxy.id}`;
  const way =
    proxy === undefined
      ? await tcp(route, settings, signal, times).catch(fault('connect', to))
      : await throughProxy(proxy, route, settings, signal, times);
  const socket = route.secure
    ? await tls(way, servername ?? route.hostname, { ...settings, ...identity(route, settings) }, signal, times).catch(
        fault('connect', to),
      )
    : way;
  // Given a closed socket undici would dial again, for as long as the other side likes to play.
  if (socket.destroyed) fault('connect', to)(new ClosedEarly('closed as soon as it was open'));
  return socket;
}

async function throughProxy(
  proxy: ProxyCredential,
  route: Route,
  settings: DialSettings,
  signal: AbortSignal,
  times: DialTimes,
): Promise<Socket> {
  const socket = await reachProxy(proxy, settings, signal, times).catch(fault('proxy', `proxy ${proxy.id}`));
  if (route.absoluteForm) return socket;
  const openTunnel = proxy.protocol === 'socks5' ? openSocksTunnel : openHttpTunnel;
  await step(socket, settings.stepMs, signal, () => openTunnel(socket, proxy, route)).catch(tunnelFault(proxy, route));
  return socket;
}

async function reachProxy(
  proxy: ProxyCredential,
  settings: DialSettings,
  signal: AbortSignal,
  times: DialTimes,
): Promise<Socket> {
  const hostname = unbracketed(proxy.hostname);
  const socket = await tcp({ hostname, port: proxy.port }, settings, signal, times);
  return proxy.protocol === 'https'
    ? tls(socket, hostname, { ...settings, alpn: ['http/1.1'] }, signal, times)
    : socket;
}

function tcp(
  to: Pick<Route, 'hostname' | 'port'>,
  { stepMs, lookup }: DialSettings,
  signal: AbortSignal,
  times: DialTimes,
): Promise<Socket> {
  const startedMs = performance.now();
  const options = { host: to.hostname, port: to.port, lookup, noDelay: true, highWaterMark: TCP_BUFFER_BYTES };
  const socket = connectTcp(options);
  socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS);
  // Between two steps nobody listens, and a socket's error without a listener would end the process.
  socket.on('error', () => {});
  socket.once('lookup', () => (times.dnsMs = performance.now() - startedMs));
  return step(socket, stepMs, signal, () => answered(socket, 'connect', () => socket));
}

function tls(
  over: Socket,
  servername: string,
  settings: DialSettings,
  signal: AbortSignal,
  times: DialTimes,
): Promise<Socket> {
  const startedMs = performance.now();
  const session = settings.sessions.get(servername);
  const socket = builtins.tls.connect({
    ...settings.tls,
    socket: over,
    // An address is no server name (RFC 6066 §3); the certificate is then checked against `host`.
    ...(isIP(servername) === 0 ? { servername } : {}),
    host: servername,
    ALPNProtocols: [...settings.alpn],
    ...(session === undefined ? {} : { session }),
  });
  socket.on('error', () => {});
  // An https proxy before an https origin makes two handshakes.
  socket.once('secureConnect', () => (times.tlsMs = (times.tlsMs ?? 0) + performance.now() - startedMs));
  socket.on('session', (ticket) => settings.sessions.set(servername, ticket));
  return step(socket, settings.stepMs, signal, () => answered(socket, 'secureConnect', () => socket)).catch((error) => {
    over.destroy();
    throw error;
  });
}

/**
 * What the endpoint says of TLS is for the origin alone. By the session that is resumed an origin knows who comes again,
 * so none is by another way, which is another identity.
 */
function identity({ key: way, tls: own }: Route, { sessions }: DialSettings): Partial<DialSettings> {
  const ofWay = {
    get: (host: string) => sessions.get(`${way} ${host}`),
    set: (host: string, session: Buffer) => sessions.set(`${way} ${host}`, session),
  };
  if (own === undefined) return { sessions: ofWay };
  const { ca, cert, key, passphrase } = own;
  return {
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key: key.reveal() }),
      ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
    },
    sessions: ofWay,
  };
}

function fault(phase: 'connect' | 'proxy', subject: string): (error: unknown) => never {
  return (error) => {
    throw networkFault(error, subject, { phase, sent: false });
  };
}

function tunnelFault(proxy: ProxyCredential, route: Route): (error: unknown) => never {
  return (error) => {
    const where = { phase: 'tunnel', sent: false } as const;
    const target = authority(route);
    if (error instanceof TunnelRefused) {
      const code = error.about === 'password' ? 'ERR_PROXY_AUTH_REQUESTED' : 'ERR_PROXY_TUNNEL';
      const message = `proxy ${proxy.id}, asked for a tunnel to ${target}, answered with ${error.message} (${code})`;
      throw new TransportFault(code, message, error.about === 'target' ? where : { phase: 'proxy', sent: false });
    }
    const code = faultCode(error);
    if (error instanceof ClosedEarly || code === 'ECONNRESET') {
      const message = `proxy ${proxy.id} closed the connection instead of opening a tunnel to ${target} (${code})`;
      // Many a proxy says by it that the target cannot be reached.
      throw new TransportFault(code, message, where, { cause: error });
    }
    throw networkFault(error, `proxy ${proxy.id}, asked for a tunnel to ${target},`, where);
  };
}
