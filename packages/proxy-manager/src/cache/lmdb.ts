import type { Database, Key } from 'lmdb';
import type { Clock } from '../clock.js';
import type { Environment } from '../embedded/environment.js';
import type { CacheStore } from './cache-store.js';
import { decodeEntry, encodeEntry } from './record.js';

export interface LmdbCacheOptions {
  /** Asked on first use; it stays open when the store closes. */
  readonly environment: () => Promise<Environment>;
  readonly clock: Clock;
}

interface Opened {
  readonly environment: Environment;
  readonly database: Database<Buffer, Key>;
}

/**
 * Keeps replies in the embedded environment, shared by the processes that have it open. An expired entry is removed
 * when it is asked for again; one that nobody asks for stays on the disk.
 */
export function lmdbCacheStore({ environment: openEnvironment, clock }: LmdbCacheOptions): CacheStore {
  let opening: Promise<Opened> | undefined;

  async function openDatabase(): Promise<Opened> {
    const environment = await openEnvironment();
    const database = await environment.openDatabase<Buffer>({ name: 'cache', version: 1 }, { encoding: 'binary' });
    return { environment, database };
  }

  function open(): Promise<Opened> {
    opening ??= openDatabase().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }

  const writing = new Set<Promise<unknown>>();

  return {
    async get(key) {
      const { environment, database } = await open();
      const record = database.getBinary(key);
      if (record === undefined) return undefined;
      const entry = await decodeEntry(record);
      if (entry !== undefined && clock.now() < entry.expiresAtMs) return entry;
      await environment.transact(() => database.removeSync(key));
      return undefined;
    },
    async set(key, entry) {
      const write = open().then(async ({ environment, database }) => {
        const record = await encodeEntry(entry);
        return environment.transact(() => database.putSync(key, record));
      });
      writing.add(write);
      try {
        await write;
      } finally {
        writing.delete(write);
      }
    },
    async delete(key) {
      const { environment, database } = await open();
      return environment.transact(() => database.removeSync(key));
    },
    async close() {
      await Promise.allSettled(writing);
    },
  };
}
