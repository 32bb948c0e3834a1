import type { Clock } from '../clock.js';

/** Tries a proxy at the end of its rest: undefined where it serves again, else the epoch ms until which it rests on. */
export type Trial = (proxyId: string) => Promise<number | undefined>;

const LONGEST_TIMER_MS = 2_147_483_647;

/** Wakes up for each proxy that is held, at the end of its rest; keeps no process alive. */
export class ProxyProbes {
  readonly #trial: Trial;
  readonly #clock: Clock;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #closed = false;

  constructor(trial: Trial, clock: Clock) {
    this.#trial = trial;
    this.#clock = clock;
  }

  /** Once for each proxy: whoever is watched already stays so. */
  watch(proxyId: string, untilMs: number): void {
    if (this.#closed || this.#timers.has(proxyId)) return;
    const delayMs = Math.min(Math.max(0, untilMs - this.#clock.now()), LONGEST_TIMER_MS);
    const timer = setTimeout(() => void this.#try(proxyId), delayMs);
    timer.unref();
    this.#timers.set(proxyId, timer);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #try(proxyId: string): Promise<void> {
    // A store that fails now is asked again when the proxy is met next.
    const untilMs = await this.#trial(proxyId).catch(() => undefined);
    this.#timers.delete(proxyId);
    if (untilMs !== undefined) this.watch(proxyId, untilMs);
  }
}
