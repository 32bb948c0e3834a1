import { unlessAborted } from '../pipeline/abort.js';
import type { Exchange } from '../pipeline/exchange.js';
import type { Stage } from '../pipeline/stage.js';
import type { Lease } from '../pool/lease.js';

/** Gives the lease for one attempt: the pinned identity's, or the pool's least-used one. */
export type LeaseFor = (exchange: Exchange) => Promise<Lease>;

/**
 * Holds one counted use of a key, a proxy or both around the attempt: counted just before the wire, given back where
 * surely nothing was sent, else settled with the attempt's verdict.
 */
export function credentialStage(leaseFor: LeaseFor): Stage {
  return async function credential(exchange, next) {
    const { attempt } = exchange;
    const askedMs = performance.now();
    const lease = await (exchange.pin === undefined ? leaseFor(exchange) : exchange.pin.lease(exchange));
    attempt.poolMs = performance.now() - askedMs;
    attempt.taken = lease.taken;
    let isSent = true;
    try {
      return await next({ ...exchange, lease });
    } catch (error) {
      isSent = attempt.sent;
      throw error;
    } finally {
      // It never rejects, but may hang with its store: who has a reply, or has lost patience, is not kept for that.
      await unlessAborted(lease.settle(attempt.verdict, isSent, attempt), exchange.signal).catch(() => {});
    }
  };
}
