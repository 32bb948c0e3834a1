import type { VerdictName } from '../pool/verdict.js';
import type { Secret } from '../secret.js';

export type CalendarPeriod = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';

export interface Quota {
  /** Uses that it holds. */
  readonly limit: number;
  /**
   * How far the provider's clock and count may be off ours: a use counts in every window that it may be in for the
   * provider. At most half of the window. @default 0
   */
  readonly marginMs?: number;
}

/** At most `limit` uses within `everyMs`, counted from the first use; then it opens anew. */
export interface FixedWindow extends Quota {
  readonly everyMs: number;
}

/** At most `limit` uses in any stretch of `withinMs`. */
export interface SlidingWindow extends Quota {
  readonly withinMs: number;
}

/** At most `limit` uses in each calendar period by the clocks of `timezone` (IANA); a week begins on Monday. */
export interface CalendarWindow extends Quota {
  readonly per: CalendarPeriod;
  readonly timezone: string;
}

/** One window of a quota. */
export type WindowSpec = CalendarWindow | FixedWindow | SlidingWindow;

/** A quota that several meters of one section share. */
export interface Account {
  readonly id: string;
  readonly windows: readonly WindowSpec[];
}

/** What the usage stores count: an id under its windows, and those of its account. No window: unlimited, yet counted. */
export interface Meter {
  readonly id: string;
  readonly windows: readonly WindowSpec[];
  /** The meters of a section that name one account id name equal windows for it. */
  readonly account?: Account;
}

export interface KeyCredential extends Meter {
  readonly secret: Secret;
}

export interface ProxyCredential extends Meter {
  readonly protocol: 'http' | 'https' | 'socks5';
  readonly hostname: string;
  readonly port: number;
  /** `username:password`, percent-decoded; undefined for a proxy without a password. */
  readonly userinfo: Secret | undefined;
}

/** How a key travels where secrets.json says so: a template per header or query parameter, `{key}` being the key. */
export interface Apply {
  readonly headers: readonly (readonly [name: string, template: string])[];
  readonly query: readonly (readonly [name: string, template: string])[];
}

/** The slots of each host of an endpoint: how many at once, and the least time between two starts. */
export interface Pace {
  readonly concurrency: number | undefined;
  readonly minTimeMs: number;
  readonly reservoir: { readonly starts: number; readonly everyMs: number } | undefined;
}

/** What a reply that meets all of its conditions says, in place of what its status says. */
export interface OutcomeRule {
  readonly statuses: ReadonlySet<number> | undefined;
  readonly headers: readonly (readonly [name: string, pattern: RegExp])[];
  readonly body: RegExp | undefined;
  readonly size: { readonly minBytes?: number; readonly maxBytes?: number } | undefined;
  readonly verdict: VerdictName;
}

/** The TLS options of an endpoint, in PEM. */
export interface TlsIdentity {
  /** Tells it from others. */
  readonly id: string;
  /** In place of the certificates that Node trusts. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: Secret | undefined;
  readonly passphrase: Secret | undefined;
}

/** One endpoint of secrets.json, checked and frozen. At least one of `keys` and `proxies` is there. */
export interface Endpoint {
  readonly name: string;
  readonly keys: readonly KeyCredential[] | undefined;
  readonly proxies: readonly ProxyCredential[] | undefined;
  /** Hosts this endpoint may send to, in lower case, `*.example.com` for subdomains; undefined: any. */
  readonly hosts: readonly string[] | undefined;
  readonly apply: Apply | undefined;
  readonly pace: Pace | undefined;
  /** Whom TLS trusts at this endpoint's origins, and as whom it shows itself there; absent: as Node does, as nobody. */
  readonly tls?: TlsIdentity;
  /** The first that matches decides. */
  readonly outcomes?: readonly OutcomeRule[] | undefined;
}

/** The endpoints of one secrets.json by name. */
export type Endpoints = ReadonlyMap<string, Endpoint>;
