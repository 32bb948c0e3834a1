import { Batch } from '../embedded/batch.js';
import type { Transact } from '../embedded/batch.js';

/** Changes that share a transaction, in the order in which they were asked for. */
export interface Gathered {
  /** Within some milliseconds, with all that is asked for by then. */
  soon<T>(change: () => T): Promise<T>;
  /** At once, and all that was to be soon before it. */
  now<T>(change: () => T): Promise<T>;
}

/** Many misses one after the other share a transaction by this, and a process that looks for a reply waits no longer. */
const SOON_MS = 10;
const MOST = 32;

/** @see Gathered */
export function gather(transact: Transact): Gathered {
  let batch = new Batch();
  let timer: NodeJS.Timeout | undefined;

  function commit(): void {
    clearTimeout(timer);
    timer = undefined;
    const full = batch;
    batch = new Batch();
    void full.commit(transact);
  }

  return {
    soon(change) {
      const added = batch.add(change);
      timer ??= setTimeout(commit, SOON_MS);
      if (batch.size >= MOST) commit();
      return added;
    },
    now(change) {
      const added = batch.add(change);
      commit();
      return added;
    },
  };
}
