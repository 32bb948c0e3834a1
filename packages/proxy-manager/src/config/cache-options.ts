/**
 * How one call meets the cache, in the words of fetch:
 * - `default`: a stored reply while it is fresh, else the origin;
 * - `no-store`: neither read nor written;
 * - `reload`: not read, but written;
 * - `no-cache`: a stored reply only once the origin has confirmed it;
 * - `force-cache`: a stored reply however old, else the origin;
 * - `only-if-cached`: a stored reply however old, else `ERR_NOT_CACHED`: nothing is sent.
 */
export type FetchCacheMode = 'default' | 'force-cache' | 'no-cache' | 'no-store' | 'only-if-cached' | 'reload';

/** What `shouldStore` sees of a request; where a key goes there is `{key}`. */
export interface CacheableExchange {
  readonly endpoint: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly labels: Readonly<Record<string, string>>;
}

/** What `shouldStore` sees of a reply: the whole body, which is to be read only. */
export interface CacheableReply {
  readonly status: number;
  readonly headers: Headers;
  /** The url that answered, after redirects. */
  readonly url: string;
  readonly body: Uint8Array;
  /** The body as text (UTF-8). */
  text(): string;
}

/**
 * How replies are cached. Only good ones ever are: no refusal, no block, no 5xx, none that echoes a key.
 *
 * @example
 * ```ts
 * import { Request } from 'proxy-manager'
 *
 * const req = new Request({
 *   endpoint: 'test_api',
 *   cache: { ttlMs: 60_000, ttlMsByStatus: { 404: 5_000 }, staleIfErrorMs: 3_600_000 },
 * })
 * await req.send('https://api.example.com/items', { headers: { 'x-api-key': '{key}' } })
 * await req.send('https://api.example.com/items', { headers: { 'x-api-key': '{key}' }, cache: 'reload' })
 * await req.close()
 * ```
 */
export interface CachePolicy {
  /**
   * `ttl`: a reply serves for `ttlMs`, whatever its own headers say; scrapers and quotas want it.
   * `http`: the origin's headers decide, as in a browser's private cache (RFC 9111, RFC 5861).
   * @default 'ttl'
   */
  readonly mode?: 'http' | 'ttl';
  /**
   * How long a reply serves, in ms. In http mode: where the origin does not say.
   * @default 86_400_000 (24 h) in ttl mode, in http mode a tenth of the time since `Last-Modified`, at most 24 h
   */
  readonly ttlMs?: number;
  /** Times of their own for some urls, in ms; the first that fits counts. `*` in a string stands for any text; 0: not stored. */
  readonly ttlMsByUrl?: readonly { readonly url: RegExp | string; readonly ttlMs: number }[];
  /** Times of their own for some statuses, in ms, which are thereby stored; where an url has one too, the shorter counts. */
  readonly ttlMsByStatus?: Readonly<Record<number, number>>;
  /**
   * A POST is asked for only once when it is listed: for GraphQL and search APIs. Its body is part of the key.
   * @default ['GET', 'HEAD']
   */
  readonly methods?: readonly ('GET' | 'HEAD' | 'POST' | 'QUERY')[];
  /**
   * The statuses that are stored. 206 and 304 never are: they are parts.
   * @default [200, 203, 204] in ttl mode; in http mode all that the origin's headers allow
   */
  readonly statuses?: readonly number[];
  /**
   * A longer body is not stored; a streamed one then passes on as it comes.
   * @default 10_485_760 (10 MiB)
   */
  readonly maxEntryBytes?: number;
  /**
   * For so long after its time a reply is served at once, while the origin is asked for a new one behind it, in ms.
   * In http mode the reply's own `stale-while-revalidate` counts where it is longer.
   * @default 0
   */
  readonly staleWhileRevalidateMs?: number;
  /**
   * For so long after its time a reply is served where the origin cannot be reached in time, answers 5xx, bars us, or all
   * keys are used up, in ms. In http mode the reply's own `stale-if-error` counts where it is longer.
   * @default 0
   */
  readonly staleIfErrorMs?: number;
  /** Request headers that tell replies apart, beside those in the reply's `Vary`; in ttl mode also `cookie` and the like, which count only when named. */
  readonly varyBy?: readonly string[];
  /**
   * Whether `?b=2&a=1` is the same request as `?a=1&b=2`; what a name is given twice keeps its order.
   * @default false
   */
  readonly sortQuery?: boolean;
  /**
   * Replies belong to the credential that fetched them. It needs one that is known before the lookup: that of a
   * `session`, or after `getKeyProxy()`.
   * @default false: all credentials of all endpoints share them
   */
  readonly perCredential?: boolean;
  /** Names that entries can be deleted by. */
  readonly tags?: readonly string[];
  /** Asked last, before a reply is stored: only `true` stores it. What it throws is told as a warning, and nothing is stored. */
  readonly shouldStore?: (exchange: CacheableExchange, reply: CacheableReply) => boolean;
}
