import type { Database, Key } from 'lmdb';
import type { Landing, Take } from './lease-store.js';
import { LANDING_TOLD_MS } from './lease-store.js';

/*
 * l KEY               the lease (Lease, JSON)
 * k UNTIL KEY         nothing: the order in which leases and told landings end
 * n                   the newest token
 */

interface Lease {
  readonly token: number;
  /** Epoch ms. */
  readonly untilMs: number;
  /** Undefined while it is held. */
  readonly landing?: Exclude<Landing, 'left'>;
}

const NOTHING = Buffer.alloc(0);
const TOKEN: Key = ['n'];
const SWEPT_AT_ONCE = 5;
/** A lease that ends later than this was taken before the clock was set back. */
const LONGEST_MS = 60_000;

/** The leases of a cache database; every verb that changes them runs inside a transaction. */
export class LmdbLeases {
  readonly #database: Database<Buffer, Key>;

  constructor(database: Database<Buffer, Key>) {
    this.#database = database;
  }

  /** Somebody has it; to be asked outside a transaction, which all others would wait for. */
  isHeld(key: string, nowMs: number): boolean {
    const lease = this.#read(key);
    return lease !== undefined && lease.landing === undefined && isCurrent(lease, nowMs);
  }

  take(key: string, ttlMs: number, waited: boolean, nowMs: number): Take {
    const lease = this.#read(key);
    const counts = lease !== undefined && isCurrent(lease, nowMs);
    if (counts && lease.landing === undefined) return { state: 'held' };
    if (counts && lease.landing !== undefined && waited) return { state: 'landed', landing: lease.landing };
    this.#sweep(nowMs);
    const token = (this.#database.getBinary(TOKEN)?.readDoubleLE() ?? 0) + 1;
    const packed = Buffer.allocUnsafe(8);
    packed.writeDoubleLE(token);
    this.#database.putSync(TOKEN, packed);
    this.#write(key, lease, { token, untilMs: nowMs + ttlMs });
    return { state: 'taken', token, recent: lease !== undefined };
  }

  renew(key: string, token: number, ttlMs: number, nowMs: number): boolean {
    const lease = this.#read(key);
    if (lease?.token !== token || lease.landing !== undefined) return false;
    this.#write(key, lease, { token, untilMs: nowMs + ttlMs });
    return true;
  }

  release(key: string, token: number, landing: Landing, nowMs: number): void {
    const lease = this.#read(key);
    if (lease?.token !== token || lease.landing !== undefined) return;
    const told = landing === 'left' ? undefined : { token, landing, untilMs: nowMs + LANDING_TOLD_MS };
    this.#write(key, lease, told);
  }

  /** True where a later lease than `token` was taken. */
  isOvertaken(key: string, token: number): boolean {
    const lease = this.#read(key);
    return lease !== undefined && lease.token > token;
  }

  #read(key: string): Lease | undefined {
    const found = this.#database.getBinary(['l', key]);
    return found && (JSON.parse(found.toString()) as Lease);
  }

  #write(key: string, old: Lease | undefined, lease: Lease | undefined): void {
    if (old !== undefined) this.#database.removeSync(['k', old.untilMs, key]);
    if (lease === undefined) {
      this.#database.removeSync(['l', key]);
      return;
    }
    this.#database.putSync(['l', key], Buffer.from(JSON.stringify(lease)));
    this.#database.putSync(['k', lease.untilMs, key], NOTHING);
  }

  #sweep(nowMs: number): void {
    const end = ['k', nowMs - LONGEST_MS, '~'];
    const places = Array.from(this.#database.getKeys({ start: ['k'], end, limit: SWEPT_AT_ONCE }));
    for (const place of places) {
      const [, untilMs, key] = place as [string, number, string];
      this.#database.removeSync(place);
      if (this.#read(key)?.untilMs === untilMs) this.#database.removeSync(['l', key]);
    }
  }
}

function isCurrent({ untilMs }: Lease, nowMs: number): boolean {
  return nowMs < untilMs && untilMs - nowMs <= LONGEST_MS;
}
