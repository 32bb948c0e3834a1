/** What is held against a key or proxy beyond its counts, in one book. */
export interface Standing {
  /** How many times in a row it failed, as far as no success has calmed it. */
  readonly strikes: number;
  /** Epoch ms at which its rest ends, or has ended. */
  readonly untilMs: number;
  /** True where the end of its rest is not enough: `back` must bring it back. */
  readonly held: boolean;
  /** In a few words, without any secret. */
  readonly why: string;
}

/**
 * What happened to somebody in a book:
 * - `strike`: it failed, and rests until `untilMs` where that was told, else for the rung of `ladderMs` that its strikes
 *   have reached. While it rests, others that were under way add no strike.
 * - `calm`: it succeeded after its rest; the strikes are halved.
 * - `clear`: nothing is held against it any more.
 * - `claim`: somebody wants to try it, at the end of its rest, alone: it rests for `forMs` more.
 * - `back`: that went well; it is no longer held.
 */
export type StandingEvent =
  | {
      readonly kind: 'strike';
      /** Ascending, at least one, in ms. */
      readonly ladderMs: readonly number[];
      readonly untilMs?: number;
      readonly held?: boolean;
      /** The trial of a `claim` failed: that adds a strike although it rests. */
      readonly claimed?: boolean;
      readonly why: string;
    }
  | { readonly kind: 'claim'; readonly forMs: number }
  | { readonly kind: 'back' | 'calm' | 'clear' };

export interface Noted {
  /** Undefined: nothing is held against it. */
  readonly standing: Standing | undefined;
  readonly changed: boolean;
}

/** A day after the end of its last rest nobody knows any more why. */
export const FORGOTTEN_MS = 86_400_000;

/** How somebody stands after `event`. */
export function afterEvent(standing: Standing | undefined, event: StandingEvent, nowMs: number): Noted {
  const known = standing !== undefined && standing.untilMs + FORGOTTEN_MS > nowMs ? standing : undefined;
  if (event.kind === 'strike') return struck(known, event, nowMs);
  if (known === undefined) return { standing: undefined, changed: standing !== undefined };
  const unchanged = { standing: known, changed: false };
  if (event.kind === 'clear') return { standing: undefined, changed: true };
  if (event.kind === 'back') {
    return known.held ? { standing: { ...known, held: false, untilMs: nowMs }, changed: true } : unchanged;
  }
  if (known.untilMs > nowMs) return unchanged;
  if (event.kind === 'claim') {
    return known.held ? { standing: { ...known, untilMs: nowMs + event.forMs }, changed: true } : unchanged;
  }
  if (known.held) return unchanged;
  const strikes = Math.floor(known.strikes / 2);
  return { standing: strikes === 0 ? undefined : { ...known, strikes }, changed: true };
}

function struck(
  known: Standing | undefined,
  { ladderMs, untilMs, held = false, claimed = false, why }: Extract<StandingEvent, { kind: 'strike' }>,
  nowMs: number,
): Noted {
  if (known !== undefined && known.untilMs > nowMs && !claimed) {
    if (untilMs === undefined || untilMs <= known.untilMs) return { standing: known, changed: false };
    return { standing: { ...known, untilMs, why }, changed: true };
  }
  const strikes = (known?.strikes ?? 0) + 1;
  const rung = ladderMs[Math.min(strikes, ladderMs.length) - 1] ?? 0;
  return { standing: { strikes, untilMs: Math.max(nowMs, untilMs ?? nowMs + rung), held, why }, changed: true };
}
