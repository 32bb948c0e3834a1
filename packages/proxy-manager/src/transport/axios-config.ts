import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import type { AxiosHeaders, AxiosProxyConfig, InternalAxiosRequestConfig } from 'axios';
import type { ProxyCredential } from '../config/resolve.js';
import { ConfigError } from '../errors.js';
import { limitedBody } from './limited-body.js';
import type { NodeTransport } from './observed-request.js';
import { subjectOf } from './reply-rules.js';
import { unbracketed } from './route.js';
import type { WireRequest } from './transport.js';

/** `request` in the words of axios's http adapter, which is left to frame and send it and to do nothing else. */
export function axiosConfig(
  { AxiosHeaders: Headers }: { readonly AxiosHeaders: typeof AxiosHeaders },
  request: WireRequest,
  sent: boolean,
  transport: NodeTransport,
  signal: AbortSignal,
): InternalAxiosRequestConfig {
  const given = request.options.axios ?? {};
  const problems = [
    ...(request.proxy ? otherWays(given, request.proxy) : []),
    ...(request.tls === undefined ? [] : besideTls(given)),
  ];
  if (problems.length > 0) throw new ConfigError(subjectOf(request), problems);
  const url = new URL(request.url);
  url.username = '';
  url.password = '';
  return {
    ...given,
    url: url.href,
    method: request.method,
    headers: wireHeaders(new Headers(), request.headers),
    data: bodyFor(limitedBody(request, sent)),
    proxy: request.proxy ? poolProxy(request.proxy) : (given.proxy ?? false),
    responseType: 'stream',
    decompress: false,
    maxRedirects: 0,
    maxContentLength: -1,
    maxBodyLength: -1,
    validateStatus: null,
    signal,
    transport,
  };
}

/** axios knows nothing of the endpoint's certificates. */
function besideTls(given: object): readonly string[] {
  return Object.keys(given).map((option) => `${option}: cannot be used together with tls of secrets.json`);
}

/** Exactly the request's own: `false` keeps axios from adding what is not there. */
function wireHeaders(headers: AxiosHeaders, list: WireRequest['headers']): AxiosHeaders {
  for (const [name, value] of list) {
    const before = headers.get(name);
    const values = before === undefined || before === null ? value : [before, value].flat().map(String);
    // As an object: of a name alone that can be none it would make fields of its own.
    headers.set({ [name]: values }, true);
  }
  for (const name of ['User-Agent', 'Accept-Encoding']) if (!headers.has(name)) headers.set(name, false);
  return headers;
}

function bodyFor(body: Readable | Uint8Array | string | null): Buffer | Readable | string | undefined {
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return body ?? undefined;
}

function poolProxy({ protocol, hostname, port, userinfo }: ProxyCredential): AxiosProxyConfig {
  const login = userinfo?.reveal();
  if (login === undefined) return { protocol, host: unbracketed(hostname), port };
  const colon = login.indexOf(':');
  const auth =
    colon === -1
      ? { username: login, password: '' }
      : { username: login.slice(0, colon), password: login.slice(colon + 1) };
  return { protocol, host: unbracketed(hostname), port, auth };
}

/** Options that say how to connect would go around the proxy whose use is being counted. */
function otherWays(given: NonNullable<WireRequest['options']['axios']>, proxy: ProxyCredential): readonly string[] {
  const { httpAgent, httpsAgent }: { httpAgent?: unknown; httpsAgent?: unknown } = given;
  const problems: string[] = [];
  const refuse = (option: string): number =>
    problems.push(`${option}: cannot be used together with proxy ${proxy.id} of secrets.json; leave one of them out`);
  if (proxy.protocol === 'socks5') {
    for (const option of Object.keys(given)) refuse(option);
  } else {
    if (httpAgent !== undefined && !isPlain(httpAgent, HttpAgent)) refuse('httpAgent (other than an http.Agent)');
    if (httpsAgent !== undefined && !isPlain(httpsAgent, HttpsAgent)) refuse('httpsAgent (other than an https.Agent)');
    if (given.socketPath) refuse('socketPath');
    if (given.proxy) refuse('proxy');
    if (![undefined, 1].includes(given.httpVersion)) refuse('httpVersion (other than 1)');
  }
  return problems;
}

function isPlain(agent: unknown, type: typeof HttpAgent): boolean {
  return agent instanceof type && Object.getPrototypeOf(agent) === type.prototype;
}
