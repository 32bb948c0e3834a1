import type { Database, Key } from 'lmdb';
import type { Landing, Take } from './lease-store.js';
import { LANDING_TOLD_MS } from './lease-store.js';
import { keyPlace } from './places.js';

/*
 * l PLACE             the lease: its token and its end, as doubles, and how the flight landed
 *
 * Two keys of one place would only wait for one another.
 */

interface Lease {
  readonly token: number;
  /** Epoch ms. */
  readonly untilMs: number;
  /** Undefined while it is held. */
  readonly landing: Landing | undefined;
}

/** A lease that ends later than this was taken before the clock was set back. */
const LONGEST_MS = 60_000;
/** Before that a lease that was taken here is not looked at again, nor is one removed that ended more recently. */
const KEPT_MS = LANDING_TOLD_MS + 500;
const SWEPT_AT_ONCE = 5;
/** Tokens of one key taken within a millisecond. */
const TOKENS_A_MS = 1_000;
const LANDINGS = [undefined, 'stored', 'fruitless', 'left'] as const;

/** The leases of a cache database; every verb that changes them runs inside a transaction. */
export class LmdbLeases {
  readonly #database: Database<Buffer, Key>;
  /** Taken here, and when, the earliest first: each process clears up after itself. */
  #taken: { readonly place: number; readonly atMs: number }[] = [];
  #swept = 0;
  #tokens = 0;
  /** Of those that are held here, by token: when they end. */
  readonly #ends = new Map<number, number>();

  constructor(database: Database<Buffer, Key>) {
    this.#database = database;
  }

  /** Somebody has it; to be asked outside a transaction, which all others would wait for. */
  isHeld(key: string, nowMs: number): boolean {
    const lease = this.#read(keyPlace(key));
    return lease !== undefined && lease.landing === undefined && isCurrent(lease, nowMs);
  }

  /** What a take would find: not free, or the token that it would get. */
  look(key: string, waited: boolean, nowMs: number): Take {
    const lease = this.#read(keyPlace(key));
    if (lease !== undefined && isCurrent(lease, nowMs)) {
      const { landing } = lease;
      if (landing === undefined) return { state: 'held' };
      if (waited && landing !== 'left') return { state: 'landed', landing };
    }
    const token = Math.max((lease?.token ?? 0) + 1, this.#newToken(nowMs));
    return { state: 'taken', token, recent: lease !== undefined };
  }

  take(key: string, ttlMs: number, waited: boolean, nowMs: number): Take {
    const take = this.look(key, waited, nowMs);
    if (take.state !== 'taken') return take;
    this.#sweep(nowMs);
    this.#hold(keyPlace(key), take.token, nowMs + ttlMs, nowMs);
    return take;
  }

  /** Makes a lease known that was taken before; not over a later one, nor one that has ended by now. */
  hold(key: string, token: number, untilMs: number, nowMs: number): void {
    const place = keyPlace(key);
    if (nowMs < untilMs && (this.#read(place)?.token ?? 0) < token) this.#hold(place, token, untilMs, nowMs);
  }

  /** Remembers when a lease ends that stands nowhere else: what is stored for it long after that is refused. */
  remember(token: number, untilMs: number): void {
    this.#ends.set(token, untilMs);
  }

  forget(token: number): void {
    this.#ends.delete(token);
  }

  renew(key: string, token: number, ttlMs: number, nowMs: number): boolean {
    const place = keyPlace(key);
    const lease = this.#read(place);
    if (lease?.token !== token || lease.landing !== undefined) return false;
    this.#write(place, { token, untilMs: nowMs + ttlMs, landing: undefined });
    this.#ends.set(token, nowMs + ttlMs);
    return true;
  }

  release(key: string, token: number, landing: Landing, nowMs: number): void {
    this.#ends.delete(token);
    const place = keyPlace(key);
    const lease = this.#read(place);
    if (lease?.token !== token || lease.landing !== undefined) return;
    this.#write(place, { token, untilMs: nowMs + LANDING_TOLD_MS, landing });
  }

  /** True where a later lease than `token` was taken, or that ended so long ago that nobody knows. */
  isOvertaken(key: string, token: number, nowMs: number): boolean {
    const lease = this.#read(keyPlace(key));
    return lease === undefined ? nowMs >= (this.#ends.get(token) ?? Infinity) + KEPT_MS : lease.token > token;
  }

  /** Clears up after processes that are no more. */
  sweepAll(nowMs: number): void {
    const keys = Array.from(this.#database.getKeys({ start: ['l'], end: ['m'] }));
    for (const key of keys) this.#drop((key as [string, number])[1], nowMs);
  }

  #hold(place: number, token: number, untilMs: number, nowMs: number): void {
    this.#write(place, { token, untilMs, landing: undefined });
    this.#ends.set(token, untilMs);
    this.#taken.push({ place, atMs: nowMs });
  }

  #newToken(nowMs: number): number {
    this.#tokens = (this.#tokens + 1) % TOKENS_A_MS;
    return nowMs * TOKENS_A_MS + this.#tokens;
  }

  #read(place: number): Lease | undefined {
    const found = this.#database.getBinaryFast(['l', place]);
    return (
      found && { token: found.readDoubleLE(0), untilMs: found.readDoubleLE(8), landing: LANDINGS[found.readUInt8(16)] }
    );
  }

  #write(place: number, { token, untilMs, landing }: Lease): void {
    const packed = Buffer.allocUnsafe(17);
    packed.writeDoubleLE(token, 0);
    packed.writeDoubleLE(untilMs, 8);
    packed.writeUInt8(LANDINGS.indexOf(landing), 16);
    this.#database.putSync(['l', place], packed);
  }

  #sweep(nowMs: number): void {
    for (let left = SWEPT_AT_ONCE; left > 0; left--) {
      const taken = this.#taken[this.#swept];
      if (taken === undefined || Math.abs(nowMs - taken.atMs) < KEPT_MS) break;
      this.#swept++;
      if (!this.#drop(taken.place, nowMs)) this.#taken.push({ place: taken.place, atMs: nowMs });
    }
    if (this.#swept < 1_000) return;
    this.#taken = this.#taken.slice(this.#swept);
    this.#swept = 0;
  }

  /** False where it may still be of use. */
  #drop(place: number, nowMs: number): boolean {
    const lease = this.#read(place);
    if (lease === undefined) return true;
    if (Math.abs(nowMs - lease.untilMs) < KEPT_MS || isCurrent(lease, nowMs)) return false;
    this.#database.removeSync(['l', place]);
    return true;
  }
}

function isCurrent({ untilMs }: Lease, nowMs: number): boolean {
  return nowMs < untilMs && untilMs - nowMs <= LONGEST_MS;
}
