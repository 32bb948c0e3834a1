import { awaitIn } from './waiting.js';
import type { Waiting } from './waiting.js';

/** Runs `work`, synchronous, in one transaction: all of it happens, or nothing. */
export type Transact = (work: () => void) => Promise<void> | void;

/** Actions that share a transaction, which costs as much as many of them. */
export class Batch {
  readonly #waiting: Waiting[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** Resolves with what the action gave, when it is committed. */
  add<T>(action: () => T): Promise<T> {
    return awaitIn(this.#waiting, action);
  }

  /** Runs them in their order; where one throws, each once more in a transaction of its own. */
  async commit(transact: Transact): Promise<void> {
    if (await ran(this.#waiting, transact, this.size === 1)) return;
    for (const one of this.#waiting) await ran([one], transact, true);
  }
}

/** False where it failed, of which they are told only if it was the last try. */
async function ran(batch: readonly Waiting[], transact: Transact, isLast: boolean): Promise<boolean> {
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
