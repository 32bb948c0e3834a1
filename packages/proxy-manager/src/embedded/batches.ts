import type { Key, RootDatabase } from 'lmdb';
import { Batch } from './batch.js';
import type { Run } from './transactions.js';
import type { WriteLock } from './write-lock.js';

/** A holder who runs is gone within so many turns. */
const TURNS = 20;
const PAUSE_MS = 1;
/** What is held for longer is waited for in lmdb's way: perhaps it only looks held. */
const PATIENCE_MS = 1_000;

/**
 * For an environment that waits for no disk: all actions of one turn of the event loop in one transaction, in this
 * thread, which holds lmdb's lock for microseconds. Where another process is in there this one goes on with other work
 * meanwhile.
 */
export function batches(root: RootDatabase<unknown, Key>, lock: WriteLock): Run {
  let batch = new Batch();

  function turn(number: number, sinceMs: number, check: () => void): void {
    if (lock.isHeld() && performance.now() - sinceMs < PATIENCE_MS) {
      const again = (): void => turn(number + 1, sinceMs, check);
      if (number < TURNS) setImmediate(again);
      else setTimeout(again, PAUSE_MS);
      return;
    }
    const full = batch;
    batch = new Batch();
    void full.commit((work) => {
      try {
        root.transactionSync(() => {
          lock.look();
          check();
          work();
        });
      } finally {
        lock.look();
      }
    });
  }

  return (action, check) => {
    const added = batch.add(action);
    if (batch.size === 1) setImmediate(() => turn(0, performance.now(), check));
    return added;
  };
}
