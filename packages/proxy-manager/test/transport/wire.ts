import type { ProxyCredential } from '../../src/config/resolve.js';
import { Secret } from '../../src/secret.js';
import { TransportFault } from '../../src/transport/fault.js';
import type { WireObservation, WireOptions, WireRequest } from '../../src/transport/transport.js';

type Parts = Partial<Omit<WireRequest, 'options' | 'url'>> & { readonly options?: Partial<WireOptions> };

/** A request as the credential stage hands it over: GET, buffered, no redirects, unless `parts` say otherwise. */
export function wireRequest(url: string, parts: Parts = {}): WireRequest {
  return {
    method: 'GET',
    url: new URL(url),
    headers: [],
    body: undefined,
    proxy: undefined,
    signal: new AbortController().signal,
    onRedirect: async ({ from, to }) => ({ ...from, url: to }),
    ...parts,
    options: {
      body: 'buffer',
      decompress: true,
      maxRedirects: 0,
      maxResponseBytes: 10_000_000,
      maxRequestBytes: Number.POSITIVE_INFINITY,
      ...parts.options,
    },
  };
}

/** An empty notebook. */
export function observe(): WireObservation {
  return {
    sent: false,
    redirects: 0,
    bytesSent: 0,
    bytesReceived: 0,
    connectMs: undefined,
    ttfbMs: undefined,
    downloadMs: undefined,
  };
}

/** The proxy at `url` as the configuration resolves it. */
export function proxyAt(url: string, id = 'p1'): ProxyCredential {
  const { protocol, hostname, port, username, password } = new URL(url);
  const userinfo = username === '' ? undefined : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    id,
    windows: [],
    protocol: protocol.slice(0, -1) as ProxyCredential['protocol'],
    hostname,
    port: Number(port),
    userinfo: userinfo === undefined ? undefined : new Secret(userinfo, id),
  };
}

/** The fault that `work` fails with; anything else fails the test. */
export async function faultOf(work: Promise<unknown>): Promise<TransportFault> {
  const outcome = await work.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );
  if (outcome instanceof TransportFault) return outcome;
  throw new Error('expected a TransportFault', { cause: outcome });
}

/** A buffered or streamed body as text. */
export async function textOf(body: AsyncIterable<Uint8Array> | Uint8Array): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
