import { access, constants, mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, DatabaseOptions, Key, RootDatabase } from 'lmdb';
import { ConfigError, StoreError } from '../errors.js';
import { assertStoreFile, newerVersion } from './format.js';

/** What one embedded store keeps: its name and the version of the form it keeps it in. */
export interface DatabaseName {
  readonly name: 'cache' | 'usage';
  /** A positive integer; a release that changes the form counts it up, and migrates or refuses the older one. */
  readonly version: number;
}

/** One user's hold on the lmdb environment of a `dataDir`; the last one to let go closes it. */
export interface Environment {
  /** Absolute, symbolic links resolved. */
  readonly dataDir: string;
  /**
   * Opens (creates) the database `NAME-vVERSION`; however often, it is the same one, with the options of the
   * first time. A `StoreError` where `dataDir` holds a newer version of it.
   */
  openDatabase<V>(database: DatabaseName, options?: DatabaseOptions): Database<V, Key>;
  /**
   * Runs `action`, synchronous, in a write transaction over all databases: all of it happens, or nothing when it
   * throws. When the promise resolves the writes are with the operating system: killing the process loses none of
   * them, a power cut may lose the last instants and damages nothing older. Other processes wait for it meanwhile.
   */
  transact<T>(action: () => T): Promise<T>;
  /** Lets go; idempotent. */
  close(): Promise<void>;
}

interface Opened {
  readonly root: RootDatabase<unknown, Key>;
  readonly databases: Map<string, Database<unknown, Key>>;
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
export async function openEnvironment(dataDir: string): Promise<Environment> {
  const path = await prepare(dataDir);
  let shared = environments.get(path);
  if (shared === undefined) {
    shared = { users: 0, opened: (closing.get(path) ?? Promise.resolve()).then(() => openRoot(path)) };
    environments.set(path, shared);
  }
  shared.users += 1;
  try {
    return hold(path, shared, await shared.opened);
  } catch (error) {
    if (environments.get(path) === shared) environments.delete(path);
    throw new StoreError('embedded store', `open ${storePath(path)}`, error);
  }
}

const storePath = (dataDir: string): string => join(dataDir, 'store');

async function prepare(dataDir: string): Promise<string> {
  try {
    await mkdir(storePath(dataDir), { recursive: true });
    await access(storePath(dataDir), constants.W_OK);
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

async function openRoot(dataDir: string): Promise<Opened> {
  const path = storePath(dataDir);
  await assertStoreFile(join(path, 'data.mdb'));
  const { open } = await import('lmdb');
  return { root: open({ path, noSubdir: false, maxDbs: 32 }), databases: new Map() };
}

function hold(dataDir: string, shared: Shared, { root, databases }: Opened): Environment {
  let held = true;
  return {
    dataDir,
    openDatabase<V>({ name, version }: DatabaseName, options: DatabaseOptions = {}): Database<V, Key> {
      const full = `${name}-v${version}`;
      const known = databases.get(full);
      if (known !== undefined) return known as Database<V, Key>;
      const newer = newerVersion(name, version, root.getKeys());
      if (newer !== undefined) {
        const cause = `${storePath(dataDir)} holds ${newer}, written by a newer release; update proxy-manager, or use another dataDir`;
        throw new StoreError('embedded store', `open ${full}`, cause);
      }
      const opened = root.openDB<V, Key>(full, options);
      databases.set(full, opened);
      return opened;
    },
    transact: async (action) => {
      if (!held) throw new Error('the environment is closed');
      return root.childTransaction(action);
    },
    async close() {
      if (!held) return;
      held = false;
      shared.users -= 1;
      if (shared.users > 0) return;
      environments.delete(dataDir);
      const closed = root.close().finally(() => closing.delete(dataDir));
      closing.set(dataDir, closed);
      await closed;
    },
  };
}
