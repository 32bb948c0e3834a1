import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** No entry is longer, in bytes. */
const LONGEST = 4096;
/** No entry has more weight for each of its bytes; one that had would be drawn too seldom. */
const MOST_PER_BYTE = 1e-6;
/** In a file of another form no entry would be found for ever. */
const TRIES = 1_000;
/** How an entry begins: nothing deeper in the file stands after so few spaces. */
const OPENING = '\n  {';
const CLOSING = '\n  }';

interface Entry {
  readonly userAgent: string;
  readonly weight: number;
}

/**
 * One user agent of the package `user-agents`, as likely as its weight says, without loading all: its 5 MB of JSON cost
 * 30 ms and 28 MB as objects. It reads what stands at a random place of the file; long entries are met more often, so
 * one is taken in proportion to its weight for each byte. `undefined` where there is no such file.
 */
export function drawnUserAgent(random: () => number = Math.random): string | undefined {
  const file = openData();
  if (file === undefined) return undefined;
  try {
    const { size } = fstatSync(file);
    for (let tries = 0; tries < TRIES; tries++) {
      const met = entryAt(file, Math.floor(random() * size));
      if (met !== undefined && random() * MOST_PER_BYTE < met.entry.weight / met.bytes) return met.entry.userAgent;
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

let path: string | undefined;

/** Where the package keeps it beside its code; in a bundle, or another version, it may be elsewhere. */
function openData(): number | undefined {
  try {
    path ??= join(dirname(createRequire(import.meta.url).resolve('user-agents')), 'user-agents.json');
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}

/** The entry that `place` is in, up to the beginning of the next one. */
function entryAt(file: number, place: number): { readonly entry: Entry; readonly bytes: number } | undefined {
  const around = Buffer.alloc(2 * LONGEST);
  const from = Math.max(0, place - LONGEST);
  const text = around.toString('latin1', 0, readSync(file, around, 0, around.length, from));
  const start = text.lastIndexOf(OPENING, place - from);
  const end = text.indexOf(CLOSING, start);
  if (start === -1 || end === -1) return undefined;
  const next = text.indexOf(OPENING, end);
  const bytes = (next === -1 ? text.length : next) - start;
  return { entry: JSON.parse(around.toString('utf8', start, end + CLOSING.length)) as Entry, bytes };
}
