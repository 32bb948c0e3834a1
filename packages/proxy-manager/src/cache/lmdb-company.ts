import type { Database, Key } from 'lmdb';
import { isGone, isOfHere, ownerName } from '../owner.js';
import type { LmdbSnapshot } from './lmdb-snapshot.js';

/*
 * Who has the cache open:
 *
 * m                   how many ever came, and how many are there, as doubles
 * m NAME              one of them: whether it flies alone
 *
 * One who is alone takes no leases that others could see, and says so in its row. Whoever comes counts itself in, and
 * waits until nobody flies alone any more; one who does sees the count, and makes its leases known first. It strikes out
 * those of whom it cannot know whether they live: who does counts itself in again, before its next lease.
 */

/** One that flies alone and does not answer for so long stands still, or died where it cannot be looked up. */
const PATIENCE_MS = 5_000;
/** How often those who are no more are looked for. */
const LOOKED_AFTER_MS = 1_000;

const HEAD: Key = ['m'];
const ALONE = Buffer.of(1);
const TOGETHER = Buffer.of(0);

interface Other {
  readonly name: string;
  readonly isAlone: boolean;
}

/** One store's place among those who share a cache database; the verbs that change it run inside a transaction. */
export class LmdbCompany {
  readonly #database: Database<Buffer, Key>;
  readonly #snapshot: LmdbSnapshot;
  readonly #name = ownerName();
  #joinedAtMs = 0;
  #lookedAtMs = 0;
  #isSettled = false;
  /** How many had come when it went alone; undefined where it did not. */
  #aloneSince: number | undefined;

  constructor(database: Database<Buffer, Key>, snapshot: LmdbSnapshot) {
    this.#database = database;
    this.#snapshot = snapshot;
  }

  /** True while this one flies alone, and nobody has come since; cheap, to be asked at every miss. */
  get isStillAlone(): boolean {
    if (this.#aloneSince === undefined) return false;
    this.#snapshot.renew();
    return this.#head().came === this.#aloneSince;
  }

  join(nowMs: number): void {
    // Those of elsewhere would be counted for ever.
    this.#strike(({ name, isAlone }) => isGone(name, nowMs, nowMs) || (!isAlone && !isOfHere(name)));
    this.#countIn(nowMs);
  }

  #countIn(nowMs: number): void {
    const { came, there } = this.#head();
    this.#setHead(came + 1, there + 1);
    this.#database.putSync(['m', this.#name], TOGETHER);
    this.#joinedAtMs = nowMs;
    this.#isSettled = false;
  }

  leave(): void {
    if (!this.#isCounted) return;
    const { came, there } = this.#head();
    this.#setHead(came, there - 1);
    this.#database.removeSync(['m', this.#name]);
    this.#aloneSince = undefined;
  }

  /** Flies alone from now on, where nobody else is there. */
  goAlone(nowMs: number): boolean {
    if (!this.#isCounted) this.#countIn(nowMs);
    if (this.#head().there > 1 && Math.abs(nowMs - this.#lookedAtMs) >= LOOKED_AFTER_MS) this.#sweep(nowMs);
    const { came, there } = this.#head();
    if (there > 1) return false;
    this.#database.putSync(['m', this.#name], ALONE);
    this.#aloneSince = came;
    return true;
  }

  /** Flies alone no more. */
  goTogether(): void {
    // No `equals`: the buffer that lmdb reads into may be longer.
    if (this.#database.getBinaryFast(['m', this.#name])?.[0] === ALONE[0])
      this.#database.putSync(['m', this.#name], TOGETHER);
    this.#aloneSince = undefined;
  }

  /** What a transaction that failed has said about it does not hold. */
  forget(): void {
    this.#aloneSince = undefined;
  }

  /** False while somebody else may fly alone, whose leases are not to be seen yet. */
  isSettled(nowMs: number): boolean {
    if (this.#isSettled) return true;
    // Whoever comes after this one need not wait for them.
    if (Math.abs(nowMs - this.#joinedAtMs) >= PATIENCE_MS) this.#strike(({ isAlone }) => isAlone);
    this.#isSettled = !this.#others().some(({ name, isAlone }) => isAlone && !isGone(name, nowMs, nowMs));
    return this.#isSettled;
  }

  get #isCounted(): boolean {
    return this.#database.getBinaryFast(['m', this.#name]) !== undefined;
  }

  #sweep(nowMs: number): void {
    this.#lookedAtMs = nowMs;
    this.#strike(({ name }) => isGone(name, nowMs, nowMs));
  }

  #strike(isOut: (other: Other) => boolean): void {
    const gone = this.#others().filter(isOut);
    if (gone.length === 0) return;
    for (const { name } of gone) this.#database.removeSync(['m', name]);
    const { came, there } = this.#head();
    this.#setHead(came, there - gone.length);
  }

  #others(): Other[] {
    return Array.from(this.#database.getRange({ start: ['m', ''], end: ['n'] }), ({ key, value }) => ({
      name: String((key as readonly unknown[])[1]),
      isAlone: value[0] === ALONE[0],
    })).filter(({ name }) => name !== this.#name);
  }

  #head(): { readonly came: number; readonly there: number } {
    const row = this.#database.getBinaryFast(HEAD);
    return { came: row?.readDoubleLE(0) ?? 0, there: row?.readDoubleLE(8) ?? 0 };
  }

  #setHead(came: number, there: number): void {
    const row = Buffer.allocUnsafe(16);
    row.writeDoubleLE(came, 0);
    row.writeDoubleLE(there, 8);
    this.#database.putSync(HEAD, row);
  }
}
