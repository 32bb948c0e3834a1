import type { Readable } from 'node:stream';
import type { AxiosRequestConfig } from 'axios';
import type { ResolvedCachePolicy } from '../config/cache-policy.js';
import type { UserAgentFilter } from '../config/options.js';
import type { Endpoint } from '../config/resolve.js';
import type { RecordPolicy } from '../log/record-policy.js';
import type { Lease } from '../pool/lease.js';
import type { OutcomeFunction } from '../pool/outcome.js';
import type { ToldLimit } from '../pool/told-limits.js';
import type { Verdict } from '../pool/verdict.js';
import type { WireObservation, WireOptions, WireReply } from '../transport/transport.js';
import type { Session, SessionIdentity, SessionRules } from '../session/session.js';
import type { MeterReading, Pool } from '../usage/usage-store.js';
import type { AsWritten } from './as-written.js';
import type { HeaderList } from './headers.js';
import type { SecretPattern } from './secret-pattern.js';
import type { Waits } from './waits.js';

/**
 * What the caller asked for, free of pool secrets: where a key goes there is still `{key}`.
 * A stage that changes it passes a copy on and leaves this one as it was.
 */
export interface OutboundRequest {
  readonly method: string;
  readonly url: URL;
  /** The url in the caller's own words, for the log: before a base and parameters were joined to it. None where they held a login. */
  readonly originalUrl?: string | undefined;
  readonly headers: HeaderList;
  readonly body: string | Uint8Array | Readable | undefined;
  /** Basic authentication, encoded only after `{key}` in it has been filled in. */
  readonly auth: { readonly username: string; readonly password: string } | undefined;
  readonly wire: WireOptions;
  readonly redirects?: RedirectRules;
  /** Set where the caller wrote a secret by hand, which is hidden in all of the above. */
  readonly asWritten?: AsWritten;
}

/** What the caller has to say in redirects. */
export interface RedirectRules {
  /** axios's `beforeRedirect`, called before each one is followed. */
  readonly before: AxiosRequestConfig['beforeRedirect'] | undefined;
  /** Headers, in lower case, that are dropped across origins, besides those that always are. */
  readonly sensitive: ReadonlySet<string>;
}

/** When an attempt is repeated. */
export interface RetryPolicy {
  /** The first one included; 1: never repeat. */
  readonly attempts: number;
  /** Also repeat methods that are not idempotent (RFC 9110 §9.2.2). */
  readonly unsafe: boolean;
  /** Over all attempts and waits; the exchange's signal carries it. */
  readonly deadlineMs: number | undefined;
}

/** A filter of user agents, and a name that equal ones share. */
export interface NamedFilter {
  readonly filter: UserAgentFilter;
  readonly name: string;
}

/** How this exchange is to be treated, resolved from the Request's defaults and the call's own words. */
export interface ExchangePolicy {
  /** Undefined: this exchange neither reads nor writes the cache. */
  readonly cache: ResolvedCachePolicy | undefined;
  readonly retry: RetryPolicy;
  /** Uses counted against the quota. */
  readonly cost: number;
  /** How long an exhausted pool is waited for, in ms; 0: not at all. */
  readonly waitMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The user's say on the verdict. */
  readonly outcome?: OutcomeFunction | undefined;
  /** What of the exchange is logged beyond what always is. */
  readonly record?: RecordPolicy | undefined;
  /** `auto`: a realistic one per credential, among those that pass a `filter`; `off`: none is added; else this very one. */
  readonly userAgent: 'auto' | 'off' | NamedFilter | { readonly value: string };
  /** `false`: a redirect's further hops count no use. */
  readonly countRedirects?: boolean;
}

/** One logical request on its way through the pipeline. Never mutated: `next({ ...exchange, request })`. */
export interface Exchange {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly pool: Pool;
  readonly request: OutboundRequest;
  readonly policy: ExchangePolicy;
  /** Fires when the caller aborts or the time is up; its reason is what the caller is given. */
  readonly signal: AbortSignal;
  /** The identity kept by `getKeyProxy()`, if any: it gives the leases of this exchange. */
  readonly pin: Pin | undefined;
  readonly session?: NamedSession | undefined;
  /** Of the session; there from the stage on that leases. */
  readonly identity?: SessionIdentity | undefined;
  /** The Request's waits for the pool, which closing it ends. */
  readonly waits: Waits;
  /** Ids that earlier attempts used: taken again only where no other is ready. */
  readonly avoid: ReadonlySet<string>;
  /** Ids that this exchange takes no more: they were refused. */
  readonly shun?: ReadonlySet<string>;
  /** Set by the credential stage for the stages inside it. */
  readonly lease: Lease | undefined;
  /** The notebook of the whole exchange. */
  readonly trace: Trace;
  /** The notebook of the present attempt: the retry stage opens one for each. */
  readonly attempt: Attempt;
}

/** A pinned identity, see `Request.getKeyProxy`. */
export interface Pin {
  /** Of the key and the proxy. */
  readonly ids: readonly string[];
  /** The session's that it was taken for. */
  readonly identity: SessionIdentity | undefined;
  /** Whether it serves by this version of secrets.json. */
  isIn(version: { readonly endpoint: Endpoint; readonly pool: Pool }): boolean;
  lease(exchange: Exchange): Promise<Lease>;
  /** Gives the reserved use back where no exchange has spent it. */
  release(): Promise<void>;
}

/** The session that a Request names, and when it is to end. */
export interface NamedSession {
  readonly name: string;
  readonly session: Session;
  readonly rules: SessionRules;
}

/** A span of somebody's trace: 32 and 16 hex digits, and the flags of W3C Trace Context. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
}

/**
 * `hit`: a fresh stored reply; `stale`: a stored one past its time; `revalidated`: a stored one that the origin has
 * confirmed; `miss`: the origin's; `bypass`: the origin's, and the cache was not asked.
 */
export type CacheStatus = 'bypass' | 'hit' | 'miss' | 'revalidated' | 'stale';

/** What the stages write down about one exchange; the doors and the log read it. */
export interface Trace {
  /** Epoch ms by the manager's clock. */
  readonly startedAtMs: number;
  /** `performance.now()` at the same moment: durations are measured by it. */
  readonly startedMs: number;
  attempts: number;
  /** Time spent waiting for the pool, the host's pace, and between attempts, in ms. */
  waitedMs: number;
  /** Why the last attempt was not repeated although another might have gone well, in words. */
  notRepeated?: string | undefined;
  cache: CacheStatus;
  cacheKey: string | undefined;
  cacheAgeMs: number | undefined;
  /** Secrets that `getKeyProxy()` has given out, which may stand where no lease of this exchange knows of them. */
  readonly given?: readonly SecretPattern[] | undefined;
  /** Which trace this exchange is part of, where one is known (W3C Trace Context). */
  context?: TraceContext | undefined;
  /** True while the origin is asked whether a stored reply is still valid: then a 304 is about that one. */
  revalidates: boolean;
  /** The attempt that gave the reply, or failed last. */
  last: Attempt | undefined;
}

/** What the stages write down about one attempt. */
export interface Attempt extends WireObservation {
  /** From 1. */
  readonly number: number;
  readonly startedAtMs: number;
  /** Why this attempt repeats the one before it, and after which delay. */
  readonly retry: { readonly reason: string; readonly delayMs: number } | undefined;
  /** The credentials taken, with their counts just after the take. */
  taken: readonly MeterReading[];
  userAgent: string | undefined;
  verdict: Verdict | undefined;
  /** Whom the verdict speaks of, as `URL.host`: another than was asked where a redirect led there. */
  host: string | undefined;
  /** What the reply told of quotas. */
  told: readonly ToldLimit[];
  /** The redirects followed, each as its status and where it led, without the query and free of secrets. */
  hops?: readonly string[];
  /** Writes a placeholder over the secrets that this attempt sent, wherever they stand in a text that came back. */
  hide: ((text: string) => string) | undefined;
  /** Waits of this attempt, in ms. */
  poolMs: number;
  paceMs: number;
  /** The store that all share failed, and this use was counted on this machine alone. */
  isCountedLocally?: boolean;
}

/** A reply on its way back: off the wire, or out of the cache. */
export interface Reply extends WireReply {
  readonly verdict: Verdict;
  /** True where a pool secret stands in the reply, as an echoing server sends it: never stored. */
  readonly echoesSecret: boolean;
  /** The cache keeps these very bytes: who hands them to a caller, who may alter them, hands out a copy. */
  readonly isShared?: boolean;
  /** Set for a streamed body, which is known only at its end. */
  readonly findsSecretIn?: (body: Uint8Array) => boolean;
}

const NONE: readonly never[] = Object.freeze([]);

/** A fresh notebook for an exchange. */
export function openTrace(nowMs: number, given?: Trace['given']): Trace {
  return {
    startedAtMs: nowMs,
    startedMs: performance.now(),
    attempts: 0,
    waitedMs: 0,
    cache: 'bypass',
    cacheKey: undefined,
    cacheAgeMs: undefined,
    given,
    context: undefined,
    revalidates: false,
    last: undefined,
  };
}

/** A fresh notebook for the attempt `number`. */
export function openAttempt(number: number, nowMs: number, retry?: Attempt['retry']): Attempt {
  return {
    number,
    startedAtMs: nowMs,
    retry,
    taken: NONE,
    userAgent: undefined,
    verdict: undefined,
    host: undefined,
    told: NONE,
    hide: undefined,
    poolMs: 0,
    paceMs: 0,
    sent: false,
    redirects: 0,
    bytesSent: 0,
    bytesReceived: 0,
    connectMs: undefined,
    dnsMs: undefined,
    tlsMs: undefined,
    ttfbMs: undefined,
    downloadMs: undefined,
  };
}
