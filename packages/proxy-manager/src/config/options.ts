import type { AxiosRequestConfig } from 'axios';
import type { CacheStore } from '../cache/cache-store.js';
import type { Clock } from '../clock.js';
import type { BodyPolicy, ServiceIdentity } from '../log/record-policy.js';
import type { TraceOptions } from '../telemetry/tracing.js';
import type { ExchangeSink } from '../log/exchange-log.js';
import type { ProxyManager } from '../proxy-manager.js';
import type { OutcomeFunction } from '../pool/outcome.js';
import type { Transport } from '../transport/transport.js';
import type { UsageStore } from '../usage/usage-store.js';
import type { CachePolicy, FetchCacheMode } from './cache-options.js';
import type {
  ElasticsearchClient,
  ElasticsearchOptions,
  RedisClient,
  RedisClusterSettings,
  RedisSettings,
} from './peers.js';
import type { SecretsFile } from './secrets.js';

/** When and how often a request is repeated, with another key or proxy where there is one. */
export interface RetryOptions {
  /**
   * Attempts in all, the first one included.
   * @default 3
   */
  readonly attempts?: number;
  /** One deadline over all attempts and waits, in ms; past it: `ERR_DEADLINE`. Default: none. */
  readonly deadlineMs?: number;
  /**
   * Also repeat methods that are not idempotent (RFC 9110 §9.2.2), such as POST.
   * @default false
   */
  readonly unsafe?: boolean;
}

/** What is logged, and where it goes besides Elasticsearch. */
export interface LogOptions {
  /** Further places that every record is shipped to from the spool. */
  readonly sinks?: readonly ExchangeSink[];
  /**
   * Bound of the spool in bytes, all processes on `dataDir` together: beyond it the oldest records are removed.
   * @default 1_073_741_824 (1 GiB)
   */
  readonly maxBytes?: number;
  /**
   * How long the spool keeps a record, in days.
   * @default 30
   */
  readonly maxDays?: number;
  /**
   * How long Elasticsearch keeps a record, in days: the data stream's lifecycle, told to it with the templates.
   * @default 30
   */
  readonly retentionDays?: number;
  /**
   * The part of the successful exchanges that is logged, from 0 to 1; what fails always is.
   * @default 1
   */
  readonly sample?: number;
  /**
   * Print a line for every record on standard error, too.
   * @default false
   */
  readonly console?: boolean;
  /** Who sends: `service.*` of every document. */
  readonly service?: ServiceIdentity;
  /** Names of header fields to log, of request and reply; credentials among them show as `[redacted]`. Default: none. */
  readonly headers?: readonly string[];
  /** Log bodies that are text, up to `maxBytes` each, where the reply has one of the `statuses`. Default: none. */
  readonly bodies?: BodyPolicy;
}

/** What a ProxyManager is made of; everything has a default, and without servers it works embedded in `dataDir`. */
export interface ManagerOptions {
  /**
   * The pool: a path, a `file:` URL, or the object itself.
   * @default './secrets.json', else './configs/secrets.json'
   */
  readonly secrets?: string | URL | SecretsFile;
  /**
   * Read secrets.json again when it changes. A version that is wrong is a Node.js warning (`SecretsWarning`), and the one
   * before it stays in force. Not together with `secrets` as an object.
   * @default false
   */
  readonly watch?: boolean;
  /**
   * Where counts, cache and log are kept; several processes may share it.
   * @default '.proxy-manager'
   */
  readonly dataDir?: string;
  /**
   * Redis for the usage counts of many machines: url, ioredis options (with `sentinels` and `name` for Sentinel),
   * `{ nodes, ...options }` for a Cluster, or an ioredis client (which stays open).
   */
  readonly redis?: string | RedisSettings | RedisClusterSettings | RedisClient | undefined;
  /** Elasticsearch for cache and log, and for the usage counts where `usage` says so: url, client options, or a client (which stays open). */
  readonly elasticsearch?: string | ElasticsearchOptions | ElasticsearchClient | undefined;
  /**
   * Install or update the index templates.
   * @default true
   */
  readonly installAssets?: boolean;
  /** Where uses are counted. Default: Redis when it is configured, else embedded; Elasticsearch only when it is named here. */
  readonly usage?: 'elasticsearch' | 'embedded' | 'memory' | 'redis' | UsageStore;
  /**
   * When the store of the usage counts fails: `refuse` sends nothing uncounted (`ERR_STORE`); `local` counts in `dataDir`
   * meanwhile, so that every machine has the whole quota once more, and says so in the log.
   * @default 'refuse'
   */
  readonly onStoreFailure?: 'local' | 'refuse';
  readonly cache?: {
    /** Where replies are kept, behind the memory tier. Default: Elasticsearch when it is configured, else Redis, else embedded. */
    readonly store?: 'elasticsearch' | 'embedded' | 'memory' | 'redis' | CacheStore;
    /**
     * Bound of the memory tier in bytes.
     * @default 67_108_864 (64 MiB)
     */
    readonly memoryMaxBytes?: number;
    /**
     * How long a copy in memory serves without asking the store again, in ms. Embedded and Redis stores tell at once what
     * other processes change, so it counts only for Elasticsearch, a store of your own, and while Redis is away.
     * @default 30_000
     */
    readonly memoryMaxAgeMs?: number;
    /**
     * Bound of the embedded store and the Redis store in bytes, for all who share it; the least recently used replies go
     * first.
     * @default 1_073_741_824 (1 GiB), in Redis 268_435_456 (256 MiB)
     */
    readonly maxBytes?: number;
  };
  readonly log?: LogOptions;
  /** Which trace an exchange is part of. Default: that of the active OpenTelemetry span, if there is one. */
  readonly trace?: TraceOptions;
  /** Defaults for every Request of this manager. */
  readonly retry?: RetryOptions;
  /** Wait for an exhausted pool: `true` as long as it takes, or at most so many ms. Default: not at all. */
  readonly wait?: boolean | number;
  /** As `ExchangeOptions.outcome`, for every Request of this manager. */
  readonly outcome?: OutcomeFunction;
  /** The key of the HMAC that makes an id out of a secret; the same on all machines that share stores. Default: a published constant. */
  readonly fingerprintKey?: string;
  /** Sends the bytes in place of the built-in undici transport. */
  readonly transport?: Transport;
  readonly clock?: Clock;
}

/** Which real user agents are picked from: those where every field given is equal, or matches. */
export interface UserAgentFilter {
  readonly deviceCategory?: 'desktop' | 'mobile' | 'tablet';
  /** `navigator.platform`: `Win32`, `MacIntel`, `Linux x86_64`, `iPhone`, … */
  readonly platform?: RegExp | string;
  /** `navigator.vendor`: `Google Inc.`, `Apple Computer, Inc.`, or nothing for Firefox. */
  readonly vendor?: RegExp | string;
  /** The user agent itself. */
  readonly userAgent?: RegExp | string;
}

/** The extras of a call, or of all calls of a Request, beside axios's own options. */
export interface ExchangeOptions {
  /**
   * Look for a stored reply before sending, and store good ones: `true` for the defaults, a policy, or one of fetch's
   * modes. What a call says goes over what its Request says, field by field. Default: false.
   */
  readonly cache?: boolean | CachePolicy | FetchCacheMode;
  readonly retry?: RetryOptions;
  /** Wait for an exhausted pool: `true` as long as it takes, or at most so many ms. */
  readonly wait?: boolean | number;
  /**
   * Reads each reply that came off the network and says what it means, where its status, the `outcomes` of secrets.json
   * and its headers do not: a verdict, or `{ verdict, retryAt, limit, remaining }`; undefined leaves it as it is. An
   * error that it throws is given to the caller of `send`.
   */
  readonly outcome?: OutcomeFunction;
  /** Strings for the log, under `labels.*`. */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * `true`: a realistic one per credential, with matching client hints; a filter: one of those that pass it; `false`:
   * none; a string: this one.
   * A `user-agent` header of the call always wins.
   * @default true
   */
  readonly userAgent?: boolean | string | UserAgentFilter;
  /**
   * `false`: a redirect's further hops count no use of the credential, where the provider counts none either.
   * @default true
   */
  readonly countRedirects?: boolean;
}

/** The extras of one call. With axios's own options: `AxiosRequestConfig & CallOptions`. */
export interface CallOptions extends ExchangeOptions {
  /**
   * Uses that this call counts against the quota.
   * @default 1
   */
  readonly cost?: number;
}

/** What `request.fetch` takes as `init`: fetch's own words, and the extras. */
export interface FetchOptions extends CallOptions, Omit<RequestInit, 'cache'> {
  /** Bound of getting the reply, over all attempts, in ms; 0: none. Default: the Request's. */
  readonly timeout?: number;
}

/** A WHATWG `fetch`, which takes the extras of a call too. */
export type Fetch = typeof globalThis.fetch &
  ((input: string | URL | globalThis.Request, init?: FetchOptions) => Promise<Response>);

/** One identity under a name, and when it ends. */
export interface SessionOptions {
  readonly name: string;
  /**
   * Its age in ms.
   * @default Infinity
   */
  readonly maxAgeMs?: number;
  /**
   * Attempts it is used for.
   * @default Infinity
   */
  readonly maxUses?: number;
  /**
   * Attempts in a row that were throttled or found its quota spent. One that was blocked or refused, or whose proxy is
   * dead, ends it at once.
   * @default 3
   */
  readonly maxErrors?: number;
}

/** `new Request(options)`: the endpoint, the extras, and axios's defaults (`baseURL`, `headers`, `timeout`, `params`, …). */
export interface RequestDefaults extends ExchangeOptions, Omit<AxiosRequestConfig, 'adapter' | 'method' | 'url'> {
  /** Use only the keys or only the proxies of an endpoint that stands in both sections. Default: both together. */
  readonly secretType?: 'ip' | 'key';
  /**
   * A name under which the same key, proxy, user agent and cookies serve every request of this endpoint, until the
   * session ends: also in other Requests of the manager, and after a restart. Default: none.
   */
  readonly session?: string | SessionOptions;
}

/** With `manager` the Request lives on it; without, all Requests of a process with equal settings share one. */
export type RequestOptions = RequestDefaults & { readonly endpoint: string } & (
    | { readonly manager: ProxyManager }
    | ({ readonly manager?: never } & Omit<ManagerOptions, 'cache' | 'outcome' | 'retry' | 'transport' | 'wait'>)
  );

/** One call: fetch's words (`body`) or axios's (`data`), and the extras. */
export interface SendOptions extends CallOptions, Omit<AxiosRequestConfig, 'adapter' | 'headers' | 'url'> {
  readonly url?: string | URL;
  readonly headers?: AxiosRequestConfig['headers'] | Headers | Iterable<readonly [string, string]>;
  /** As fetch's `body`; not together with `data`. */
  readonly body?: unknown;
}
