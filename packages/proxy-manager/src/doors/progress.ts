/** How far a `sendAll` has come. */
export interface SendAllProgress {
  /** Results so far, failed ones included. */
  readonly done: number;
  readonly failed: number;
  readonly inFlight: number;
  /** Undefined where the input does not say. */
  readonly total: number | undefined;
  /** Results per second over the last ten. */
  readonly perSecond: number;
  /** Time left at this rate, in ms; undefined where the total is not known, or nothing has come lately. */
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

  const tell = (nowMs: number): void => {
    toldMs = nowMs;
    toldOf = done;
    const elapsedMs = Math.max(1, nowMs - startedMs);
    // The present slot is only begun: the others and its part of a second are what the counts are of.
    const measuredMs = Math.min(elapsedMs, (SLOTS - 1) * SLOT_MS + ((nowMs - startedMs) % SLOT_MS));
    const perSecond = (slots.reduce((sum, count) => sum + count, 0) * 1000) / Math.max(1, measuredMs);
    const left = total === undefined ? undefined : Math.max(0, total - done);
    const leftMs =
      left === undefined || (perSecond === 0 && left > 0) ? undefined : left === 0 ? 0 : (left * 1000) / perSecond;
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
      if (nowMs - toldMs >= TOLD_EVERY_MS) tell(nowMs);
    },
    end() {
      if (toldOf !== done) tell(now());
    },
  };
}
