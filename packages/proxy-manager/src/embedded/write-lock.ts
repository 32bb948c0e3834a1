import { readSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The lock that lmdb's writers take turns by, seen from outside. */
export interface WriteLock {
  /** Whether a live process holds it at this moment; false where that cannot be seen. */
  isHeld(): boolean;
  /** To be called first while this thread holds it and then when it has let go: is it where it is looked for? */
  look(): void;
}

/** In lmdb's lock table, of its writers' mutex. */
const OFFSET = 64;
/** Of a mutex's first word, with glibc on Linux, the id of the thread that holds it; the other bits say who waits and who died. */
const HOLDER = 0x3fffffff;
const FILES = '/proc/self/fd';

/**
 * Whoever sleeps in lmdb's lock relies on being woken by the one who leaves it. On Linux a `kill -9` can swallow that: it
 * wakes one sleeper alone, and where this one is killed before it gets there, the others sleep on beside a free lock. So
 * we look before we lock, and come back where somebody is in there: nearly nobody ever sleeps.
 */
export async function writeLock(directory: string): Promise<WriteLock> {
  const file = await fileOf(join(directory, 'lock.mdb'));
  if (file === undefined) return { isHeld: () => false, look: () => {} };
  const word = new Uint32Array(1);
  const looks: boolean[] = [];
  let isSeen = false;

  function holder(): number {
    readSync(file ?? -1, word, 0, 4, OFFSET);
    return (word[0] ?? 0) & HOLDER;
  }

  return {
    isHeld: () => isSeen && holder() !== 0,
    look() {
      if (looks.length === 2) return;
      // The main thread's id is that of its process. Elsewhere nothing is seen, and lmdb's own way has to do.
      looks.push(holder() === process.pid);
      isSeen = looks[0] === true && looks[1] === false;
    },
  };
}

/** lmdb's own descriptor: with one of ours, closing it would drop all locks that this process has on the file. */
async function fileOf(path: string): Promise<number | undefined> {
  const numbers = await readdir(FILES).catch(() => []);
  const paths = await Promise.all(numbers.map((number) => readlink(join(FILES, number)).catch(() => undefined)));
  const found = numbers[paths.indexOf(path)];
  return found === undefined ? undefined : Number(found);
}
