/** How a flight ended, for those who waited for it. */
export type Landing =
  /** The reply is in the store. */
  | 'stored'
  /** There is a reply or an error, and nothing that could be shared: each goes for itself. */
  | 'fruitless'
  /** The leader gave up before there was an answer: the next one leads. */
  | 'left';

export type Take =
  /** `recent`: somebody landed a moment ago, so the store may have what a lookup before the take has missed. */
  | { readonly state: 'taken'; readonly token: number; readonly recent: boolean }
  | { readonly state: 'held' }
  | { readonly state: 'landed'; readonly landing: 'fruitless' | 'stored' };

/**
 * Leases on cache keys, which processes and machines take in turn to fetch a reply once. Every verb is atomic, and a
 * lease that is not renewed within `ttlMs` is anybody's. Held by `leaseStoreContract`.
 */
export interface LeaseStore {
  /** How soon a lease that is held is worth another try, and at most how late, in ms. */
  readonly retryMs: { readonly first: number; readonly last: number };
  /**
   * Takes the lease where it is free. The token is greater than that of every earlier lease on the key: `set` refuses
   * the write of a leader that another one has overtaken. `waited` is true for those who found it held before; only
   * they are told how the flight ended.
   */
  take(key: string, ttlMs: number, waited: boolean): Promise<Take>;
  /** As `take` for who has not waited, where that can be told without waiting; undefined says that `take` is to be asked. */
  takeAtOnce?(key: string, ttlMs: number): Take | undefined;
  /** False where the lease is lost. */
  renew(key: string, token: number, ttlMs: number): Promise<boolean>;
  /** Lets go, and tells the landing to whoever waits; nothing where the lease is lost. */
  release(key: string, token: number, landing: Landing): Promise<void>;
  /** As `release`, where nobody else could wait: true if that is all there was to do; false says that `release` is to be asked. */
  releaseAtOnce?(key: string, token: number): boolean;
}

/** How long a landing is told to those who wait; longer than any of them naps. */
export const LANDING_TOLD_MS = 2_000;
