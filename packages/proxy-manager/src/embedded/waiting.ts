/** An action that somebody waits for. */
export interface Waiting {
  /** Runs the action; throws what it throws. */
  run(): void;
  /** Tells what the action gave the last time: it is committed. */
  done(): void;
  /** Tells that it failed. */
  readonly failed: (error: unknown) => void;
}

/** Puts the action where it waits, and resolves with what it gave when it is committed. */
export function awaitIn<T>(waiting: Waiting[], action: () => T): Promise<T> {
  return new Promise((resolve, reject) => waiting.push(new Asked(action, resolve, reject)));
}

/** One object for action and asker, since many wait at a time. */
class Asked<T> implements Waiting {
  readonly #action: () => T;
  readonly #resolve: (result: T) => void;
  readonly failed: (error: unknown) => void;
  #result!: T;

  constructor(action: () => T, resolve: (result: T) => void, reject: (error: unknown) => void) {
    this.#action = action;
    this.#resolve = resolve;
    this.failed = reject;
  }

  run(): void {
    this.#result = this.#action();
  }

  done(): void {
    this.#resolve(this.#result);
  }
}
