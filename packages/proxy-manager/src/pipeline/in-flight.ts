/** Counts what is under way, so that closing can wait for it. */
export class InFlight {
  readonly #also: InFlight | undefined;
  #count = 0;
  #atRest: (() => void)[] = [];

  /** What is under way here is under way in `also` too. */
  constructor(also?: InFlight) {
    this.#also = also;
  }

  /** Each is to be followed by one `leave`. */
  enter(): void {
    this.#count += 1;
    this.#also?.enter();
  }

  leave(): void {
    this.#count -= 1;
    this.#also?.leave();
    if (this.#count > 0) return;
    const waiting = this.#atRest;
    this.#atRest = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves as soon as nothing is under way. */
  async rest(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#atRest.push(resolve));
  }
}
