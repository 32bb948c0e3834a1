import type { Clock } from '../clock.js';
import { lastUsed } from '../last-used.js';

/** So many attempts in a row must find a host down before it is left alone. */
const OPENS_AFTER = 10;
const FIRST_OPEN_MS = 1_000;
const LONGEST_OPEN_MS = 30_000;
const KEPT_HOSTS = 10_000;

interface Seen {
  downs: number;
  /** How often it was found down again when it was tried. */
  opened: number;
  /** Epoch ms until which nobody asks; 0: it is not open. */
  untilMs: number;
  /** One attempt is finding out. */
  trying: boolean;
  why: string;
}

/** Leaves hosts alone that are down: nobody asks them for a while, then one attempt at a time finds out. Of this process. */
export class HostBreaker {
  readonly #clock: Clock;
  readonly #hosts = lastUsed<Seen>(KEPT_HOSTS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined: go on. Else until when the host is left alone, and why. */
  refusal(host: string): { readonly untilMs: number; readonly why: string } | undefined {
    // The usual case, and two searches of it are made for each request.
    if (this.#hosts.size === 0) return undefined;
    const seen = this.#hosts.get(host);
    if (seen === undefined || seen.untilMs === 0) return undefined;
    const nowMs = this.#clock.now();
    if (seen.untilMs > nowMs) return { untilMs: seen.untilMs, why: seen.why };
    // This one finds out; the others wait for what it finds, or for as long again.
    seen.untilMs = nowMs + openMs(seen.opened);
    seen.trying = true;
    return undefined;
  }

  up(host: string): void {
    if (this.#hosts.size > 0) this.#hosts.delete(host);
  }

  down(host: string, why: string): void {
    const seen = this.#hosts.get(host) ?? { downs: 0, opened: 0, untilMs: 0, trying: false, why };
    seen.why = why;
    seen.downs += 1;
    this.#hosts.set(host, seen);
    // Those that were under way when it opened say nothing new.
    if (seen.downs < OPENS_AFTER || (seen.untilMs > 0 && !seen.trying)) return;
    seen.trying = false;
    seen.untilMs = this.#clock.now() + openMs(seen.opened);
    seen.opened += 1;
  }
}

function openMs(opened: number): number {
  return Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** opened);
}
