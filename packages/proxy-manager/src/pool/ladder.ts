import type { Standing } from './standing.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long who failed rests, by how many times in a row. */
export const LADDER_MS: readonly number[] = [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS];

/** The same where a proxy did not reach a host: that may be gone in a moment, and may be nobody's fault. */
export const UNREACHED_LADDER_MS: readonly number[] = [10_000, ...LADDER_MS];

/** A refused key: two refusals cost it nothing, from the third on it is tried once a day. */
export const REFUSED_LADDER_MS: readonly number[] = [0, 0, 24 * HOUR_MS];

/** The ladder for who is used up: at least until `openMs` (epoch), when its next window opens. */
export function untilOpenLadder(openMs: number | undefined, nowMs: number): readonly number[] {
  return openMs === undefined ? LADDER_MS : LADDER_MS.map((ms) => Math.max(ms, openMs - nowMs));
}

/** Refusals in a row, while other keys were accepted. */
const DEAD_AFTER = 3;

export function isDead({ strikes }: Standing): boolean {
  return strikes >= DEAD_AFTER;
}
