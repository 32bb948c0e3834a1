import type { Key, RootDatabase, TransactionFlags } from 'lmdb';

/** So many actions share one transaction at most: other processes wait for it. */
const MAX_BATCH = 500;

interface Job {
  /** Runs the action and gives the function that resolves its promise with what it returned. */
  readonly run: () => () => void;
  readonly reject: (reason: unknown) => void;
}

/** Runs what was asked for in one turn of the event loop in one write transaction: the commit is what costs. */
export class TransactionQueue {
  readonly #root: RootDatabase<unknown, Key>;
  readonly #flags: TransactionFlags;
  #jobs: Job[] = [];

  constructor(root: RootDatabase<unknown, Key>, flags: TransactionFlags) {
    this.#root = root;
    this.#flags = flags;
  }

  run<T>(action: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (): (() => void) => {
        const result = action();
        return () => resolve(result);
      };
      if (this.#jobs.push({ run, reject }) === 1) setImmediate(() => this.flush());
    });
  }

  flush(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (let start = 0; start < jobs.length; start += MAX_BATCH) this.#commit(jobs.slice(start, start + MAX_BATCH));
  }

  /** A job that throws undoes the whole transaction, so the others are run again without it. */
  #commit(jobs: readonly Job[]): void {
    let remaining = jobs;
    while (remaining.length > 0) {
      let running: Job | undefined;
      try {
        const resolvers = this.#root.transactionSync(() => {
          const done = remaining.map((job) => {
            running = job;
            return job.run();
          });
          running = undefined;
          return done;
        }, this.#flags);
        for (const resolve of resolvers) resolve();
        return;
      } catch (error) {
        const failed = running;
        if (failed === undefined) {
          for (const { reject } of remaining) reject(error);
          return;
        }
        failed.reject(error);
        remaining = remaining.filter((job) => job !== failed);
      }
    }
  }
}
