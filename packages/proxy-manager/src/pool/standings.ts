import { lastUsed } from '../last-used.js';
import type { StandingStore } from '../usage/standing-store.js';
import type { Noted, Standing, StandingEvent } from './standing.js';

/** What other processes note is seen after this at the latest, in ms. */
const STALE_MS = 1_000;
/** Books kept at hand: there is one for each host. */
const KEPT_BOOKS = 1_000;

export type Book = ReadonlyMap<string, Standing>;

interface Kept {
  book: Book;
  readAtMs: number;
  /** Counts own notes, so that a read from before one does not hide it. */
  notes: number;
  reading: boolean;
}

/** The standings of a store at hand: read once, brought up to date behind whoever asks, and with the own notes at once. */
export class Standings {
  readonly #store: StandingStore;
  readonly #kept = lastUsed<Kept>(KEPT_BOOKS);

  constructor(store: StandingStore) {
    this.#store = store;
  }

  /** The book as last seen; undefined where it has not been read yet, which begins then. */
  peek(name: string): Book | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) {
      void this.read(name).catch(() => {});
      return undefined;
    }
    // A store that fails here fails the take as well, and there it is told.
    if (!kept.reading && performance.now() - kept.readAtMs > STALE_MS) void this.#refresh(name, kept).catch(() => {});
    return kept.book;
  }

  /** The book as last seen, or as the store has it. */
  async read(name: string): Promise<Book> {
    const known = this.#kept.get(name);
    if (known !== undefined && known.readAtMs > 0) return known.book;
    const kept = known ?? { book: NONE, readAtMs: 0, notes: 0, reading: false };
    this.#kept.set(name, kept);
    await this.#refresh(name, kept);
    return kept.book;
  }

  async note(name: string, id: string, event: StandingEvent): Promise<Noted> {
    const noted = await this.#store.note(name, id, event);
    const kept = this.#kept.get(name);
    if (kept !== undefined) {
      const book = new Map(kept.book);
      if (noted.standing === undefined) book.delete(id);
      else book.set(id, noted.standing);
      kept.book = book;
      kept.notes += 1;
    }
    return noted;
  }

  async #refresh(name: string, kept: Kept): Promise<void> {
    const { notes } = kept;
    kept.reading = true;
    try {
      const book = await this.#store.standings(name);
      if (kept.notes !== notes) return;
      kept.readAtMs = performance.now();
      // The same object for as long as nothing is in it: whoever derives something from it compares.
      kept.book = book.size === 0 ? NONE : book;
    } finally {
      kept.reading = false;
    }
  }
}

const NONE: Book = new Map();
