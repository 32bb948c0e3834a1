import { setTimeout as sleep } from 'node:timers/promises';
import type { Landing, LeaseStore, Take } from './lease-store.js';

/** A lease that is renewed until it is let go. */
export interface HeldLease {
  readonly token: number;
  /**
   * Lets go when `after` has settled; undefined where that is done at once. It never rejects, since what cannot be let go
   * runs out.
   */
  release(landing: Landing, after?: Promise<unknown>): Promise<void> | undefined;
}

/**
 * Asks again and again while somebody else holds the lease, and for as long as that one lasts also where nobody can be asked
 * for a moment; rejects when the signal fires while it naps.
 */
export async function takeLease(
  leases: LeaseStore,
  key: string,
  leaseMs: number,
  signal: AbortSignal,
): Promise<Exclude<Take, { state: 'held' }>> {
  let napMs = leases.retryMs.first;
  let heldAtMs: number | undefined;
  for (;;) {
    try {
      const answer = await leases.take(key, leaseMs, heldAtMs !== undefined);
      if (answer.state !== 'held') return answer;
      heldAtMs = performance.now();
    } catch (error) {
      if (heldAtMs === undefined || performance.now() - heldAtMs > leaseMs) throw error;
    }
    // Not all at the same moment.
    await sleep(napMs * (0.75 + Math.random() / 2), undefined, { signal });
    napMs = Math.min(leases.retryMs.last, napMs * 1.5);
  }
}

/** Holds leases, and renews those that are held for longer than most: by one timer, for a miss should not need its own. */
export function leaseHolder(leases: LeaseStore, leaseMs: number): (key: string, token: number) => HeldLease {
  const tickMs = leaseMs / 6;
  /** By lease, when it was last taken or renewed. */
  const held = new Map<{ readonly key: string; readonly token: number }, number>();
  let ticking: NodeJS.Timeout | undefined;

  function tick(): void {
    if (held.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
    for (const [lease, sinceMs] of held) if (performance.now() - sinceMs > tickMs) void renew(lease);
  }

  async function renew(lease: { readonly key: string; readonly token: number }): Promise<void> {
    held.set(lease, performance.now());
    const isMine = await leases.renew(lease.key, lease.token, leaseMs).catch(() => true);
    if (!isMine) held.delete(lease);
  }

  return (key, token) => {
    const lease = { key, token };
    held.set(lease, performance.now());
    ticking ??= setInterval(tick, tickMs).unref();
    return {
      token,
      release(landing, after) {
        const letGo = (): Promise<void> | undefined => {
          held.delete(lease);
          if (leases.releaseAtOnce?.(key, token) === true) return undefined;
          return leases.release(key, token, landing).catch(() => {});
        };
        return after === undefined ? letGo() : after.then(letGo, letGo);
      },
    };
  };
}
