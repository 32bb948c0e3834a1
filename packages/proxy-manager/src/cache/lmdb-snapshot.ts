import type { Database, Key } from 'lmdb';

/**
 * What is read of a database outside of transactions. lmdb gives a snapshot that may be a millisecond old; each new one
 * costs it a timer, so all that is read without waiting in between shares one.
 */
export class LmdbSnapshot {
  readonly #database: Database<Buffer, Key>;
  #isNew = false;
  readonly #age = (): void => {
    this.#isNew = false;
  };

  constructor(database: Database<Buffer, Key>) {
    this.#database = database;
  }

  /** From here on reads see what the processes have left by now. */
  renew(): void {
    if (this.#isNew) return;
    this.#database.resetReadTxn();
    this.#isNew = true;
    queueMicrotask(this.#age);
  }
}
