import { execFile } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Key, RootDatabase } from 'lmdb';
import { newestTransaction } from './format.js';

/** Write transactions of one lmdb environment, none of which loses what another process has committed. */
export interface Transactions {
  /** Runs `action`, synchronous, in a write transaction on the newest state. */
  transact<T>(action: () => T): Promise<T>;
  /** Resolves when all that was asked for has ended. */
  close(): Promise<void>;
}

/**
 * Runs `action` in one transaction of an environment, which ends with it: undone where it throws. Each transaction begins
 * with `check`, and does nothing where that throws.
 */
export type Run = <T>(action: () => T, check: () => void) => Promise<T> | T;

/** lmdb waits for its lock and for the disk in its own thread; all that are asked for in one turn share a commit. */
export function inOwnThread(root: RootDatabase<unknown, Key>): Run {
  return (action, check) =>
    root.childTransaction(() => {
      check();
      return action();
    });
}

/** Thrown inside a transaction that was begun on an outdated state; never leaves this file. */
const OUTDATED = new Error('this transaction was begun on an outdated state');

/** Each time some process has to open the environment in the very moment of a commit. */
const MOST_ATTEMPTS = 20;

/**
 * The lmdb of lmdb-js 3.5 can lose a commit when a process opens an environment while others write to it:
 * `mdb_env_open2` reads the newest transaction's number off the file, and a little later writes it into the lock
 * table that all processes share, whatever was committed in between; the next writer then begins on the older state
 * and overwrites the newer one. So every transaction here first compares its number with the newest one in the
 * file, under the write lock; where it does not follow that one, it leaves everything alone, has the number in the
 * lock table set right, and runs again.
 */
export function transactions(root: RootDatabase<unknown, Key>, directory: string, run: Run): Transactions {
  const file = openSync(join(directory, 'data.mdb'), 'r');
  const running = new Set<Promise<unknown>>();
  let repairing: Promise<unknown> | undefined;

  function check(): void {
    if (root.getWriteTxnId() !== newestTransaction(file) + 1) throw OUTDATED;
  }

  async function checked<T>(action: () => T): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run(action, check);
      } catch (error) {
        if (error !== OUTDATED) throw error;
        if (attempt === MOST_ATTEMPTS)
          throw new Error(`the lock table of ${directory} stays outdated`, { cause: error });
      }
      repairing ??= setRight(directory).finally(() => {
        repairing = undefined;
      });
      await repairing;
    }
  }

  return {
    async transact(action) {
      const transaction = checked(action);
      running.add(transaction);
      try {
        return await transaction;
      } finally {
        running.delete(transaction);
      }
    },
    async close() {
      await Promise.allSettled(running);
      closeSync(file);
    },
  };
}

/** How long the other process may take; it takes a tenth of a second. */
const SET_RIGHT_MS = 30_000;

const OPEN_AND_CLOSE =
  'import(process.argv[1]).then(({ open }) => open({ path: process.argv[2], noSubdir: false }).close())';

/**
 * Opening the environment sets the number right (unless somebody commits in that moment: then it is seen and done
 * again). In a process of its own, since lmdb opens an environment only once per process.
 */
async function setRight(directory: string): Promise<void> {
  await promisify(execFile)(process.execPath, ['-e', OPEN_AND_CLOSE, import.meta.resolve('lmdb'), directory], {
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    timeout: SET_RIGHT_MS,
  });
}
