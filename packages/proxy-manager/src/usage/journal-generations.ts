import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../embedded/environment.js';
import { JournalFile } from './journal-file.js';

const JOURNAL = '.ndjson';
/** Made to follow a sealed one, by somebody who may be too late with it. */
const MADE = '.new';

/**
 * The files of one journal, `1.ndjson` and so on. Each but the first begins with all that the one before it had come to,
 * and replaces it. Files come and go only under the lock of lmdb's transactions, so the newest one is always known.
 */
export class Generations {
  readonly #environment: Environment;
  readonly #directory: string;

  constructor(environment: Environment, directory: string) {
    this.#environment = environment;
    this.#directory = directory;
  }

  /** The newest one, made where there is none. */
  open(): Promise<JournalFile> {
    return this.#locked(() => {
      mkdirSync(this.#directory, { recursive: true });
      return this.#newest(1);
    });
  }

  /** The newest one; where that still is `sealed`, a new one that begins with `first`. */
  async follow(sealed: number, first: string): Promise<JournalFile> {
    const made = join(this.#directory, `${sealed + 1}-${randomUUID()}${MADE}`);
    try {
      // Somebody may have removed all of it meanwhile.
      mkdirSync(this.#directory, { recursive: true });
      if (newestOf(readdirSync(this.#directory), sealed) === sealed) await writeFlushed(made, first);
      return await this.#locked(() => {
        if (this.#newest(sealed) === sealed) renameSync(made, this.#path(sealed + 1));
        return this.#newest(sealed);
      });
    } catch (error) {
      // Each attempt on a full disk would leave one.
      await rm(made, { force: true });
      throw error;
    }
  }

  async #locked(find: () => number): Promise<JournalFile> {
    let file: JournalFile | undefined;
    return this.#environment.locked(() => {
      // A transaction may have to run again.
      file?.closeSync();
      const generation = find();
      file = new JournalFile(this.#path(generation), generation);
      return file;
    });
  }

  /** Removes what it has replaced, and what others had made to follow that; `otherwise` where there is none. */
  #newest(otherwise: number): number {
    const names = readdirSync(this.#directory);
    const newest = newestOf(names, otherwise);
    for (const name of names) {
      const generation = Number.parseInt(name, 10);
      const isOld = name.endsWith(MADE) ? generation <= newest : generation < newest;
      if (isOld) rmSync(join(this.#directory, name), { force: true });
    }
    return newest;
  }

  #path(generation: number): string {
    return join(this.#directory, `${generation}${JOURNAL}`);
  }
}

function newestOf(names: readonly string[], otherwise: number): number {
  const generations = names.filter((name) => name.endsWith(JOURNAL)).map((name) => Number.parseInt(name, 10));
  return generations.length === 0 ? otherwise : Math.max(...generations);
}

async function writeFlushed(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}
