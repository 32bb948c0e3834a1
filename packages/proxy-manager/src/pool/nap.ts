/** `setTimeout` knows no longer delay. */
const LONGEST_MS = 2_147_483_647;

/** A sleep that can be cut short; a `wake` that comes while nobody sleeps cuts the next sleep. */
export class Nap {
  #woken = false;
  #wake: (() => void) | undefined;

  /** Sleeps at most `ms`; rejects with the signal's reason. No timer outlives it. */
  async sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(ms, LONGEST_MS));
        signal?.addEventListener('abort', wake);
        this.#wake = wake;
      });
    }
    this.#woken = false;
    this.#wake = undefined;
    signal?.throwIfAborted();
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }
}
