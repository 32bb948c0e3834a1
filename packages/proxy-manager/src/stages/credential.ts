import { unlessAborted } from '../pipeline/abort.js';
import type { Exchange } from '../pipeline/exchange.js';
import type { Stage } from '../pipeline/stage.js';
import type { Lease } from '../pool/lease.js';
import type { SessionIdentity } from '../session/session.js';

/** Gives the lease for one attempt, and the identity where that is a session's. */
export type LeaseFor = (
  exchange: Exchange,
) => Promise<{ readonly lease: Lease; readonly identity?: SessionIdentity | undefined }>;

/**
 * Holds one counted use of a key, a proxy or both around the attempt: counted just before the wire, given back where
 * surely nothing was sent, else settled with the attempt's verdict.
 */
export function credentialStage(leaseFor: LeaseFor): Stage {
  return async function credential(exchange, next) {
    const { attempt } = exchange;
    const askedMs = performance.now();
    const { lease, identity } = await leaseFor(exchange);
    attempt.poolMs = performance.now() - askedMs;
    attempt.taken = lease.taken;
    if (lease.isLocal === true) attempt.isCountedLocally = true;
    let isSent = true;
    try {
      return await next({ ...exchange, lease, identity });
    } catch (error) {
      isSent = attempt.sent;
      throw error;
    } finally {
      identity?.settle(attempt.verdict);
      // It never rejects, but may hang with its store: who has a reply, or has lost patience, is not kept for that.
      await unlessAborted(lease.settle(attempt.verdict, isSent, attempt), exchange.signal).catch(() => {});
    }
  };
}
