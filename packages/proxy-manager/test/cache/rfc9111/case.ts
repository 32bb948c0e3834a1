import type { CachePolicy } from '../../../src/config/cache-options.js';
import type { OriginAnswer, Step } from '../scenario.js';
import { STARTED_MS } from '../scenario.js';

/** A requirement of RFC 9111 or RFC 5861, and the exchange that shows it. */
export type Case = readonly [section: string, requirement: string, steps: readonly Step[], policy?: CachePolicy];

export const fresh = { headers: { 'cache-control': 'max-age=60' } };
export const tagged = { headers: { 'cache-control': 'max-age=60', etag: '"v1"' } };
export const unchanged = { status: 304, headers: { 'cache-control': 'max-age=60', etag: '"v1"' } };
export const daysAgo = (days: number): string => new Date(STARTED_MS - days * 86_400_000).toUTCString();
export const says = (value: string, rest: Record<string, string> = {}): OriginAnswer => ({
  headers: { 'cache-control': value, ...rest },
});
export const miss: Step = { is: 'miss' };
export const hit: Step = { is: 'hit', body: 'answer 1' };
/** A reply that may not be stored, so that the next request reaches the origin. */
export const notStored = (origin: OriginAnswer, more: Partial<Step> = {}): readonly Step[] => [
  { origin, is: 'miss', ...more },
  { origin, ...more, is: 'miss' },
];
export const isStored = (origin: OriginAnswer, more: Partial<Step> = {}): readonly Step[] => [
  { origin, is: 'miss', ...more },
  { ...more, is: 'hit' },
];
