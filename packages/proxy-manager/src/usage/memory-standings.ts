import type { Clock } from '../clock.js';
import type { Standing } from '../pool/standing.js';
import { afterEvent } from '../pool/standing.js';
import type { StandingStore } from './standing-store.js';

/** Standings of this process alone. */
export function memoryStandings(clock: Clock): StandingStore {
  const books = new Map<string, Map<string, Standing>>();
  return {
    async note(book, id, event) {
      const known = books.get(book);
      const noted = afterEvent(known?.get(id), event, clock.now());
      if (noted.standing !== undefined) {
        if (known === undefined) books.set(book, new Map([[id, noted.standing]]));
        else known.set(id, noted.standing);
      } else if (known?.delete(id) === true && known.size === 0) books.delete(book);
      return noted;
    },
    standings: async (book) => new Map(books.get(book)),
  };
}
