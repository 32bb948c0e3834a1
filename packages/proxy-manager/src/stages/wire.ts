import type { Clock } from '../clock.js';
import type { Endpoint, ProxyCredential } from '../config/resolve.js';
import { ConfigError, HostNotAllowedError } from '../errors.js';
import { hidingOwn } from '../log/record-content.js';
import type { Exchange, OutboundRequest, Reply } from '../pipeline/exchange.js';
import type { HeaderList } from '../pipeline/headers.js';
import { header, withHeader, withoutHeaders } from '../pipeline/headers.js';
import { fillBody, fillText, fillUrl, PLACEHOLDER } from '../pipeline/key-template.js';
import type { Next } from '../pipeline/stage.js';
import { allowsHost } from '../pool/hosts.js';
import type { Judgement } from '../pool/outcome.js';
import { overruled } from '../pool/outcome.js';
import { toldLimits } from '../pool/told-limits.js';
import type { Travelled, Verdict } from '../pool/verdict.js';
import { judgeFault, judgeReply } from '../pool/verdict.js';
import { Secret } from '../secret.js';
import { TransportFault } from '../transport/fault.js';
import type { CodedBody, RedirectHop, Transport, WireReply, WireRequest } from '../transport/transport.js';
import { askBeforeRedirect } from './before-redirect.js';
import { Masker } from './mask.js';

const COOKIE: ReadonlySet<string> = new Set(['cookie']);

/** What never follows a redirect to another origin, whatever it holds. */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'proxy-authorization'];

/**
 * The end of the pipeline: puts the leased key where it travels, sends, gives the reply or fault its verdict, and
 * masks the key in whatever comes back. Nothing outside this file ever sees a filled-in request.
 */
export function wireStage({ transport, clock }: { transport: Transport; clock: Clock }): Next {
  return async function wire(exchange) {
    const { attempt, lease } = exchange;
    const throughProxy = lease?.proxy !== undefined;
    const { given = [] } = exchange.trace;
    const masker = new Masker([lease?.key?.secret, lease?.proxy?.userinfo], given);
    const login = loginOf(exchange.request);
    // A login of the caller's own is hidden where it is kept, in cache and log, and not from the caller.
    const keeper =
      login === undefined ? masker : new Masker([lease?.key?.secret, lease?.proxy?.userinfo, login], given);
    attempt.hide = hiding(exchange, keeper);
    try {
      const request = toWire(exchange, masker, keeper);
      const reply = await transport.send(request, attempt);
      attempt.sent = true;
      attempt.host = reply.url.host;
      exchange.identity?.keepCookies(reply.url, reply.headers, (text) => keeper.finds(text));
      const judging = judgement(exchange, reply, clock.now());
      const { verdict, told } = judging instanceof Promise ? await judging : judging;
      attempt.verdict = verdict;
      attempt.told = told;
      const head = masker.head(reply);
      const isCached = exchange.policy.cache !== undefined;
      const masked: Reply = {
        status: reply.status,
        statusText: head.statusText,
        headers: head.headers,
        body: reply.body,
        coded: isCached ? withoutSecrets(reply.coded, keeper) : undefined,
        // Where it is the one that was asked for, that is concealed already.
        url: reply.url.href === request.url.href ? exchange.request.url : masker.url(reply.url),
        httpVersion: reply.httpVersion,
        verdict,
        isShared: false,
        echoesSecret: isCached && isEcho(reply, keeper === masker ? head : keeper.head(reply), keeper),
      };
      if (!isCached || reply.body instanceof Uint8Array) return masked;
      return { ...masked, findsSecretIn: (body) => keeper.findsInBytes(body, codingOf(reply)) };
    } catch (error) {
      if (exchange.signal.aborted) throw error;
      attempt.host ??= exchange.request.url.host;
      if (error instanceof TransportFault) attempt.verdict = judgeFault(error, throughProxy);
      throw masker.error(error);
    }
  };
}

/** What `keeper` hides, and the cookies of the session: they are looked for once something is to be hidden. */
function hiding({ identity, request }: Exchange, keeper: Masker): (text: string) => string {
  const hide = (text: string): string => keeper.text(text);
  if (identity === undefined) return hide;
  let all: ((text: string) => string) | undefined;
  return (text) => {
    all ??= hidingOwn([['cookie', identity.cookiesFor(request.url)]], hide);
    return all(text);
  };
}

/** The `user:password` that the caller wrote, unless a key goes there. */
function loginOf({ auth }: OutboundRequest): Secret | undefined {
  if (auth === undefined || auth.password === '' || auth.password.includes(PLACEHOLDER)) return undefined;
  return new Secret(`${auth.username}:${auth.password}`, 'login');
}

function judgement(exchange: Exchange, reply: WireReply, nowMs: number): Judgement | Promise<Judgement> {
  const { attempt, endpoint, lease, policy, request } = exchange;
  const { proxy } = lease ?? {};
  const isOwn = reply.url === request.url || reply.url.origin === request.url.origin;
  const travelled = {
    nowMs,
    rules: endpoint.outcomes ?? NONE,
    hasKey: lease?.key !== undefined,
    proxy: wayOf(reply, proxy),
    told: isOwn ? toldLimits(reply.headers, nowMs) : NONE,
  } as const;
  const verdict = judgeReply(reply, travelled);
  if (policy.outcome === undefined) return { verdict: isOwn ? verdict : ofAnother(verdict), told: travelled.told };
  const about = {
    endpoint: endpoint.name,
    method: request.method,
    url: request.url.href,
    attempt: attempt.number,
    credential: lease?.key && { id: lease.key.id },
    proxy: proxy && { id: proxy.id },
  };
  const judging = overruled(policy.outcome, about, reply, travelled, verdict);
  return isOwn ? judging : judging.then((judged) => ({ ...judged, verdict: ofAnother(judged.verdict) }));
}

const NONE: readonly never[] = Object.freeze([]);

function wayOf({ url }: WireReply, proxy: ProxyCredential | undefined): Travelled['proxy'] {
  if (proxy === undefined) return 'none';
  return url.protocol === 'http:' && proxy.protocol !== 'socks5' ? 'plain' : 'tunnel';
}

/** A host that a redirect led to knows nothing of the key: what it says of it rests none of ours. */
function ofAnother(verdict: Verdict): Verdict {
  if (verdict.kind === 'throttled') return { ...verdict, kind: 'down' };
  return verdict.kind === 'spent' || verdict.kind === 'refused' ? { kind: 'good' } : verdict;
}

/** A coding has room for words that decoding it leaves out. */
function withoutSecrets(coded: CodedBody | undefined, keeper: Masker): CodedBody | undefined {
  return coded === undefined || keeper.findsPlainlyIn(coded.bytes) ? undefined : coded;
}

/** Only what may be cached is searched for its body too. */
function isEcho(reply: WireReply, masked: Pick<WireReply, 'headers' | 'statusText'>, keeper: Masker): boolean {
  return (
    masked.headers !== reply.headers ||
    masked.statusText !== reply.statusText ||
    (reply.body instanceof Uint8Array && keeper.findsInBytes(reply.body, codingOf(reply)))
  );
}

/** What the body still is coded in: its header is gone where it was decoded. */
function codingOf({ headers }: WireReply): string | undefined {
  return header(headers, 'content-encoding')?.trim().toLowerCase();
}

function toWire(exchange: Exchange, masker: Masker, keeper: Masker): WireRequest {
  const { endpoint, identity, lease, signal } = exchange;
  const request = exchange.request.asWritten?.restore(exchange.request) ?? exchange.request;
  const key = lease?.key?.secret.reveal();
  const url = key === undefined ? request.url : applyQuery(fillUrl(request.url, key), endpoint, key);
  const headers = key === undefined ? withAuth(request.headers, request.auth) : filledHeaders(request, endpoint, key);
  const ownCookies = identity && header(headers, 'cookie');
  const wire: WireRequest = {
    method: request.method,
    url,
    headers: identity === undefined ? headers : withCookies(headers, ownCookies, identity.cookiesFor(url)),
    body: key === undefined ? request.body : fillBody(request.body, request.headers, key),
    options: request.wire,
    proxy: lease?.proxy,
    signal,
    onRedirect(hop) {
      identity?.keepCookies(hop.from.url, hop.headers, (text) => keeper.finds(text));
      return redirect(exchange, masker, hop, ownCookies);
    },
  };
  return endpoint.tls === undefined ? wire : { ...wire, tls: endpoint.tls };
}

function filledHeaders({ auth, headers }: OutboundRequest, endpoint: Endpoint, key: string): HeaderList {
  const placed = headers.some(([, value]) => value.includes(PLACEHOLDER));
  const filled = placed ? headers.map(([name, value]) => [name, fillText(value, key)] as const) : headers;
  if (auth === undefined) return applyHeaders(filled, endpoint, key);
  const login = { username: fillText(auth.username, key), password: fillText(auth.password, key) };
  return applyHeaders(withAuth(filled, login), endpoint, key);
}

/** The caller's own cookies, and the session's behind them. */
function withCookies(headers: HeaderList, own: string | undefined, kept: string): HeaderList {
  const cookies = [own ?? '', kept].filter((part) => part !== '').join('; ');
  return cookies === '' ? withoutHeaders(headers, COOKIE) : withHeader(headers, 'cookie', cookies);
}

function withAuth(headers: HeaderList, auth: OutboundRequest['auth']): HeaderList {
  if (auth === undefined) return headers;
  const credentials = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
  return withHeader(headers, 'authorization', `Basic ${credentials}`);
}

function applyHeaders(headers: HeaderList, { apply }: Endpoint, key: string): HeaderList {
  let applied = headers;
  for (const [name, template] of apply?.headers ?? NONE) {
    applied = withHeader(applied, name, fillText(template, key));
  }
  return applied;
}

/** Appended as text, unless it is there: going through `searchParams` would write the caller's own query anew. */
function applyQuery(url: URL, { apply }: Endpoint, key: string): URL {
  if (apply === undefined || apply.query.length === 0) return url;
  const added = apply.query
    .filter(([name]) => !url.searchParams.has(name))
    .map(([name, template]) => `${encodeURIComponent(name)}=${encodeURIComponent(fillText(template, key))}`);
  const applied = new URL(url);
  applied.search = [url.search.slice(1), ...added].filter((part) => part !== '').join('&');
  return applied;
}

/** The next hop of a redirect: allowed, without what must not cross origins, let through by the caller, and charged. */
async function redirect(
  exchange: Exchange,
  masker: Masker,
  hop: RedirectHop,
  ownCookies: string | undefined,
): Promise<WireRequest> {
  const { endpoint, identity, lease, request } = exchange;
  if (!allowsHost(endpoint.hosts, hop.to)) {
    throw new HostNotAllowedError(endpoint.name, masker.text(hop.to.host), endpoint.hosts ?? []);
  }
  const isSameOrigin = hop.to.origin === hop.from.url.origin;
  // It may be another origin that leads on within itself.
  const isOwn = isSameOrigin && hop.to.origin === request.url.origin;
  const led = isSameOrigin ? withinOrigin(exchange, hop, isOwn) : acrossOrigins(exchange, masker, hop);
  const next =
    identity === undefined
      ? led
      : {
          ...led,
          headers: withCookies(led.headers, isOwn ? ownCookies : undefined, identity.cookiesFor(led.url)),
        };
  const before = request.redirects?.before;
  const asked = before === undefined ? next : askBeforeRedirect(before, hop, next, masker);
  if (exchange.policy.countRedirects !== false) await lease?.charge(1);
  const { attempt } = exchange;
  attempt.hops = [...(attempt.hops ?? []), `${hop.status} ${masker.text(asked.url.origin + asked.url.pathname)}`];
  return asked;
}

function withinOrigin({ endpoint, lease }: Exchange, { from, to }: RedirectHop, isOwn: boolean): WireRequest {
  const key = isOwn ? lease?.key?.secret.reveal() : undefined;
  return { ...from, url: key === undefined ? to : applyQuery(to, endpoint, key) };
}

function acrossOrigins({ endpoint, request }: Exchange, masker: Masker, { from, to }: RedirectHop): WireRequest {
  if (masker.finds(to.href)) {
    throw new ConfigError(`redirect to ${masker.text(to.origin)}`, [
      'the key stands in its url and must not travel to another origin: set maxRedirects: 0 to see the reply itself',
    ]);
  }
  if (from.body !== undefined && (from.body !== request.body || request.asWritten?.bodyHoldsSecret === true)) {
    throw new ConfigError(`redirect to ${masker.text(to.origin)}`, [
      'the key stands in the body and must not travel to another origin: send there by itself, or set maxRedirects: 0',
    ]);
  }
  const applied = (endpoint.apply?.headers ?? []).map(([name]) => name.toLowerCase());
  const placed = request.headers.filter(([, value]) => value.includes(PLACEHOLDER)).map(([name]) => name.toLowerCase());
  const found = from.headers.filter(([, value]) => masker.finds(value)).map(([name]) => name.toLowerCase());
  const sensitive = request.redirects?.sensitive ?? [];
  const { tls: _tls, ...rest } = from;
  return {
    ...rest,
    url: to,
    headers: withoutHeaders(from.headers, new Set([...PRIVATE_HEADERS, ...applied, ...placed, ...found, ...sensitive])),
  };
}
