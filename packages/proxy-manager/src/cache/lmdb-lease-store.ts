import type { Clock } from '../clock.js';
import type { LeaseStore, Take } from './lease-store.js';
import type { LmdbCompany } from './lmdb-company.js';
import type { LmdbLeases } from './lmdb-leases.js';

export interface LeaseStoreOptions {
  readonly clock: Clock;
  /** What is open; a promise before the first use. */
  readonly opened: () => Leasing | Promise<Leasing>;
  readonly transact: <T>(change: (leasing: Leasing) => T) => Promise<T>;
  /** A change that nobody waits for long. */
  readonly transactSoon: <T>(change: (leasing: Leasing) => T) => Promise<T>;
}

export interface Leasing {
  readonly leases: LmdbLeases;
  readonly company: LmdbCompany;
}

/** Of one who flies alone. */
interface LoneLease {
  readonly token: number;
  /** Epoch ms. */
  untilMs: number;
  /** Somebody came: it stands in the database, too. */
  isKnown: boolean;
}

export interface LmdbLeaseStore extends LeaseStore {
  /** Inside a transaction: whether a later lease than `token` was taken. */
  isOvertaken(key: string, token: number, leasing: Leasing): boolean;
  /** Ends the watch and takes no more, before the last transaction. */
  close(): void;
}

/** So long somebody who comes waits for those that fly alone. */
const WATCH_MS = 25;
/** Without a lease for so many looks, one flies alone no more. */
const QUIET_LOOKS = 40;

/**
 * Leases in lmdb. A process that has the cache for itself keeps them in memory, which costs next to nothing, and writes
 * them down as soon as another one comes (lmdb-company.ts).
 */
export function lmdbLeaseStore({ clock, opened, transact, transactSoon }: LeaseStoreOptions): LmdbLeaseStore {
  const lone = new Map<string, LoneLease>();
  let watching: NodeJS.Timeout | undefined;
  let quiet = 0;
  let isClosed = false;

  /** Whoever has left would count itself in again, and watch a database that may be closed. */
  function assertOpen(): void {
    if (isClosed) throw new Error('the cache is closed');
  }

  function takeAlone(key: string, ttlMs: number, waited: boolean, { leases, company }: Leasing): Take {
    const nowMs = clock.now();
    if (nowMs < (lone.get(key)?.untilMs ?? 0)) return { state: 'held' };
    // Of those who were here before.
    const take = leases.look(key, waited, nowMs);
    if (take.state !== 'taken') return take;
    lone.set(key, { token: take.token, untilMs: nowMs + ttlMs, isKnown: false });
    leases.remember(take.token, nowMs + ttlMs);
    watching ??= setInterval(() => watch(company), WATCH_MS).unref();
    // How the one that was waited for has landed stands nowhere.
    return waited ? { ...take, recent: true } : take;
  }

  function watch(company: LmdbCompany): void {
    quiet = lone.size === 0 ? quiet + 1 : 0;
    const isOver = quiet >= QUIET_LOOKS;
    if (!isOver && company.isStillAlone) return;
    clearInterval(watching);
    watching = undefined;
    quiet = 0;
    // What cannot be written down runs out for those elsewhere, who wait no longer than for one that died.
    void transact(goTogether).catch(() => {});
  }

  function goTogether({ leases, company }: Leasing): void {
    for (const [key, lease] of lone) {
      leases.hold(key, lease.token, lease.untilMs, clock.now());
      lease.isKnown = true;
    }
    company.goTogether();
  }

  function takeTogether(key: string, ttlMs: number, waited: boolean, leasing: Leasing): Take {
    const { leases, company } = leasing;
    goTogether(leasing);
    return company.isSettled(clock.now()) ? leases.take(key, ttlMs, waited, clock.now()) : { state: 'held' };
  }

  /** Forgets it here; true where that is all there is to do. */
  function dropLone(key: string, token: number, { leases }: Leasing): boolean {
    const lease = lone.get(key);
    if (lease?.token !== token) return false;
    lone.delete(key);
    if (!lease.isKnown) leases.forget(token);
    return !lease.isKnown;
  }

  return {
    retryMs: { first: 5, last: 100 },
    takeAtOnce(key, ttlMs) {
      const near = opened();
      if (isClosed || near instanceof Promise || !near.company.isStillAlone) return undefined;
      return takeAlone(key, ttlMs, false, near);
    },
    async take(key, ttlMs, waited) {
      assertOpen();
      const near = await opened();
      assertOpen();
      if (near.company.isStillAlone) return takeAlone(key, ttlMs, waited, near);
      if (waited && near.leases.isHeld(key, clock.now())) return { state: 'held' };
      try {
        return await transact((leasing) => {
          assertOpen();
          return leasing.company.goAlone(clock.now())
            ? takeAlone(key, ttlMs, waited, leasing)
            : takeTogether(key, ttlMs, waited, leasing);
        });
      } catch (error) {
        near.company.forget();
        throw error;
      }
    },
    async renew(key, token, ttlMs) {
      const near = await opened();
      const lease = lone.get(key);
      if (lease?.token !== token || lease.isKnown)
        return transact(({ leases }) => leases.renew(key, token, ttlMs, clock.now()));
      lease.untilMs = clock.now() + ttlMs;
      near.leases.remember(token, lease.untilMs);
      return true;
    },
    releaseAtOnce(key, token) {
      const near = opened();
      return !(near instanceof Promise) && dropLone(key, token, near);
    },
    async release(key, token, landing) {
      const near = await opened();
      if (dropLone(key, token, near)) return;
      const change = ({ leases }: Leasing): void => leases.release(key, token, landing, clock.now());
      // What is stored is in this process's memory, where the next one finds it; without that it goes on to the origin.
      await (landing === 'stored' ? transactSoon(change) : transact(change));
    },
    isOvertaken: (key, token, { leases }) =>
      (lone.get(key)?.token ?? 0) > token || leases.isOvertaken(key, token, clock.now()),
    close() {
      isClosed = true;
      clearInterval(watching);
      watching = undefined;
    },
  };
}
