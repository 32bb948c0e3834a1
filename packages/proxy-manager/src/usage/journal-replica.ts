import type { JournalFile } from './journal-file.js';
import type { Change, JournalLedger } from './journal-ledger.js';
import { eachRecord, LINE_BREAK, recordText } from './journal-record.js';

/** After so many attempts without others in between nobody looks for them beforehand. */
const WARY = 16;

/** A ledger that is kept as one generation of its journal has it. */
export class Replica {
  readonly file: JournalFile;
  readonly #ledger: JournalLedger;
  readonly #writer: string;
  /** The length of what it begins with. */
  readonly firstBytes: number;
  /** How far it is known. */
  #size = 0;
  /** Where the last piece begins that is no whole record, else the size. */
  #offset = 0;
  #wary = 0;
  #isSealed = false;

  /** `writer` is nobody else's. `isKnown` says that the ledger is what this generation begins with. */
  constructor(file: JournalFile, ledger: JournalLedger, writer: string, isKnown: boolean) {
    this.file = file;
    this.#ledger = ledger;
    this.#writer = writer;
    const bytes = file.read(0);
    const second = bytes.indexOf(LINE_BREAK, 1);
    this.firstBytes = second === -1 ? bytes.length : second;
    this.#offset = isKnown ? this.firstBytes : 0;
    this.#takeUp(bytes.subarray(this.#offset));
  }

  get size(): number {
    return this.#size;
  }

  /** Whether another generation follows. */
  get isSealed(): boolean {
    return this.#isSealed;
  }

  /**
   * Runs `work` on the ledger and appends what that has changed. False where others had written before that: then nothing
   * has happened but that theirs is known.
   */
  attempt(work: () => void): boolean {
    try {
      return !this.#isBehind() && this.#settle(work);
    } catch (error) {
      this.#ledger.undo();
      this.#ledger.forgetOrders();
      throw error;
    }
  }

  /** So that another generation can follow; where that fails, or others are faster, there will be another time. */
  seal(): void {
    try {
      if (this.#append()) this.#isSealed = true;
    } catch {
      // Whoever writes next tells of a disk that is full.
    }
  }

  #settle(work: () => void): boolean {
    work();
    const change = this.#ledger.changes();
    if (change === undefined) {
      // What has been answered must have been so by now.
      if (this.file.size() !== this.#size) return this.#lose();
      this.#ledger.keep();
      return true;
    }
    // What is appended behind others is of no use, and in the way of those who are at it.
    if (this.#wary > 0 && this.file.size() !== this.#size) return this.#lose();
    return this.#append(change);
  }

  #isBehind(): boolean {
    if (this.#wary === 0) return false;
    this.#wary -= 1;
    if (this.file.size() !== this.#size) this.#catchUp();
    return this.#isSealed;
  }

  /** Appends a change, or the seal, and tells whether it counts. */
  #append(change?: Change): boolean {
    const at = this.#size;
    const text = recordText([at, this.#writer, ...(change ?? [])]);
    const length = Buffer.byteLength(text);
    const written = this.file.append(text);
    // Others may have added what is missing.
    if (written === length && this.file.size() === at + length) {
      if (change !== undefined) this.#ledger.keep(change);
      this.#size += length;
      this.#offset = this.#size;
      return true;
    }
    return this.#lose(at);
  }

  /** Takes back what is not written down, or not known to be, and takes up what is. */
  #lose(own?: number): boolean {
    this.#ledger.undo();
    return this.#catchUp(own);
  }

  #catchUp(own?: number): boolean {
    return this.#takeUp(this.file.read(this.#offset), own);
  }

  /** Takes up what has been written since, and tells whether the record of this writer at `own` counts. */
  #takeUp(bytes: Buffer, own?: number): boolean {
    let isOwn = false;
    const unfinished = eachRecord(bytes, this.#offset, ([at, writer, ...change]) => {
      if (at === own && writer === this.#writer) isOwn = true;
      if (change.length === 0) this.#isSealed = true;
      else this.#ledger.apply(change);
      return this.#isSealed;
    });
    this.#size = this.#offset + bytes.length;
    this.#offset = unfinished ?? this.#size;
    this.#wary = WARY;
    return isOwn;
  }
}
