/** An action, and whoever asked for it; one object, since many lie here until they are committed. */
class Waiting<T> {
  readonly #action: () => T;
  readonly #resolve: (result: T) => void;
  /** Tells that it failed. */
  readonly failed: (error: unknown) => void;
  #result!: T;

  constructor(action: () => T, resolve: (result: T) => void, reject: (error: unknown) => void) {
    this.#action = action;
    this.#resolve = resolve;
    this.failed = reject;
  }

  /** Runs the action; throws what it throws. */
  run(): void {
    this.#result = this.#action();
  }

  /** Tells what the action gave: it is committed. */
  done(): void {
    this.#resolve(this.#result);
  }
}

type Asked = Pick<Waiting<unknown>, 'done' | 'failed' | 'run'>;

/** Runs `work`, synchronous, in one transaction: all of it happens, or nothing. */
export type Transact = (work: () => void) => Promise<void> | void;

/** Actions that share a transaction, which costs as much as many of them. */
export class Batch {
  readonly #waiting: Asked[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** Resolves with what the action gave, when it is committed. */
  add<T>(action: () => T): Promise<T> {
    return new Promise((resolve, reject) => this.#waiting.push(new Waiting(action, resolve, reject)));
  }

  /** Runs them in their order; where one throws, each once more in a transaction of its own. */
  async commit(transact: Transact): Promise<void> {
    if (await ran(this.#waiting, transact, this.size === 1)) return;
    for (const one of this.#waiting) await ran([one], transact, true);
  }
}

/** False where it failed, of which they are told only if it was the last try. */
async function ran(batch: readonly Asked[], transact: Transact, isLast: boolean): Promise<boolean> {
  try {
    await transact(() => {
      for (const one of batch) one.run();
    });
  } catch (error) {
    if (isLast) for (const one of batch) one.failed(error);
    return false;
  }
  for (const one of batch) one.done();
  return true;
}
