import type { Endpoint } from '../config/resolve.js';
import { HostNotAllowedError, ConfigError } from '../errors.js';
import type { Exchange, OutboundRequest, Reply } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import { withHeader, withoutHeaders } from '../pipeline/headers.js';
import { fillBody, fillText, fillUrl, PLACEHOLDER } from '../pipeline/key-template.js';
import type { Next } from '../pipeline/stage.js';
import type { Clock } from '../clock.js';
import { allowsHost } from '../pool/hosts.js';
import { judge } from '../pool/verdict.js';
import { TransportFault } from '../transport/fault.js';
import type { RedirectHop, Transport, WireReply, WireRequest } from '../transport/transport.js';
import { masker } from './mask.js';

/** What never follows a redirect to another origin, whatever it holds. */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'proxy-authorization'];

/**
 * The end of the pipeline: puts the leased key where it travels, sends, gives the reply or fault its verdict, and
 * masks the key in whatever comes back. Nothing outside this file ever sees a filled-in request.
 */
export function wireStage({ transport, clock }: { transport: Transport; clock: Clock }): Next {
  return async function wire(exchange) {
    const { attempt, lease } = exchange;
    const key = lease?.key?.secret.reveal();
    const mask = masker(key);
    try {
      const reply = await transport.send(toWire(exchange, key), attempt);
      const verdict = judge({ reply, nowMs: clock.now(), throughProxy: lease?.proxy !== undefined });
      attempt.verdict = verdict;
      return { ...masked(reply, mask), verdict };
    } catch (error) {
      if (exchange.signal.aborted) throw error;
      if (error instanceof TransportFault) {
        attempt.verdict = judge({ fault: error, nowMs: clock.now(), throughProxy: lease?.proxy !== undefined });
      }
      throw mask.error(error);
    }
  };
}

function masked(reply: WireReply, mask: ReturnType<typeof masker>): Omit<Reply, 'verdict'> {
  const echoesSecret = reply.headers.some(([, value]) => mask.finds(value)) || mask.finds(reply.body);
  return {
    ...reply,
    headers: echoesSecret ? reply.headers.map(([name, value]) => [name, mask.text(value)] as const) : reply.headers,
    url: mask.finds(reply.url.href) ? new URL(mask.text(reply.url.href)) : reply.url,
    echoesSecret,
  };
}

function toWire(exchange: Exchange, key: string | undefined): WireRequest {
  const { request, endpoint, lease, signal } = exchange;
  const base = { method: request.method, options: request.wire, proxy: lease?.proxy, signal };
  const onRedirect = (hop: RedirectHop): Promise<WireRequest> => redirect(exchange, hop);
  if (key === undefined) {
    return {
      ...base,
      url: request.url,
      headers: withAuth(request.headers, request.auth),
      body: request.body,
      onRedirect,
    };
  }
  const filled = request.headers.map(([name, value]) => [name, fillText(value, key)] as const);
  const auth = request.auth && {
    username: fillText(request.auth.username, key),
    password: fillText(request.auth.password, key),
  };
  return {
    ...base,
    url: applyQuery(fillUrl(request.url, key), endpoint, key),
    headers: applyHeaders(withAuth(filled, auth), endpoint, key),
    body: fillBody(request.body, request.headers, key),
    onRedirect,
  };
}

function withAuth(headers: HeaderList, auth: OutboundRequest['auth']): HeaderList {
  if (auth === undefined) return headers;
  return withHeader(
    headers,
    'authorization',
    `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`,
  );
}

function applyHeaders(headers: HeaderList, { apply }: Endpoint, key: string): HeaderList {
  return (apply?.headers ?? []).reduce(
    (list, [name, template]) => withHeader(list, name, fillText(template, key)),
    headers,
  );
}

/** Appended as text: going through `searchParams` would write the caller's own query anew. */
function applyQuery(url: URL, { apply }: Endpoint, key: string): URL {
  if (apply === undefined || apply.query.length === 0) return url;
  const added = apply.query.map(
    ([name, template]) => `${encodeURIComponent(name)}=${encodeURIComponent(fillText(template, key))}`,
  );
  const applied = new URL(url);
  applied.search = [url.search.slice(1), ...added].filter((part) => part !== '').join('&');
  return applied;
}

/** The next hop of a redirect: allowed, charged, and without what must not cross origins. */
async function redirect(exchange: Exchange, { from, to }: RedirectHop): Promise<WireRequest> {
  const { endpoint, lease, request } = exchange;
  if (!allowsHost(endpoint.hosts, to)) throw new HostNotAllowedError(endpoint.name, to.host, endpoint.hosts ?? []);
  await lease?.charge(1);
  if (to.origin === from.url.origin) return { ...from, url: to };
  if (from.body !== request.body) {
    throw new ConfigError(`redirect to ${to.origin}`, [
      'the key stands in the body and must not travel to another origin: send there by itself, or set maxRedirects: 0',
    ]);
  }
  const keyed = request.headers.filter(([, value]) => value.includes(PLACEHOLDER)).map(([name]) => name.toLowerCase());
  const applied = (endpoint.apply?.headers ?? []).map(([name]) => name.toLowerCase());
  return {
    ...from,
    url: to,
    headers: withoutHeaders(from.headers, new Set([...PRIVATE_HEADERS, ...keyed, ...applied])),
  };
}
