import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Key, RootDatabase } from 'lmdb';
import { StoreError } from '../errors.js';
import { assertStoreFile, newestTransaction } from './format.js';

/** What a transaction works on. */
export type ExactRoot = RootDatabase<unknown, Key>;

/** Thrown inside a transaction that was begun on an outdated state; never leaves this file. */
const OUTDATED = new Error('this transaction was begun on an outdated state');

/** Where the version of the content is kept. */
const VERSION_KEY = 'version';

/**
 * An lmdb environment of its own in which no committed write is ever lost.
 *
 * The lmdb that lmdb-js 3.5 brings loses some when a process opens an environment while others write to it:
 * `mdb_env_open2` reads the newest transaction's number off the file, and a little later writes it into the lock table
 * that all share, whatever was committed in between; the next writer then begins on the older state and overwrites
 * the newer one. So every transaction here first compares its number with the newest one in the file, under the
 * write lock; where it does not follow that one, it leaves everything alone and opens the environment anew, which
 * sets the number right, and runs again.
 */
export class ExactDatabase {
  readonly #directory: string;
  readonly #version: number;
  #opening: Promise<Opened> | undefined;
  #closed = false;

  constructor(directory: string, version: number) {
    this.#directory = directory;
    this.#version = version;
  }

  /**
   * Runs `action`, synchronous, in a write transaction: all of it happens, or nothing when it throws; it may be run
   * more than once. When the promise resolves the writes are with the operating system: killing the process loses
   * none of them, a power cut may lose the last instants and damages nothing older. Other processes wait for it.
   */
  async transact<T>(action: (root: ExactRoot) => T): Promise<T> {
    for (;;) {
      const opening = this.#open();
      const opened = await opening;
      // Somebody has found the state outdated meanwhile.
      if (this.#opening !== opening) continue;
      try {
        return await opened.transact(action);
      } catch (error) {
        if (error !== OUTDATED) throw error;
        if (this.#opening === opening) this.#reopen(opening);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.close();
  }

  #open(): Promise<Opened> {
    if (this.#closed) throw new Error('the database is closed');
    return (this.#opening ??= this.#keep(openExact(this.#directory, this.#version)));
  }

  #reopen(opening: Promise<Opened>): void {
    this.#opening = this.#keep(
      opening.then(async (opened) => {
        await opened.close();
        return openExact(this.#directory, this.#version);
      }),
    );
  }

  /** What could not be opened is tried again by whoever comes next. */
  #keep(opening: Promise<Opened>): Promise<Opened> {
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }
}

interface Opened {
  /** Rejects with `OUTDATED` where the state it would build on is not the newest. */
  transact<T>(action: (root: ExactRoot) => T): Promise<T>;
  /** Closes after what was asked for. */
  close(): Promise<void>;
}

async function openExact(directory: string, version: number): Promise<Opened> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'data.mdb');
  await assertStoreFile(path);
  const { open } = await import('lmdb');
  for (;;) {
    // In the root database itself: making a named one is a write that could not be checked.
    const opened = guard(open<unknown, Key>({ path: directory, noSubdir: false }), openSync(path, 'r'));
    try {
      const found = await opened.transact((root) => {
        if (root.get(VERSION_KEY) === undefined) root.putSync(VERSION_KEY, version);
        return Number(root.get(VERSION_KEY));
      });
      if (found <= version) return opened;
      const cause = `it is of version ${found}, written by a newer release; update proxy-manager, or use another dataDir`;
      throw new StoreError('embedded store', `open ${directory}`, cause);
    } catch (error) {
      await opened.close();
      if (error !== OUTDATED) throw error;
    }
  }
}

/** `file`: the data file, for the number that lmdb-js does not tell. */
function guard(root: ExactRoot, file: number): Opened {
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    // lmdb-js lets no transaction write that it runs after `close` was called.
    await Promise.allSettled(running);
    await root.close();
    closeSync(file);
  }

  return {
    async transact(action) {
      const transaction = root.childTransaction(() => {
        if (root.getWriteTxnId() !== newestTransaction(file) + 1) throw OUTDATED;
        return action(root);
      });
      running.add(transaction);
      try {
        return await transaction;
      } finally {
        running.delete(transaction);
      }
    },
    close: () => (closing ??= close()),
  };
}
