import { mkdtemp, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Key, RootDatabase } from 'lmdb';
import { COPY } from './boot-directory.js';

/** Keeps a flushed copy of an environment that is not flushed itself. */
export interface Copies {
  /** Something was written: it will be copied. */
  note(): void;
  /** Copies what is not copied yet. */
  close(): Promise<void>;
}

const EVERY_MS = 1_000;

/** Of the time that passes, at most this part goes into copying. */
const SHARE = 1 / 20;

/** In `counts`, at most every second for all processes together. A copy that fails is made again with the next one. */
export function copies(root: RootDatabase<unknown, Key>, counts: string): Copies {
  let isDirty = false;
  let timer: NodeJS.Timeout | undefined;
  let waitMs = EVERY_MS;
  let copying: Promise<void> | undefined;
  let isClosed = false;

  async function copy(): Promise<void> {
    isDirty = false;
    const startedMs = performance.now();
    let made: string | undefined;
    try {
      made = await mkdtemp(join(counts, 'copying-'));
      await root.backup(made, true);
      const file = await open(join(made, 'data.mdb'), 'r+');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(join(made, 'data.mdb'), join(counts, COPY));
    } catch {
      isDirty = true;
    } finally {
      if (made !== undefined) await rm(made, { recursive: true, force: true }).catch(() => {});
      waitMs = Math.max(EVERY_MS, (performance.now() - startedMs) / SHARE);
    }
  }

  async function isRecent(): Promise<boolean> {
    const found = await stat(join(counts, COPY)).catch(() => undefined);
    return found !== undefined && Math.abs(Date.now() - found.mtimeMs) < EVERY_MS / 2;
  }

  /** Where another process has just copied, the next turn copies what came since then. */
  async function turn(): Promise<void> {
    if (!(await isRecent())) await copy();
    timer = undefined;
    if (isDirty && !isClosed) arm();
  }

  function arm(): void {
    timer ??= setTimeout(() => {
      copying = turn();
    }, waitMs).unref();
  }

  return {
    note() {
      isDirty = true;
      if (!isClosed) arm();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await copying;
      if (isDirty) await copy();
    },
  };
}
