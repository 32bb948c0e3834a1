import type { Meter } from '../config/resolve.js';
import { spanMs } from '../config/window-length.js';
import { httpDateMs } from '../pipeline/http-date.js';

/**
 * The epoch ms that a `Retry-After` header names (RFC 9110 §10.2.3: seconds or an HTTP-date), never before `nowMs`;
 * undefined where it is absent or neither.
 */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(nowMs + Number(text) * 1_000, MAX_DATE_MS);
  const dateMs = httpDateMs(text, nowMs);
  return dateMs === undefined ? undefined : Math.max(dateMs, nowMs);
}

const DAY_MS = 86_400_000;

/**
 * `untilMs`, but at most a day or the longest window of `meter` or its account after `nowMs`: beyond that the quota has
 * opened anew, and what told a longer rest was a slip that would retire the credential.
 */
export function withinReason(untilMs: number, nowMs: number, meter: Pick<Meter, 'account' | 'windows'>): number {
  const windows = [...meter.windows, ...(meter.account?.windows ?? [])];
  return Math.min(untilMs, nowMs + Math.max(DAY_MS, ...windows.map(spanMs)));
}

/** The last moment that a `Date` can be. */
export const MAX_DATE_MS = 8.64e15;
