import { createHash } from 'node:crypto';
import type { Database, Key } from 'lmdb';
import type { Environment } from '../embedded/environment.js';
import { StoreError } from '../errors.js';
import type { SavedSession, SessionStore } from './session-store.js';

/** A session is kept so long after its end, that the next one by its name may take other credentials. */
const KEPT_MS = 86_400_000;
/** Each that begins looks at so many of the others, wherever its key falls: hardly a third of all can then be outdated. */
const LOOKED_AT = 4;

/** Sessions in the embedded environment, which processes of one machine share. `environment` is asked on first use. */
export function embeddedSessions(environment: () => Promise<Environment>): SessionStore {
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
          sweep(database, keyOf(name), session.startedAtMs);
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

function sweep(database: Database<SavedSession, Key>, start: string, nowMs: number): void {
  const outdated: Key[] = [];
  for (const { key, value } of database.getRange({ start, limit: LOOKED_AT })) {
    if (value.endsAtMs + KEPT_MS <= nowMs) outdated.push(key);
  }
  for (const key of outdated) database.removeSync(key);
}

/** lmdb bounds the length of keys; and as good as random, they let a sweep begin anywhere. */
function keyOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
