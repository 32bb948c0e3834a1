import type Bottleneck from 'bottleneck';
import type { Pace } from '../config/resolve.js';
import type { HostLimiter } from './limiters.js';

/** Gives a slot back; to be called once, when the attempt that holds it has ended. */
export type Release = () => void;

interface Waiter {
  readonly grant: (release: Release) => void;
  readonly refuse: (reason: unknown) => void;
}

/** As good as for ever. */
const VIGIL_MS = 3_600_000;

/** How long a slot that nobody waits for is kept, without a spacing, before Bottleneck has it back, in ms. */
const LINGER_MS = 1000;

/**
 * The slots of one host. Whoever waits stands in a line of our own, and Bottleneck is handed a job only at the moment
 * at which the first in line may start: once handed, a job spends `minTimeMs` even if its caller has gone away, and
 * its timer keeps the process alive.
 *
 * Without a spacing a slot goes from hand to hand: to Bottleneck, which takes milliseconds for each job, all of them
 * are one long one. Not so where starts are counted, or where other processes want their turn.
 */
export class HostPace {
  readonly #own: HostLimiter;
  readonly #hasReservoir: boolean;
  readonly #handsOn: boolean;
  readonly #concurrency: number;
  readonly #minTimeMs: number;
  /** In the order of arrival. */
  readonly #waiters = new Set<Waiter>();
  #limiter: Bottleneck;
  /** Jobs that Bottleneck has and has not started. */
  #handed = 0;
  #running = 0;
  #nextStartMs = 0;
  #closed: { readonly reason: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Ends the jobs whose slots nobody needs just now. */
  #spare: (() => void)[] = [];
  #linger: NodeJS.Timeout | undefined;
  /** Bottleneck's own timers let a process end that only waits for a reservoir. */
  #vigil: NodeJS.Timeout | undefined;

  constructor(pace: Pace, own: HostLimiter) {
    this.#concurrency = pace.concurrency ?? Infinity;
    this.#minTimeMs = pace.minTimeMs;
    this.#hasReservoir = pace.reservoir !== undefined;
    this.#handsOn = own.renew !== undefined && pace.minTimeMs === 0;
    this.#own = own;
    this.#limiter = own.limiter;
  }

  /** True when dropping it loses nothing. */
  get idle(): boolean {
    const busy = this.#waiters.size + this.#handed + this.#running - this.#spare.length;
    return busy === 0 && performance.now() >= this.#nextStartMs;
  }

  /** True when another would do better, and nobody is on this one. */
  get isStale(): boolean {
    return this.#own.staleAtMs !== undefined && performance.now() >= this.#own.staleAtMs && this.idle;
  }

  /** Resolves when an attempt may start; rejects with the signal's reason, and then no slot is spent. */
  acquire(signal: AbortSignal): Promise<Release> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#closed !== undefined) return Promise.reject(this.#closed.reason);
    return new Promise((resolve, reject) => {
      const leave = (): void => waiter.refuse(signal.reason);
      const part = (): void => {
        signal.removeEventListener('abort', leave);
        this.#waiters.delete(waiter);
        if (this.#waiters.size === 0) clearInterval(this.#vigil);
      };
      const waiter: Waiter = {
        grant(release) {
          part();
          resolve(release);
        },
        refuse: (reason) => {
          part();
          this.#advance();
          reject(reason);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      if (this.#hasReservoir && this.#waiters.size === 0) this.#vigil = setInterval(() => {}, VIGIL_MS);
      this.#waiters.add(waiter);
      const end = this.#spare.pop();
      if (end === undefined) this.#advance();
      else this.#serve(waiter, end);
    });
  }

  /** Sends everyone away who still waits, or comes later. */
  close(reason: unknown): void {
    this.#closed ??= { reason };
    for (const waiter of this.#waiters) waiter.refuse(reason);
    clearTimeout(this.#timer);
    this.#endSpare();
    this.#own.close();
  }

  /** Hands Bottleneck what may start now; for what may start later only, sets a timer. */
  #advance(): void {
    clearTimeout(this.#timer);
    while (this.#handed < this.#waiters.size && this.#running + this.#handed < this.#concurrency) {
      if (this.#minTimeMs > 0) {
        if (this.#handed > 0) return;
        const waitMs = this.#nextStartMs - performance.now();
        if (waitMs > 0) {
          this.#timer = setTimeout(() => this.#advance(), Math.ceil(waitMs));
          return;
        }
      }
      this.#handed += 1;
      // It fails where its slot is taken back, which is not ours to end it for.
      this.#limiter.schedule(this.#own.job, () => this.#start()).catch(() => {});
    }
  }

  async #start(): Promise<void> {
    this.#handed -= 1;
    const [first] = this.#waiters;
    if (first === undefined && !this.#handsOn) {
      // They left while Bottleneck had the job. A fresh one knows nothing of this start; what it must know of earlier
      // ones, `#running` and `#nextStartMs` know as well. Where others count with it only the reservoir gets it back.
      if (this.#own.renew !== undefined) this.#limiter = this.#own.renew();
      else if (this.#hasReservoir) await this.#limiter.incrementReservoir(1);
      return;
    }
    this.#running += 1;
    this.#nextStartMs = performance.now() + this.#minTimeMs;
    const ended = new Promise<void>((end) => {
      if (first === undefined) this.#keep(end);
      else this.#serve(first, end);
    });
    this.#advance();
    await ended;
    this.#running -= 1;
    this.#advance();
  }

  /** `end` gives the slot back to Bottleneck. */
  #serve(waiter: Waiter, end: () => void): void {
    waiter.grant(() => {
      const [next] = this.#waiters;
      if (!this.#handsOn) end();
      else if (next !== undefined) this.#serve(next, end);
      else this.#keep(end);
    });
  }

  #keep(end: () => void): void {
    this.#spare.push(end);
    this.#linger ??= setTimeout(() => this.#endSpare(), LINGER_MS).unref();
  }

  #endSpare(): void {
    clearTimeout(this.#linger);
    this.#linger = undefined;
    for (const end of this.#spare.splice(0)) end();
  }
}
