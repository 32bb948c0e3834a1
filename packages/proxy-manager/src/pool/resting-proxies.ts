import type { Clock } from '../clock.js';
import type { Pool } from '../usage/usage-store.js';
import { bookOf, hostBookOf, PROXIES } from './books.js';
import type { Book, Standings } from './standings.js';

/** Until when somebody is not to be taken, by id, in epoch ms. */
export type Resting = ReadonlyMap<string, number>;

/** Who is held and not back yet is looked at anew so soon. */
const HELD_MS = 1_000;
/** So many dead proxies are named in a take; beyond that the rests that the ledger knows of have to do. */
const NAMED = 100;

/** The proxies that are not to be taken at present, everywhere or for a host. */
export class RestingProxies {
  readonly #standings: Standings;
  readonly #clock: Clock;
  readonly #isKnown: (id: string) => boolean;
  readonly #onHeld: (id: string, untilMs: number) => void;
  #out: { readonly book: Book; readonly untilMs: number; readonly ids: Resting } | undefined;

  constructor(options: {
    readonly standings: Standings;
    readonly clock: Clock;
    /** True for the proxies of this manager. */
    readonly isKnown: (id: string) => boolean;
    /** Called for whoever is held, every now and then. */
    readonly onHeld: (id: string, untilMs: number) => void;
  }) {
    this.#standings = options.standings;
    this.#clock = options.clock;
    this.#isKnown = options.isKnown;
    this.#onHeld = options.onHeld;
  }

  /** Who of `pool` is not to be taken for a request to `host`. Waits only where nothing is known yet. */
  of(pool: Pool, host: string | undefined): Promise<Resting> | Resting {
    // Brought up to date behind, for the verdict at the end of the lease.
    this.#standings.peek(bookOf(pool.endpoint));
    if (!pool.sections.some(({ kind }) => kind === 'proxy')) return NOBODY;
    const everywhere = this.#standings.peek(PROXIES);
    const there = host === undefined ? NO_BOOK : this.#standings.peek(hostBookOf(host));
    return everywhere === undefined || there === undefined ? this.#read(host) : this.#now(everywhere, there);
  }

  /** Others are known from now on. */
  forget(): void {
    this.#out = undefined;
  }

  async #read(host: string | undefined): Promise<Resting> {
    const [everywhere, there] = await Promise.all([
      this.#standings.read(PROXIES),
      host === undefined ? NO_BOOK : this.#standings.read(hostBookOf(host)),
    ]);
    return this.#now(everywhere, there);
  }

  #now(everywhere: Book, there: Book): Resting {
    const out = this.#outOf(everywhere);
    if (there.size === 0) return out;
    const nowMs = this.#clock.now();
    const all = new Map(out);
    for (const [id, { untilMs }] of there) {
      if (untilMs > nowMs) all.set(id, Math.max(untilMs, all.get(id) ?? 0));
    }
    return all;
  }

  /** Derived anew only when the book changes or a rest ends. */
  #outOf(book: Book): Resting {
    if (book.size === 0) return NOBODY;
    const nowMs = this.#clock.now();
    if (this.#out?.book === book && nowMs < this.#out.untilMs) return this.#out.ids;
    let nextMs = Infinity;
    const ids = new Map<string, number>();
    const awaited = new Map<string, number>();
    for (const [id, { untilMs, held }] of book) {
      if (!this.#isKnown(id)) continue;
      if (held) this.#onHeld(id, untilMs);
      if (untilMs > nowMs) {
        ids.set(id, untilMs);
        nextMs = Math.min(nextMs, untilMs);
      } else if (held) {
        ids.set(id, nowMs + HELD_MS);
        awaited.set(id, nowMs + HELD_MS);
        nextMs = Math.min(nextMs, nowMs + HELD_MS / 2);
      }
    }
    this.#out = { book, untilMs: nextMs, ids: ids.size > NAMED ? awaited : ids };
    return this.#out.ids;
  }
}

const NOBODY: Resting = new Map();
const NO_BOOK: Book = new Map();
