import type { Clock } from '../clock.js';
import type { Refusal, Ticket } from '../usage/usage-store.js';
import { Nap } from './nap.js';

/** The first in line asks again at least so often: another process may have given a use back meanwhile. */
const ASK_AGAIN_MS = 1_000;
/** After an untimely refusal (a store whose clock is behind this one's) the first one asks after so long, then twice it. */
const SOON_MS = 5;
/** Whoever waits for a window asks so long after its end: the other end may measure its window a little longer. */
const EDGE_MS = 10;

/** What somebody was refused, and how much was asked for. */
interface Refused {
  readonly cost: number;
  refusal: Refusal;
}

/** Those who wait for an exhausted pool: served in order of arrival, and only the first one asks. */
export class Line {
  readonly #clock: Clock;
  readonly #waiting: (Refused & { readonly nap: Nap })[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Lets the first in line ask now. */
  nudge(): void {
    this.#waiting[0]?.nap.wake();
  }

  /** What the first in line was refused; undefined where it waits for another cost, which says nothing about this one. */
  refusalFor(cost: number): Refusal | undefined {
    const [first] = this.#waiting;
    return first?.cost === cost ? first.refusal : undefined;
  }

  /**
   * Waits until `ask` grants, at most `waitMs`; gives the last refusal of this cost as soon as it is sure that the wait
   * is too short, and rejects with the signal's reason.
   */
  async wait(
    ask: () => Promise<Ticket | Refusal>,
    { cost, refusal }: Readonly<Refused>,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Ticket | Refusal> {
    const untilMs = performance.now() + waitMs;
    const own = { cost, refusal, nap: new Nap() };
    this.#waiting.push(own);
    let soonMs = SOON_MS;
    try {
      for (;;) {
        const leftMs = untilMs - performance.now();
        const readyInMs = own.refusal.retryAtMs - this.#clock.now();
        if (leftMs <= 0 || readyInMs > leftMs) return own.refusal;
        if (this.#waiting[0] !== own) {
          await own.nap.sleep(leftMs, signal);
          if (this.#waiting[0] !== own) continue;
        } else {
          if (readyInMs <= 0) soonMs *= 2;
          await own.nap.sleep(Math.min(leftMs, ASK_AGAIN_MS, Math.max(readyInMs + EDGE_MS, soonMs)), signal);
        }
        const answer = await ask();
        if (answer.granted || answer.retryAtMs === Infinity) return answer;
        for (const one of this.#waiting) {
          if (one.cost === cost) one.refusal = answer;
        }
      }
    } finally {
      this.#waiting.splice(this.#waiting.indexOf(own), 1);
      this.nudge();
    }
  }
}
