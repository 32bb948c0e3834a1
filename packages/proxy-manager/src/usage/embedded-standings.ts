import { createHash } from 'node:crypto';
import type { Database, Key } from 'lmdb';
import type { Noted, Standing, StandingEvent } from '../pool/standing.js';
import { afterEvent, FORGOTTEN_MS } from '../pool/standing.js';

/** A number in the first place: no ledger begins with one. */
const STANDINGS = 0;

interface Kept {
  readonly id: string;
  readonly standing: Standing;
}

/** Within a write transaction. */
export function noteIn(
  database: Database<unknown, Key>,
  { book, id }: { readonly book: string; readonly id: string },
  event: StandingEvent,
  nowMs: number,
): Noted {
  const key = [STANDINGS, keyPart(book), keyPart(id)];
  const kept = database.get(key) as Kept | undefined;
  const noted = afterEvent(kept?.standing, event, nowMs);
  if (noted.changed) {
    if (noted.standing === undefined) database.removeSync(key);
    else database.putSync(key, { id, standing: noted.standing });
  }
  return noted;
}

export function standingsIn(database: Database<unknown, Key>, book: string): ReadonlyMap<string, Standing> {
  const found = new Map<string, Standing>();
  const part = keyPart(book);
  for (const { value } of database.getRange({ start: [STANDINGS, part], end: [STANDINGS, `${part}\u0001`] })) {
    const { id, standing } = value as Kept;
    found.set(id, standing);
  }
  return found;
}

/** Drops what everybody has forgotten: a crawler meets more hosts than it comes back to. Within a write transaction. */
export function sweepStandings(database: Database<unknown, Key>, nowMs: number): void {
  // Gathered first: a cursor does not stand still while its entries go.
  const entries = Array.from(database.getRange({ start: [STANDINGS], end: [STANDINGS + 1] }));
  for (const { key, value } of entries) {
    if ((value as Kept).standing.untilMs + FORGOTTEN_MS <= nowMs) database.removeSync(key);
  }
}

/** Names of any length and content as part of a key, which lmdb bounds and separates by NUL. */
function keyPart(text: string): string {
  if (text.length <= 128 && !text.includes('\0')) return text;
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
