import type { Key, RootDatabase } from 'lmdb';
import type { Run } from './transactions.js';
import type { WriteLock } from './write-lock.js';

interface Waiting {
  /** Runs the action; throws what it throws. */
  run(): void;
  /** It is committed. */
  done(): void;
  failed(error: unknown): void;
}

/** A holder who runs is gone within so many turns. */
const TURNS = 20;
const PAUSE_MS = 1;
/** What is held for longer is waited for in lmdb's way: perhaps it only looks held. */
const PATIENCE_MS = 1_000;

/**
 * For an environment that waits for no disk: all actions of one turn of the event loop in one transaction, in this
 * thread, which holds lmdb's lock for microseconds. Where another process is in there this one goes on with other work
 * meanwhile. Where an action throws, each runs once more in a transaction of its own.
 */
export function batches(root: RootDatabase<unknown, Key>, lock: WriteLock): Run {
  let waiting: Waiting[] = [];

  function turn(number: number, sinceMs: number): void {
    if (lock.isHeld() && performance.now() - sinceMs < PATIENCE_MS) {
      const again = (): void => turn(number + 1, sinceMs);
      if (number < TURNS) setImmediate(again);
      else setTimeout(again, PAUSE_MS);
      return;
    }
    const batch = waiting;
    waiting = [];
    commit(batch, (work) => {
      try {
        root.transactionSync(() => {
          lock.look();
          work();
        });
      } finally {
        lock.look();
      }
    });
  }

  return (action) =>
    new Promise((resolve, reject) => {
      let result: ReturnType<typeof action>;
      waiting.push({
        run: () => {
          result = action();
        },
        done: () => resolve(result),
        failed: reject,
      });
      if (waiting.length === 1) setImmediate(() => turn(0, performance.now()));
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
