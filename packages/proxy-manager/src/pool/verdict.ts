import { header } from '../pipeline/headers.js';
import type { TransportFault } from '../transport/fault.js';
import type { WireReply } from '../transport/transport.js';
import { retryAfterMs } from './retry-after.js';

/**
 * What one attempt says about whom, decided once, in the credential stage:
 * - `good`: the use counts, nothing rests;
 * - `throttled`: this credential rests until `untilMs` (epoch), another one may go on;
 * - `proxy-dead`: the proxy itself failed and rests until `untilMs`, another one may go on;
 * - `down`: the origin or the way to it failed, no credential is blamed.
 */
export type Verdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'throttled'; readonly untilMs: number }
  | { readonly kind: 'proxy-dead'; readonly untilMs: number }
  | { readonly kind: 'down' };

/** How long a throttled credential, or a proxy that failed, rests where nothing tells a time. */
const REST_MS = 60_000;

/** The verdict on one attempt, from the reply or the fault that ended it. */
export function judge(
  attempt: { readonly nowMs: number; readonly throughProxy: boolean } & (
    | { readonly reply: Pick<WireReply, 'headers' | 'status'> }
    | { readonly fault: TransportFault }
  ),
): Verdict {
  const { nowMs, throughProxy } = attempt;
  if ('fault' in attempt) {
    return attempt.fault.phase === 'proxy' ? { kind: 'proxy-dead', untilMs: nowMs + REST_MS } : { kind: 'down' };
  }
  const { status, headers } = attempt.reply;
  if (status === 407 && throughProxy) return { kind: 'proxy-dead', untilMs: nowMs + REST_MS };
  const toldMs = status === 429 || status === 503 ? retryAfterMs(header(headers, 'retry-after'), nowMs) : undefined;
  if (status === 429) return { kind: 'throttled', untilMs: toldMs ?? nowMs + REST_MS };
  if (toldMs !== undefined) return { kind: 'throttled', untilMs: toldMs };
  return status >= 500 ? { kind: 'down' } : { kind: 'good' };
}
