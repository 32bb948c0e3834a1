import type { Endpoint, KeyCredential, ProxyCredential } from '../config/resolve.js';
import type { MeterReading } from '../usage/usage-store.js';
import type { ToldLimit } from './told-limits.js';
import type { Verdict } from './verdict.js';

/** What an attempt shows beside its verdict. */
export interface Seen {
  /** Whom the verdict speaks of, as `URL.host`. */
  readonly host?: string | undefined;
  /** The quotas of the credential. */
  readonly told?: readonly ToldLimit[];
}

/** One counted use of a key, a proxy or both, held from just before the wire until its verdict is known. */
export interface Lease {
  readonly key: KeyCredential | undefined;
  readonly proxy: ProxyCredential | undefined;
  /** The endpoint as it stood then, where secrets.json may change. */
  readonly endpoint?: Endpoint;
  /** The counts just after the take. */
  readonly taken: readonly MeterReading[];
  /** Counted on this machine alone, since the store that all share failed. */
  readonly isLocal?: boolean;
  /** Counts `cost` more uses on the same credentials: a redirect's further hop. */
  charge(cost: number): Promise<void>;
  /**
   * Ends the lease, the first call wins: does what the verdict asks for (undefined: nothing is known), `seen` being whom
   * it speaks of and what it tells of quotas, and gives the uses back where `sent` is false, that is, surely nothing reached the wire. Never rejects;
   * undefined: it is done already.
   */
  settle(verdict: Verdict | undefined, sent: boolean, seen?: Seen): Promise<void> | undefined;
}
