import { randomBytes } from 'node:crypto';
import { awaitIn } from '../embedded/waiting.js';
import type { Waiting } from '../embedded/waiting.js';
import type { Generations } from './journal-generations.js';
import { JournalLedger } from './journal-ledger.js';
import { recordText } from './journal-record.js';
import { Replica } from './journal-replica.js';

/** Actions that share a record. */
const MOST = 1_000;
/** One after the other, each by itself, before the event loop has its turn. */
const ALONE = 16;
/** Attempts in a row that others thwart before the event loop has its turn. */
const LOSSES = 16;
/** A journal is replaced when it is so many times as long as what it began with. */
const GROWTH = 4;

/** Actions on the ledger of one endpoint, which all processes share: see docs/decisions/usage-journal.md. */
export class Journal {
  readonly #generations: Generations;
  readonly #leastBytes: number;
  readonly #ledger = new JournalLedger();
  readonly #writer = randomBytes(9).toString('base64url');
  #replica: Replica | undefined;
  #sealAtBytes = Infinity;
  #waiting: Waiting[] = [];
  #isBusy = false;
  #alone = 0;
  #most = MOST;

  /** No generation is replaced that is shorter than `leastBytes`. */
  constructor(generations: Generations, leastBytes: number) {
    this.#generations = generations;
    this.#leastBytes = leastBytes;
  }

  /** Resolves with what the action gave, when all that it changed is written down. It may have to run several times. */
  run<T>(action: (ledger: JournalLedger) => T): Promise<T> {
    const written = awaitIn(this.#waiting, () => action(this.#ledger));
    if (!this.#isBusy) this.#begin();
    return written;
  }

  /** Closes when all that was asked for is done. */
  async close(): Promise<void> {
    if (this.#isBusy) await this.run(() => {}).catch(() => {});
    const { file } = this.#replica ?? {};
    this.#replica = undefined;
    await file?.close();
  }

  /** At once while actions come one by one, else those of one turn of the event loop together. */
  #begin(): void {
    this.#isBusy = true;
    if (this.#alone > 0) {
      this.#alone -= 1;
      void this.#work();
      return;
    }
    setImmediate(() => {
      this.#alone = this.#waiting.length === 1 ? ALONE : 0;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    let losses = 0;
    try {
      while (this.#waiting.length > 0) {
        const replica = this.#replica?.isSealed === false ? this.#replica : await this.#open();
        losses = this.#attempt(replica) ? 0 : losses + 1;
        if (losses > 0 && losses % LOSSES === 0) await new Promise(setImmediate);
      }
    } catch (error) {
      // None can be opened.
      for (const one of this.#waiting.splice(0)) one.failed(error);
    }
    this.#isBusy = false;
  }

  /** Runs the first actions, and fewer of them the next time where others were faster. */
  #attempt(replica: Replica): boolean {
    const batch = this.#waiting.slice(0, this.#most);
    try {
      const isDone = replica.attempt(() => {
        for (const one of batch) one.run();
      });
      this.#most = isDone ? Math.min(MOST, 2 * this.#most) : Math.ceil(batch.length / 2);
      if (!isDone) return false;
    } catch (error) {
      // Of several it may be one alone that fails.
      if (batch.length > 1) this.#most = 1;
      else this.#waiting.shift()?.failed(error);
      return true;
    }
    this.#waiting.splice(0, batch.length);
    for (const one of batch) one.done();
    if (replica.size > this.#sealAtBytes) replica.seal();
    return true;
  }

  /** Opens the newest generation: the one that follows where there is one that is sealed. */
  async #open(): Promise<Replica> {
    const { file: sealed } = this.#replica ?? {};
    const file =
      sealed === undefined
        ? await this.#generations.open()
        : await this.#generations.follow(sealed.generation, recordText([0, this.#writer, ...this.#ledger.whole()]));
    const replica = new Replica(file, this.#ledger, this.#writer, file.generation - 1 === sealed?.generation);
    this.#replica = replica;
    this.#sealAtBytes = Math.max(this.#leastBytes, GROWTH * replica.firstBytes);
    sealed?.close().catch(() => {});
    return replica;
  }
}
