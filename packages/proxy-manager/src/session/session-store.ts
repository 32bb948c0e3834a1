import { createHash } from 'node:crypto';
import type { Database, Key } from 'lmdb';
import type { Environment } from '../embedded/environment.js';
import { StoreError } from '../errors.js';

/** What is kept of a session. */
export interface SavedSession {
  /** Of the key and the proxy. */
  readonly ids: readonly string[];
  readonly userAgent: string;
  readonly startedAtMs: number;
  readonly uses: number;
  readonly errors: number;
  /** As `Cookies.save` gives them. */
  readonly cookies: unknown;
}

/** Where sessions outlive their process. */
export interface SessionStore {
  read(name: string): Promise<SavedSession | undefined>;
  /** Keeps `session` unless another process has begun one by that name since `ended`; gives the one that counts. */
  begin(name: string, session: SavedSession, ended: SavedSession | undefined): Promise<SavedSession>;
  write(name: string, session: SavedSession): Promise<void>;
}

/** Sessions in the embedded environment, which processes of one machine share. `environment` is asked on first use. */
export function sessionStore(environment: () => Promise<Environment>): SessionStore {
  async function using<T>(
    work: (database: Database<SavedSession, Key>, environment: Environment) => T | Promise<T>,
  ): Promise<T> {
    try {
      const opened = await environment();
      const database = await opened.openDatabase<SavedSession>({ name: 'session', version: 1 });
      return await work(database, opened);
    } catch (error) {
      throw new StoreError('embedded session store', 'keep a session', error);
    }
  }

  return {
    read: (name) => using((database) => database.get(keyOf(name))),
    begin: (name, session, ended) =>
      using((database, opened) =>
        opened.transact(() => {
          const there = database.get(keyOf(name));
          if (there !== undefined && there.startedAtMs !== ended?.startedAtMs) return there;
          database.putSync(keyOf(name), session);
          return session;
        }),
      ),
    write: (name, session) =>
      using((database, opened) =>
        opened.transact(() => {
          // One that another process has begun anew is no longer ours to write.
          if (database.get(keyOf(name))?.startedAtMs === session.startedAtMs) database.putSync(keyOf(name), session);
        }),
      ),
  };
}

/** lmdb bounds the length of keys. */
function keyOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
