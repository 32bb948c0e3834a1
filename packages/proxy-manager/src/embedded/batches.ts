import type { Run } from './transactions.js';

interface Waiting {
  /** Runs the action; throws what it throws. */
  run(): void;
  /** It is committed. */
  done(): void;
  failed(error: unknown): void;
}

/**
 * For an environment that waits for no disk: all actions of one turn of the event loop in one transaction, in this
 * thread, which holds lmdb's lock for microseconds. Where one throws, each runs once more in a transaction of its own.
 */
export function batches(): Run {
  let waiting: Waiting[] = [];

  return (root, action) =>
    new Promise((resolve, reject) => {
      let result: ReturnType<typeof action>;
      waiting.push({
        run: () => {
          result = action();
        },
        done: () => resolve(result),
        failed: reject,
      });
      if (waiting.length > 1) return;
      setImmediate(() => {
        const batch = waiting;
        waiting = [];
        commit(batch, (work) => root.transactionSync(work));
      });
    });
}

function commit(batch: readonly Waiting[], transact: (work: () => void) => void): void {
  try {
    transact(() => batch.forEach((one) => one.run()));
  } catch (error) {
    if (batch.length > 1) for (const one of batch) commit([one], transact);
    else for (const one of batch) one.failed(error);
    return;
  }
  for (const one of batch) one.done();
}
