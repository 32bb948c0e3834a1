/** Keeps callers from waiting for a service that is away. */
export interface Breaker {
  /** The result of `work`, or undefined while the service rests. Rejects as `work` does. */
  call<T>(work: () => Promise<T>): Promise<T | undefined>;
}

const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 30_000;

/**
 * Opens at the first failure for 0.5 s; then one call tries, each failing one doubles the rest up to 30 s, and a success
 * closes it. A failure while others succeed opens nothing: a service that answers is not away. `now` is a clock in ms
 * that never runs backwards.
 */
export function breaker(now: () => number = () => performance.now()): Breaker {
  let restMs = 0;
  let openUntilMs = 0;
  let successes = 0;
  return {
    async call(work) {
      if (now() < openUntilMs) return undefined;
      const trying = restMs > 0;
      const successesBefore = successes;
      // While one call tries, the others go on resting.
      if (trying) openUntilMs = Number.POSITIVE_INFINITY;
      try {
        const result = await work();
        successes++;
        restMs = 0;
        openUntilMs = 0;
        return result;
      } catch (error) {
        // Of many calls that were under way together, the first failure counts.
        if (trying || (restMs === 0 && successes === successesBefore)) {
          restMs = Math.min(LONGEST_REST_MS, restMs * 2 || FIRST_REST_MS);
          openUntilMs = now() + restMs;
        }
        throw error;
      }
    },
  };
}
