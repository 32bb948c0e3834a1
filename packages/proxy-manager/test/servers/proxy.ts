import { Server, type HttpServerOptions } from 'proxy-chain';
import type { Certificate } from './certificate.js';

export interface ForwardProxy extends AsyncDisposable {
  /** `http://127.0.0.1:port`, or https with a certificate; with the name and password in it, if it wants them. */
  readonly url: string;
  readonly port: number;
  /** Requests passed on in absolute form. */
  readonly requests: number;
  /** Tunnels opened. */
  readonly tunnels: number;
  /** Requests of either kind that came without the right name and password. */
  readonly refusals: number;
  /** Closes every connection, and the proxy. */
  close(): Promise<void>;
}

export interface ForwardProxyOptions {
  readonly username?: string;
  readonly password?: string;
  readonly certificate?: Certificate;
}

/** A real forward proxy on a free port, which counts what passes through it. */
export async function startProxy({ username, password, certificate }: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const counts = { requests: 0, tunnels: 0, refusals: 0 };
  const base: HttpServerOptions = {
    port: 0,
    host: '127.0.0.1',
    prepareRequestFunction: (request) => {
      const welcome =
        username === undefined || (request.username === username && request.password === (password ?? ''));
      if (!welcome) counts.refusals += 1;
      else if (request.isHttp) counts.requests += 1;
      else counts.tunnels += 1;
      return { requestAuthentication: !welcome };
    },
  };
  const server = new Server(certificate ? { ...base, serverType: 'https', httpsOptions: certificate } : base);
  await server.listen();
  const { port } = server;
  const userinfo =
    username === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password ?? '')}@`;
  const close = (): Promise<void> => server.close(true);
  return {
    url: `${certificate ? 'https' : 'http'}://${userinfo}127.0.0.1:${port}`,
    port,
    get requests() {
      return counts.requests;
    },
    get tunnels() {
      return counts.tunnels;
    },
    get refusals() {
      return counts.refusals;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
