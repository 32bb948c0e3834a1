import { setTimeout as sleep } from 'node:timers/promises';
import type { Landing, LeaseStore, Take } from './lease-store.js';

/** A lease that is renewed until it is let go. */
export interface HeldLease {
  readonly token: number;
  /** Lets go when `after` has settled; never rejects, since what cannot be let go runs out. */
  release(landing: Landing, after?: Promise<unknown>): Promise<void>;
}

/** Asks again and again while somebody else holds the lease; rejects when the signal fires while it naps. */
export async function takeLease(
  leases: LeaseStore,
  key: string,
  leaseMs: number,
  signal: AbortSignal,
): Promise<Exclude<Take, { state: 'held' }>> {
  let napMs = leases.retryMs.first;
  for (let waited = false; ; waited = true) {
    const answer = await leases.take(key, leaseMs, waited);
    if (answer.state !== 'held') return answer;
    // Not all at the same moment.
    await sleep(napMs * (0.75 + Math.random() / 2), undefined, { signal });
    napMs = Math.min(leases.retryMs.last, napMs * 1.5);
  }
}

export function heldLease(leases: LeaseStore, key: string, token: number, leaseMs: number): HeldLease {
  async function renew(): Promise<void> {
    const isMine = await leases.renew(key, token, leaseMs).catch(() => true);
    if (!isMine) clearInterval(renewing);
  }
  const renewing = setInterval(() => void renew(), leaseMs / 3).unref();
  return {
    token,
    async release(landing, after) {
      await after?.catch(() => {});
      clearInterval(renewing);
      await leases.release(key, token, landing).catch(() => {});
    },
  };
}
