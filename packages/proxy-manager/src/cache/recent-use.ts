/** Used keys are written down together: one by one they would cost more than the lookups. */
export interface RecentUse {
  note(key: string): void;
  /** The noted keys, the least recently used one first; from now on there are none. */
  take(): string[];
}

const MOST_KEYS = 1_000;
const LONGEST_MS = 1_000;

/** Calls `flush`, which takes them, when there are many or the last time is a second ago. */
export function recentUse(flush: () => void): RecentUse {
  let keys = new Set<string>();
  let takenMs = performance.now();
  return {
    note(key) {
      keys.delete(key);
      keys.add(key);
      if (keys.size >= MOST_KEYS || performance.now() - takenMs > LONGEST_MS) flush();
    },
    take() {
      const taken = [...keys];
      keys = new Set();
      takenMs = performance.now();
      return taken;
    },
  };
}
