import { setTimeout as delay } from 'node:timers/promises';

/** What tells whether a document has been written since. */
export interface Version {
  readonly _seq_no: number;
  readonly _primary_term: number;
}

/** One document that others write to as well. */
export interface DocumentPlace {
  /** The latest that was acknowledged; undefined where there is none. */
  load(): Promise<{ readonly source: unknown; readonly version: Version } | undefined>;
  /** Writes where nobody has written since `over`, or where there is nothing yet; undefined where somebody has. */
  write(document: object, over: Version | undefined): Promise<Version | undefined>;
}

/** How a state, which verbs may change in place, is written down. */
export interface DocumentForm<S> {
  /** Throws where `source` is nothing that `write` gave; undefined: there is no document yet. */
  read(source: unknown): S;
  write(state: S): object;
}

/** What a verb answers, and whether it changed anything that has to be kept. */
export interface Effect<T> {
  readonly answer: T;
  readonly changed: boolean;
}

interface Waiting<S> {
  readonly verb: (state: S) => Effect<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (fault: unknown) => void;
}

interface Known<S> {
  readonly state: S;
  /** Undefined: there is no document yet. */
  readonly version: Version | undefined;
}

/** How long verbs are tried against the writes of others. */
const PATIENCE_MS = 20_000;
/** Since the last conflict: others write too, so that what is known here is likely to be old. */
const CONTENDED_MS = 1_000;
const FIRST_PAUSE_MS = 4;
const LONGEST_PAUSE_MS = 100;

/**
 * The verbs of this process on one document, by optimistic concurrency. Those that wait go together: applied in their
 * order to what is known, and answered once a write over just that has been acknowledged, or a read has shown that it
 * still is what is known. Where others have written meanwhile, all of them are applied anew to what these left.
 */
export class SharedDocument<S> {
  readonly #place: DocumentPlace;
  readonly #form: DocumentForm<S>;
  #waiting: Waiting<S>[] = [];
  #runs = false;
  #known: Known<S> | undefined;
  #contendedUntilMs = 0;
  /** How long the last read and write took. */
  #roundMs = 0;

  constructor(place: DocumentPlace, form: DocumentForm<S>) {
    this.#place = place;
    this.#form = form;
  }

  /** `verb` may be called several times, each time with another state; what the last call gave counts. */
  apply<T>(verb: (state: S) => Effect<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ verb, resolve: resolve as (answer: unknown) => void, reject });
      if (this.#runs) return;
      this.#runs = true;
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#isContended()) {
        this.#known = undefined;
        // Else who has won once would go on winning: the others are in a pause.
        await delay(Math.random() * Math.min(LONGEST_PAUSE_MS, 2 * this.#roundMs));
      }
      const batch = this.#waiting.splice(0);
      try {
        const answers = await this.#settle(batch);
        for (const [index, { resolve }] of batch.entries()) resolve(answers[index]);
      } catch (error) {
        // Whether a write that failed has been made nobody knows.
        this.#known = undefined;
        // With those that came meanwhile: they would wait for the same fault, one batch after the other.
        for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(error);
      }
    }
    this.#runs = false;
  }

  async #settle(batch: readonly Waiting<S>[]): Promise<readonly unknown[]> {
    const startedMs = performance.now();
    let isCurrent = false;
    for (let conflicts = 0; ;) {
      const roundStartedMs = performance.now();
      if (this.#known === undefined) {
        this.#known = await this.#load();
        isCurrent = true;
      }
      const { state, version } = this.#known;
      const effects = batch.map(({ verb }) => verb(state));
      const answers = effects.map(({ answer }) => answer);
      if (effects.some(({ changed }) => changed)) {
        const written = await this.#place.write(this.#form.write(state), version);
        if (written !== undefined) {
          this.#known = { state, version: written };
          this.#roundMs = performance.now() - roundStartedMs;
          return answers;
        }
        conflicts += 1;
        await this.#giveWay(conflicts, startedMs);
      } else if (isCurrent) return answers;
      else {
        const latest = await this.#place.load();
        if (isSame(latest?.version, version)) return answers;
      }
      this.#known = undefined;
    }
  }

  #isContended(): boolean {
    return performance.now() < this.#contendedUntilMs;
  }

  async #load(): Promise<Known<S>> {
    const found = await this.#place.load();
    return { state: this.#form.read(found?.source), version: found?.version };
  }

  async #giveWay(conflicts: number, startedMs: number): Promise<void> {
    const nowMs = performance.now();
    this.#contendedUntilMs = nowMs + CONTENDED_MS;
    if (nowMs - startedMs > PATIENCE_MS) {
      throw new Error(`others were faster ${conflicts} times within ${PATIENCE_MS} ms: too many write to one document`);
    }
    await delay(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** conflicts));
  }
}

function isSame(one: Version | undefined, other: Version | undefined): boolean {
  return one?._seq_no === other?._seq_no && one?._primary_term === other?._primary_term;
}
