/** This cache's name in `Cache-Status` (RFC 9211). */
const NAME = 'proxy-manager';

/** A stored reply that is fresh for another `leftMs`, negative where it is stale already. */
export function hitStatus(leftMs: number): string {
  return `${NAME}; hit; ttl=${Math.floor(leftMs / 1000)}`;
}

/**
 * Why the request went on to the origin:
 * - `uri-miss`, `vary-miss`: nothing stored for it;
 * - `request`: the request or its mode wanted the origin's word on a fresh one;
 * - `stale`: what is stored is past its time;
 * - `bypass`: the cache was not asked.
 */
export type ForwardReason = 'bypass' | 'request' | 'stale' | 'uri-miss' | 'vary-miss';

/** Why a reply was not stored, where its status and headers do not tell: `detail` in `Cache-Status`. */
export type NotStored = 'echoes-a-secret' | 'not-good' | 'shouldStore' | 'too-long';

/** A reply of the origin, which answered `status`; `stored`: it is kept, or why not. */
export function forwardStatus(reason: ForwardReason, status: number, stored: NotStored | boolean): string {
  const kept = typeof stored === 'string' ? `; detail=${stored}` : stored ? '; stored' : '';
  return `${NAME}; fwd=${reason}; fwd-status=${status}${kept}`;
}
