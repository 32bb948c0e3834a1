import type { ResolvedCachePolicy } from '../config/cache-policy.js';
import { ttlMsFor } from '../config/cache-policy.js';
import type { Ask } from './ask.js';
import type { Directives } from './cache-control.js';
import { cacheControl, directiveMs } from './cache-control.js';
import type { CacheEntry } from './cache-store.js';

/** What a stored reply is worth to who asks now. */
export interface Assessment {
  /** How much longer it is fresh, in ms; negative: since when it is stale. */
  readonly leftMs: number;
  /** Since the origin made it (RFC 9111 §4.2.3), in ms. */
  readonly ageMs: number;
  /** `serve`: as it is; `behind`: as it is, and the origin is asked behind it; `confirm`: once the origin has been asked. */
  readonly verdict: 'behind' | 'confirm' | 'serve';
  /** It may serve where the origin fails. */
  readonly onError: boolean;
}

/** Judges a stored reply at `nowMs` by the policy, the request's directives, and in http mode by its own (RFC 9111 §4). */
export function assess(entry: CacheEntry, ask: Ask, nowMs: number): Assessment {
  const { policy, directives } = ask;
  const sinceMs = Math.max(0, nowMs - entry.storedAtMs);
  const ageMs = entry.initialAgeMs + sinceMs;
  const leftMs = staleAtMs(entry, policy) - nowMs;
  if (ask.atAnyAge) return { leftMs, ageMs, verdict: 'serve', onError: true };
  if (leftMs > 0 && !ask.mustConfirm && isFreshEnough(directives, ageMs, leftMs)) {
    return { leftMs, ageMs, verdict: 'serve', onError: true };
  }
  const known = { leftMs, ageMs };
  const own = policy.mode === 'http' ? cacheControl(entry.headers) : undefined;
  const mayBeStale = own === undefined || !(own.has('must-revalidate') || own.has('no-cache'));
  const staleMs = -leftMs;
  if (!mayBeStale || staleMs < 0) return { ...known, verdict: 'confirm', onError: false };
  const within = (name: string, policyMs: number, ...from: (Directives | undefined)[]): boolean =>
    staleMs <= Math.max(policyMs, ...from.map((said) => (said && directiveMs(said, name)) ?? 0));
  const onError = within('stale-if-error', policy.staleIfErrorMs, own, directives);
  if (ask.mustConfirm || directives.has('max-age') || directives.has('min-fresh')) {
    return { ...known, verdict: 'confirm', onError };
  }
  if (staleMs <= longestStaleMs(directives)) return { ...known, verdict: 'serve', onError };
  const isBehind = within('stale-while-revalidate', policy.staleWhileRevalidateMs, own);
  return { ...known, verdict: isBehind && staleMs > 0 ? 'behind' : 'confirm', onError };
}

/** In ttl mode whoever asks now may want it shorter than whoever stored it. */
function staleAtMs(entry: CacheEntry, policy: ResolvedCachePolicy): number {
  if (policy.mode === 'http') return entry.staleAtMs;
  const ttlMs = ttlMsFor(policy, entry.url, entry.status) ?? 0;
  return Math.min(entry.staleAtMs, entry.storedAtMs + ttlMs);
}

/** `max-age` and `min-fresh` of the request (RFC 9111 §5.2.1); `max-age=0` asks for a confirmation whatever the age. */
function isFreshEnough(directives: Directives, ageMs: number, leftMs: number): boolean {
  if (directives.size === 0) return true;
  const maxAgeMs = directiveMs(directives, 'max-age') ?? Number.POSITIVE_INFINITY;
  const minFreshMs = directiveMs(directives, 'min-fresh') ?? 0;
  return ageMs < maxAgeMs && leftMs >= minFreshMs;
}

/** `max-stale` of the request: without a value any reply will do. */
function longestStaleMs(directives: Directives): number {
  const [first] = directives.get('max-stale') ?? [];
  if (first === undefined) return Number.NEGATIVE_INFINITY;
  return first === '' ? Number.POSITIVE_INFINITY : (directiveMs(directives, 'max-stale') ?? 0);
}
