import type { VerdictName } from '../pool/verdict.js';

/** One limit, with one of `within`, `every` and `per`. Durations are written `500ms`, `60s`, `5m`, `24h` or `7d`. */
export interface LimitEntry {
  /** Uses that the window holds. */
  readonly uses: number;
  /** A sliding window: at most `uses` in any stretch of this length. */
  readonly within?: string;
  /** A fixed window: at most `uses` until this long after the first. */
  readonly every?: string;
  /** At most `uses` in each calendar period; a week begins on Monday. */
  readonly per?: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';
  /** Whose clocks `per` goes by, an IANA name. @default 'UTC' */
  readonly timezone?: string;
  /** How far the provider's window may be off ours, the way there included, at most half of the window. Absent: not. */
  readonly margin?: string;
}

/** A key, or `env:NAME` to take it from the environment. The id is shown in logs in its place. */
export type KeyEntry =
  | string
  | {
      /** Absent: a fingerprint of the key. */
      readonly id?: string;
      readonly key: string;
      /** Keys with the same account share one count under the endpoint's limits. */
      readonly account?: string;
      /** Of this key alone; in place of the endpoint's limits where it has no account. */
      readonly limits?: readonly LimitEntry[];
    };

/** How a key travels: templates with `{key}` per header or query parameter; a string is that of `authorization`. */
export type ApplyEntry =
  | string
  | {
      readonly headers?: Readonly<Record<string, string>>;
      readonly query?: Readonly<Record<string, string>>;
    };

export interface PaceEntry {
  /** Requests under way at once, per host. */
  readonly concurrency?: number;
  /** Least time between two starts, per host, in ms. */
  readonly minTimeMs?: number;
  /** So many starts for each stretch of `everyMs`, per host; a new stretch fills it up again. */
  readonly reservoir?: { readonly starts: number; readonly everyMs: number };
}

/** What a reply that meets all conditions means. Patterns are regular expressions, whatever the case of letters. */
export interface OutcomeEntry {
  /** `403`, `"5xx"`, or a list of them. */
  readonly status?: number | string | readonly (number | string)[];
  /** A pattern for each header that must be there. */
  readonly header?: Readonly<Record<string, string>>;
  /** A pattern in the first 256 KiB of the body. */
  readonly body?: string;
  /** Of the body, after decoding. */
  readonly size?: { readonly minBytes?: number; readonly maxBytes?: number };
  readonly verdict: VerdictName;
}

/** Each PEM text, `env:NAME`, or the path of a file. */
export interface TlsEntry {
  /** Certificates to trust in place of Node's. */
  readonly ca?: string;
  /** The client's certificate and its private key. */
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

export interface EndpointEntry {
  /** Uses of each key or proxy within `refresh_rate`. Absent: unlimited. */
  readonly limit?: number;
  /** Minutes after its first use at which the count of a key or proxy starts anew; goes with `limit`. */
  readonly refresh_rate?: number;
  /** More limits, which hold all at once. */
  readonly limits?: readonly LimitEntry[];
  /** Hosts that requests of this endpoint may go to, `*.example.com` for subdomains. Absent: any. */
  readonly hosts?: readonly string[];
  readonly pace?: PaceEntry;
  readonly tls?: TlsEntry;
  /** The first that matches decides, before what the status means by itself. */
  readonly outcomes?: readonly OutcomeEntry[];
}

export interface KeyEndpointEntry extends EndpointEntry {
  readonly keys: readonly KeyEntry[];
  /** Absent: the caller writes `{key}` where the key goes. */
  readonly apply?: ApplyEntry;
}

export interface ProxyEndpointEntry extends EndpointEntry {
  /** In place of the file's `ips`. */
  readonly proxies?: readonly string[];
}

/**
 * The content of secrets.json; an endpoint that stands in both sections uses a key and a proxy together.
 *
 * @example
 * ```ts
 * import { ProxyManager } from 'proxy-manager'
 *
 * const manager = new ProxyManager({
 *   secrets: { key_based: { weather: { limit: 250, refresh_rate: 1440, keys: ['env:WEATHER_KEY'], apply: 'Bearer {key}' } } },
 * })
 * ```
 */
export interface SecretsFile {
  readonly $schema?: string;
  readonly key_based?: Readonly<Record<string, KeyEndpointEntry>>;
  readonly ip_based?: Readonly<Record<string, ProxyEndpointEntry>>;
  /** Proxies that serve every `ip_based` endpoint without a list of its own. */
  readonly ips?: readonly string[];
}
