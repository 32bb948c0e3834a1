import type { ExchangeAbort } from './abort.js';

/** The waits for the pool of one Request or manager: closing ends them, since whoever waits has sent nothing. */
export class Waits {
  readonly #waits = new Set<ExchangeAbort>();
  #reason: Error | undefined;

  add(wait: ExchangeAbort): void {
    if (this.#reason === undefined) this.#waits.add(wait);
    else wait.abort(this.#reason);
  }

  delete(wait: ExchangeAbort): void {
    this.#waits.delete(wait);
  }

  /** Ends those that are there and those that come. */
  end(reason: Error): void {
    this.#reason = reason;
    for (const wait of this.#waits) wait.abort(reason);
  }
}
