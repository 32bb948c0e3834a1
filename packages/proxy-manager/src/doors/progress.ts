/** How far a `sendAll` has come. */
export interface SendAllProgress {
  /** Results so far, failed ones included. */
  readonly done: number;
  readonly failed: number;
  readonly inFlight: number;
  /** Undefined where the input does not say. */
  readonly total: number | undefined;
  /** Results per second over the last ten; until a whole one has passed, as many as there are. */
  readonly perSecond: number;
  /**
   * Time left at this rate, in ms. Undefined where the total is not known, in the first second, until as many have come
   * as are under way, and where nothing has come lately.
   */
  readonly leftMs: number | undefined;
}

const TOLD_EVERY_MS = 100;
const SLOT_MS = 1000;
const SLOTS = 10;

/** Counts results and tells `listener`; of a long run it keeps the counts of the last ten seconds and no more. */
export function progressMeter(
  listener: ((progress: SendAllProgress) => void) | undefined,
  total: number | undefined,
  now: () => number = () => performance.now(),
): { count(isFailure: boolean, inFlight: number): void; end(): void } {
  const startedMs = now();
  const slots: number[] = Array.from({ length: SLOTS }, () => 0);
  let slot = 0;
  let done = 0;
  let failed = 0;
  let inFlight = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  let toldOf = -1;

  /** Empties the slots of the seconds that have passed since the last result. */
  const advance = (nowMs: number): void => {
    const current = Math.floor((nowMs - startedMs) / SLOT_MS);
    for (let passed = Math.max(slot + 1, current - SLOTS + 1); passed <= current; passed++) slots[passed % SLOTS] = 0;
    slot = Math.max(slot, current);
  };

  const tell = (nowMs: number, leastMs: number): void => {
    toldMs = nowMs;
    toldOf = done;
    const elapsedMs = nowMs - startedMs;
    // The present slot is only begun: the others and its part of a second are what the counts are of.
    const measuredMs = Math.min(elapsedMs, (SLOTS - 1) * SLOT_MS + (elapsedMs % SLOT_MS));
    const perSecond = (slots.reduce((sum, count) => sum + count, 0) * 1000) / Math.max(leastMs, measuredMs);
    const left = total === undefined ? undefined : Math.max(0, total - done);
    // The first results come all at once, and of the slow ones none is among them.
    const isSteady = elapsedMs >= SLOT_MS && done > inFlight && perSecond > 0;
    const leftMs = left === undefined || left === 0 ? left : isSteady ? (left * 1000) / perSecond : undefined;
    listener?.({ done, failed, inFlight, total, perSecond, leftMs });
  };

  return {
    count(isFailure, underWay) {
      if (listener === undefined) return;
      const nowMs = now();
      advance(nowMs);
      slots[slot % SLOTS] = (slots[slot % SLOTS] ?? 0) + 1;
      done += 1;
      if (isFailure) failed += 1;
      inFlight = underWay;
      if (nowMs - toldMs >= TOLD_EVERY_MS) tell(nowMs, SLOT_MS);
    },
    end() {
      const nowMs = now();
      // A run of less than a second is over now, so that its rate can be told.
      if (toldOf !== done || nowMs - startedMs < SLOT_MS) tell(nowMs, 1);
    },
  };
}
