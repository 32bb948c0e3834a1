import type { Endpoint } from '../config/resolve.js';
import { HostNotAllowedError } from '../errors.js';
import { unlessAborted } from '../pipeline/abort.js';
import type { Exchange } from '../pipeline/exchange.js';
import type { Stage } from '../pipeline/stage.js';
import { allowsHost } from '../pool/hosts.js';
import type { Lease } from '../pool/lease.js';
import type { SessionIdentity } from '../session/session.js';

/** Gives the lease for one attempt, the endpoint as it stood then, and the identity where that is a session's. */
export type LeaseFor = (exchange: Exchange) => Promise<{
  readonly lease: Lease;
  readonly endpoint?: Endpoint | undefined;
  readonly identity?: SessionIdentity | undefined;
}>;

/**
 * Holds one counted use of a key, a proxy or both around the attempt: counted just before the wire, given back where
 * surely nothing was sent, else settled with the attempt's verdict.
 */
export function credentialStage(leaseFor: LeaseFor): Stage {
  return async function credential(exchange, next) {
    const { attempt } = exchange;
    const askedMs = performance.now();
    const { lease, endpoint = exchange.endpoint, identity } = await leaseFor(exchange);
    attempt.poolMs = performance.now() - askedMs;
    attempt.taken = lease.taken;
    if (lease.isLocal === true) attempt.isCountedLocally = true;
    let isSent = true;
    try {
      // By another secrets.json than the exchange began with, its key may have to stay away from here.
      if (endpoint !== exchange.endpoint && !allowsHost(endpoint.hosts, exchange.request.url)) {
        throw new HostNotAllowedError(endpoint.name, exchange.request.url.host, endpoint.hosts ?? []);
      }
      return await next({ ...exchange, endpoint, lease, identity });
    } catch (error) {
      isSent = attempt.sent;
      throw error;
    } finally {
      identity?.settle(attempt.verdict);
      const settling = lease.settle(attempt.verdict, isSent, attempt);
      // It never rejects, but may hang with its store: who has a reply, or has lost patience, is not kept for that.
      if (settling !== undefined) await unlessAborted(settling, exchange.signal).catch(() => {});
    }
  };
}
