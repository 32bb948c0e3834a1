import { access, constants, mkdir, realpath, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Database, DatabaseOptions, Key, RootDatabase, RootDatabaseOptions } from 'lmdb';
import { ConfigError, StoreError } from '../errors.js';
import { batches } from './batches.js';
import { bootDirectory } from './boot-directory.js';
import { bootId } from './boot-id.js';
import type { Copies } from './copies.js';
import { copies } from './copies.js';
import { assertStoreFile, newerVersion } from './format.js';
import type { Transactions } from './transactions.js';
import { inOwnThread, transactions } from './transactions.js';
import { writeLock } from './write-lock.js';

/** What one embedded store keeps: its name and the version of the form it keeps it in. */
export interface DatabaseName {
  readonly name: 'cache' | 'session' | 'usage';
  /** A positive integer; a release that changes the form counts it up, and migrates or refuses the older one. */
  readonly version: number;
}

/** One user's hold on the lmdb environment of a `dataDir`; the last one to let go closes it. */
export interface Environment {
  /** Absolute, symbolic links resolved. */
  readonly dataDir: string;
  /**
   * Opens (creates) the database `NAME-vVERSION`; however often, it is the same one, with the options of the
   * first time. A `StoreError` where `dataDir` holds a newer version of it. Read from it freely (what is read
   * outside `transact` may be a moment old); write to it inside `transact` only.
   */
  openDatabase<V>(database: DatabaseName, options?: DatabaseOptions): Promise<Database<V, Key>>;
  /**
   * Runs `action`, synchronous, in a write transaction over all databases: all of it happens, or nothing when it
   * throws. When the promise resolves the writes are with the operating system: killing the process loses none of
   * them, a power cut may lose the last instants and damages nothing older. Other processes wait for it meanwhile.
   */
  transact<T>(action: () => T): Promise<T>;
  /** Runs `action`, synchronous, which writes to no database, while nobody else is in here or in `transact`. */
  locked<T>(action: () => T): Promise<T>;
  /** Lets go; idempotent. */
  close(): Promise<void>;
}

interface Opened {
  readonly root: RootDatabase<unknown, Key>;
  readonly directory: string;
  readonly databases: Map<string, Promise<Database<unknown, Key>>>;
  readonly writes: Transactions;
  readonly copies?: Copies | undefined;
}

interface Shared {
  users: number;
  readonly opened: Promise<Opened>;
}

/** lmdb wants an environment opened once per process. */
const environments = new Map<string, Shared>();
const closing = new Map<string, Promise<void>>();

/**
 * Opens the lmdb environment in `dataDir`, which is created with a `.gitignore` for all it holds. Any number of
 * processes may have it open. A `ConfigError` when `dataDir` cannot be written, a `StoreError` when what lies
 * there is no store of this format.
 */
export function openEnvironment(dataDir: string): Promise<Environment> {
  return openIn(dataDir, 'store', openStore);
}

/**
 * The same for what goes with the counts, and for the lock of their journals: another environment in `dataDir`, which
 * never waits for the disk. A copy of it is flushed every second, which is where it begins from after a power cut. Where
 * the system does not tell one boot from another it is the one of `openEnvironment`.
 */
export function openCounts(dataDir: string): Promise<Environment> {
  return openUntilBoot(dataDir, 'counts', copies);
}

/**
 * The same for the cache, which may be lost and is too large for copies: after a power cut, and after any other boot, it
 * begins empty.
 */
export function openCache(dataDir: string): Promise<Environment> {
  return openUntilBoot(dataDir, 'cache');
}

async function openUntilBoot(dataDir: string, name: string, keepsCopies?: typeof copies): Promise<Environment> {
  const boot = await bootId();
  if (boot === undefined) return openEnvironment(dataDir);
  return openIn(dataDir, name, (base) => openUnflushed(base, boot, keepsCopies));
}

async function openIn(
  dataDir: string,
  name: string,
  open: (directory: string) => Promise<Opened>,
): Promise<Environment> {
  const base = await prepare(dataDir, name);
  const path = join(base, name);
  let shared = environments.get(path);
  if (shared === undefined) {
    shared = { users: 0, opened: (closing.get(path) ?? Promise.resolve()).then(() => open(path)) };
    environments.set(path, shared);
  }
  shared.users += 1;
  try {
    return hold(base, path, shared, await shared.opened);
  } catch (error) {
    if (environments.get(path) === shared) environments.delete(path);
    throw new StoreError('embedded store', `open ${path}`, error);
  }
}

async function prepare(dataDir: string, name: string): Promise<string> {
  try {
    const path = join(dataDir, name);
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
    await writeFile(join(dataDir, '.gitignore'), '*\n', { flag: 'wx' }).catch(ignoreExisting);
    return await realpath(dataDir);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError('dataDir', [`expected a directory that can be written, found ${dataDir}: ${reason}`], {
      cause: error,
    });
  }
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}

async function openStore(directory: string): Promise<Opened> {
  const root = await openRoot(directory, {});
  return { root, directory, databases: new Map(), writes: transactions(root, directory, inOwnThread(root)) };
}

async function openUnflushed(base: string, boot: string, keepsCopies?: typeof copies): Promise<Opened> {
  const directory = await bootDirectory(base, boot);
  const root = await openRoot(directory, { noSync: true, noMetaSync: true });
  const writes = transactions(root, directory, batches(root, await writeLock(directory)));
  return { root, directory, databases: new Map(), writes, copies: keepsCopies?.(root, base) };
}

async function openRoot(directory: string, options: RootDatabaseOptions): Promise<RootDatabase<unknown, Key>> {
  await assertStoreFile(join(directory, 'data.mdb'));
  // Required: its build for that is one file instead of twenty.
  const { open } = createRequire(import.meta.url)('lmdb') as typeof import('lmdb');
  return open<unknown, Key>({ path: directory, noSubdir: false, maxDbs: 32, ...options });
}

function hold(dataDir: string, path: string, shared: Shared, opened: Opened): Environment {
  const { root, directory, databases, writes, copies: kept } = opened;
  let held = true;

  function assertHeld(): void {
    if (!held) throw new Error('the environment is closed');
  }

  function openNamed<V>(
    full: string,
    { name, version }: DatabaseName,
    options: DatabaseOptions,
  ): Promise<Database<V, Key>> {
    // In a checked transaction, since a database that is not there yet is created.
    return writes.transact(() => {
      const newer = newerVersion(name, version, root.getKeys());
      if (newer === undefined) return root.openDB<V, Key>(full, options);
      const cause = `${directory} holds ${newer}, written by a newer release; update proxy-manager, or use another dataDir`;
      throw new StoreError('embedded store', `open ${full}`, cause);
    });
  }

  return {
    dataDir,
    async openDatabase<V>(database: DatabaseName, options: DatabaseOptions = {}): Promise<Database<V, Key>> {
      assertHeld();
      const full = `${database.name}-v${database.version}`;
      let opening = databases.get(full);
      if (opening === undefined) {
        opening = openNamed(full, database, options);
        databases.set(full, opening);
        opening.catch(() => databases.delete(full));
      }
      return (await opening) as Database<V, Key>;
    },
    transact: async (action) => {
      assertHeld();
      kept?.note();
      return writes.transact(action);
    },
    locked: async (action) => {
      assertHeld();
      return writes.transact(action);
    },
    async close() {
      if (!held) return;
      held = false;
      shared.users -= 1;
      if (shared.users > 0) return;
      environments.delete(path);
      const closed = writes
        .close()
        .then(() => kept?.close())
        .then(() => root.close())
        .finally(() => closing.delete(path));
      closing.set(path, closed);
      await closed;
    },
  };
}
