import type { Meter } from '../config/resolve.js';
import type { MeterReading, Pool, UsageStore } from '../usage/usage-store.js';
import { learnedFrom } from './learned-limits.js';
import { withinReason } from './retry-after.js';
import type { ToldLimit } from './told-limits.js';

/** Corrects the counts by what replies tell of quotas, where that is news: in step with the provider it writes nothing. */
export class Learner {
  readonly #store: UsageStore;
  readonly #latest = new WeakMap<Meter, MeterReading>();

  constructor(store: UsageStore) {
    this.#store = store;
  }

  /** Notes how `meter` stands after a take. */
  took(meter: Meter, reading: MeterReading): void {
    this.#latest.set(meter, reading);
  }

  async learn(pool: Pool, meter: Meter, told: readonly ToldLimit[], nowMs: number): Promise<void> {
    const reading = this.#latest.get(meter);
    const learned = learnedFrom(told, meter, reading, nowMs);
    const steps: Promise<void>[] = [];
    if (learned.length > 0) {
      steps.push(this.#store.learn(pool, meter.id, learned));
      if (reading !== undefined) this.#latest.set(meter, after(reading, learned));
    }
    // Without a window of ours that would keep it from being taken, and also with one: the provider says when.
    const resets = told.flatMap(({ remaining, resetAtMs = 0 }) =>
      remaining === 0 && resetAtMs > nowMs ? [resetAtMs] : [],
    );
    if (resets.length > 0) {
      steps.push(this.#store.rest(pool, meter.id, withinReason(Math.max(...resets), nowMs, meter)));
    }
    await Promise.all(steps);
  }
}

/** The reading as it is once that is learned. */
function after(reading: MeterReading, learned: ReturnType<typeof learnedFrom>): MeterReading {
  const windows = reading.windows.map((window) => {
    const news = learned.find(({ spec }) => spec.limit === window.limit);
    if (news === undefined) return window;
    const { remaining, resetAtMs = 0 } = news;
    return {
      ...window,
      used: Math.max(window.used, window.limit - remaining),
      resetsAtMs: window.resetsAtMs && Math.max(window.resetsAtMs, resetAtMs),
    };
  });
  return { ...reading, windows };
}
