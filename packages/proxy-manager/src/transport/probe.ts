import { dns } from '../builtins.js';
import type { ProxyCredential } from '../config/resolve.js';
import { dial } from './dial.js';
import { TransportFault } from './fault.js';
import type { Route } from './route.js';

const STEP_MS = 10_000;

/**
 * True where `proxy` can be reached, takes our name and password, and answers when it is asked for a tunnel to `target`
 * (host or host:port), whatever it answers. No request is sent. Without a target only the way to the proxy is tried.
 */
export async function probeProxy(proxy: ProxyCredential, target: string | undefined): Promise<boolean> {
  const { host, hostname, port } = new URL(`https://${target ?? proxy.hostname}`);
  const route: Route = {
    key: '',
    origin: `https://${host}`,
    secure: false,
    hostname: hostname.replaceAll(/^\[|\]$/g, ''),
    port: port === '' ? 443 : Number(port),
    proxy,
    absoluteForm: target === undefined,
  };
  const settings = { stepMs: STEP_MS, tls: {}, lookup: dns.lookup, alpn: [], sessions: new Map<string, Buffer>() };
  try {
    const socket = await dial(route, undefined, settings, AbortSignal.timeout(2 * STEP_MS));
    socket.destroy();
    return true;
  } catch (error) {
    // It spoke, if only to say no: for this target, which need not be its fault.
    return error instanceof TransportFault && error.code === 'ERR_PROXY_TUNNEL' && error.phase === 'tunnel';
  }
}
