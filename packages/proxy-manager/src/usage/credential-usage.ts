import type { Reason } from '../pool/reasons.js';
import type { MeterReading } from './usage-store.js';

/** One credential of one endpoint, as `ProxyManager.usage` shows it. */
export interface CredentialUsage {
  readonly endpoint: string;
  /** The key's id or fingerprint, or the proxy's `host:port`. */
  readonly id: string;
  readonly secretType: 'ip' | 'key';
  /** `resting`: used up until a window opens anew, or told to rest; `dead`: a key that is refused, tried again once a day. */
  readonly state: 'dead' | 'ready' | 'resting';
  readonly restingUntil: Date | undefined;
  /** Why it rests, in words such as `throttled (status 429)`; undefined where it is ready, or used up. */
  readonly because: string | undefined;
  /** Uses since it was first seen. */
  readonly uses: number;
  /** Its quota; empty when it is unlimited. */
  readonly windows: readonly {
    readonly limit: number;
    readonly used: number;
    /** Undefined while nothing has been used in it. */
    readonly resetsAt: Date | undefined;
  }[];
}

export function credentialUsage(
  endpoint: string,
  reading: MeterReading,
  reason: Reason | undefined,
  nowMs: number,
): CredentialUsage {
  const { id, kind, total, windows, restingUntilMs } = reading;
  const spent = windows.filter(({ used, limit }) => used >= limit).map(({ resetsAtMs }) => resetsAtMs ?? nowMs);
  const readyAtMs = Math.max(restingUntilMs ?? 0, reason?.untilMs ?? 0, ...spent);
  const resting = readyAtMs > nowMs;
  return {
    endpoint,
    id,
    secretType: kind === 'key' ? 'key' : 'ip',
    state: reason?.dead === true ? 'dead' : resting ? 'resting' : 'ready',
    restingUntil: resting ? new Date(readyAtMs) : undefined,
    because: reason?.because,
    uses: total,
    windows: windows.map(({ limit, used, resetsAtMs }) => ({
      limit,
      used,
      resetsAt: resetsAtMs === undefined ? undefined : new Date(resetsAtMs),
    })),
  };
}
