import type { HeaderList } from '../pipeline/headers.js';
import { header } from '../pipeline/headers.js';
import { httpDateMs } from '../pipeline/http-date.js';
import type { Directives } from './cache-control.js';
import { directiveMs } from './cache-control.js';

/** The statuses that may be reused without the origin having said for how long (RFC 9110 §15.1), without 206. */
export const HEURISTIC_STATUSES: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);

/** Of the time since its last modification, how much longer a reply is taken to stay (RFC 9111 §4.2.2). */
const HEURISTIC_FRACTION = 0.1;
const LONGEST_HEURISTIC_MS = 24 * 60 * 60 * 1000;

/** The parts of a reply that its freshness depends on. */
export interface Dated {
  readonly status: number;
  readonly headers: HeaderList;
  readonly directives: Directives;
  /** Epoch ms: when its last byte came, and when its request was sent. */
  readonly receivedAtMs: number;
  readonly requestedAtMs: number;
}

/**
 * How long the reply is fresh from the moment it was made at the origin, in ms (RFC 9111 §4.2.1, as a private cache);
 * undefined where nothing allows a guess. `defaultMs` serves where the origin says nothing, for statuses of `guessed`.
 */
export function freshnessLifetimeMs(
  reply: Dated,
  defaultMs: number | undefined,
  guessed: (status: number) => boolean,
): number | undefined {
  const { status, headers, directives, receivedAtMs } = reply;
  // It may be stored, but never used unasked: as good as stale from the start.
  if (directives.has('no-cache')) return 0;
  const maxAgeMs = directiveMs(directives, 'max-age');
  if (maxAgeMs !== undefined) return maxAgeMs;
  const dateMs = dateOf(headers, 'date', receivedAtMs) ?? receivedAtMs;
  if (header(headers, 'expires') !== undefined) {
    const expiresMs = dateOf(headers, 'expires', receivedAtMs);
    return expiresMs === undefined || isRepeated(headers, 'expires') ? 0 : Math.max(0, expiresMs - dateMs);
  }
  if (!guessed(status) && !directives.has('public')) return undefined;
  if (defaultMs !== undefined) return defaultMs;
  const modifiedMs = dateOf(headers, 'last-modified', receivedAtMs);
  if (modifiedMs === undefined) return undefined;
  return Math.min(LONGEST_HEURISTIC_MS, Math.max(0, (dateMs - modifiedMs) * HEURISTIC_FRACTION));
}

/** The age of a reply at the moment it came, in ms: the time on the way and in caches before this one (RFC 9111 §4.2.3). */
export function initialAgeMs({ headers, receivedAtMs, requestedAtMs }: Omit<Dated, 'directives' | 'status'>): number {
  const dateMs = dateOf(headers, 'date', receivedAtMs);
  const apparentMs = dateMs === undefined ? 0 : Math.max(0, receivedAtMs - dateMs);
  const delayMs = Math.max(0, receivedAtMs - requestedAtMs);
  return Math.max(apparentMs, upstreamAgeMs(headers) + delayMs);
}

/** What caches before this one say of a reply's age, in ms: the first value of `Age` that is one (RFC 9111 §5.1). */
export function upstreamAgeMs(headers: HeaderList): number {
  const [first = ''] = header(headers, 'age')?.split(',') ?? [];
  const age = first.trim();
  return /^\d+$/.test(age) ? Math.min(Number(age), 2_147_483_648) * 1000 : 0;
}

function dateOf(headers: HeaderList, name: string, nowMs: number): number | undefined {
  const value = header(headers, name);
  return value === undefined ? undefined : httpDateMs(value.trim(), nowMs);
}

function isRepeated(headers: HeaderList, name: string): boolean {
  return new Set(headers.filter(([candidate]) => candidate === name).map(([, value]) => value)).size > 1;
}
