import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../clock.js';
import type { Endpoint, KeyCredential, ProxyCredential } from '../config/resolve.js';
import type { MeterReading, Refusal, Ticket, UsageStore } from '../usage/usage-store.js';
import type { PoolHealth } from './health.js';
import type { Lease, Seen } from './lease.js';
import type { Verdict } from './verdict.js';

/** How long a reply waits for the note of its arrival, in ms. */
const ARRIVAL_WAIT_MS = 100;

/** A lease on what a ticket counted. */
export class CredentialLease implements Lease {
  readonly key: KeyCredential | undefined;
  readonly proxy: ProxyCredential | undefined;
  readonly endpoint: Endpoint;
  readonly taken: readonly MeterReading[];
  readonly isLocal: boolean;
  readonly #store: UsageStore;
  readonly #tickets: [Ticket, ...Ticket[]];
  readonly #health: PoolHealth;
  readonly #exhausted: (refusal: Refusal) => Promise<Error>;
  readonly #onFree: () => void;
  readonly #clock: Clock;
  #settled: { readonly done: Promise<void> | undefined } | undefined;

  constructor(options: {
    readonly store: UsageStore;
    readonly ticket: Ticket;
    readonly endpoint: Endpoint;
    readonly key: KeyCredential | undefined;
    readonly proxy: ProxyCredential | undefined;
    readonly health: PoolHealth;
    readonly exhausted: (refusal: Refusal) => Promise<Error>;
    /** Called when uses were given back. */
    readonly onFree: () => void;
    readonly clock: Clock;
  }) {
    this.key = options.key;
    this.proxy = options.proxy;
    this.endpoint = options.endpoint;
    this.taken = options.ticket.taken;
    this.isLocal = options.ticket.isLocal === true;
    this.#store = options.store;
    this.#tickets = [options.ticket];
    this.#health = options.health;
    this.#exhausted = options.exhausted;
    this.#onFree = options.onFree;
    this.#clock = options.clock;
  }

  async charge(cost: number): Promise<void> {
    const { pool } = this.#tickets[0];
    const answer = await this.#store.take({ pool, cost, pin: this.taken.map(({ id }) => id) });
    if (!answer.granted) throw await this.#exhausted(answer);
    this.#tickets.push(answer);
  }

  settle(verdict: Verdict | undefined, sent: boolean, seen: Seen = {}): Promise<void> | undefined {
    this.#settled ??= { done: this.#settle(verdict, sent, seen) };
    return this.#settled.done;
  }

  #settle(verdict: Verdict | undefined, sent: boolean, { host, told = [] }: Seen): Promise<void> | undefined {
    const steps: Promise<unknown>[] = [];
    for (const ticket of this.#tickets) {
      if (!sent) steps.push(this.#giveBack(ticket));
      else if (ticket.arrivalMattersFromMs <= this.#clock.now()) steps.push(this.#tellArrival(ticket));
    }
    if (verdict !== undefined) {
      const { key, proxy, taken } = this;
      const acting = this.#health.settle({ pool: this.#tickets[0].pool, key, proxy, taken, verdict, host, told });
      if (acting !== undefined) steps.push(acting);
    }
    return steps.length === 0 ? undefined : this.#settledBy(steps, sent);
  }

  async #settledBy(steps: readonly Promise<unknown>[], sent: boolean): Promise<void> {
    // A store that fails here leaves a use too many counted, or a rest untold: the reply is worth more than the note.
    await Promise.allSettled(steps);
    if (!sent) this.#onFree();
  }

  async #giveBack(ticket: Ticket): Promise<void> {
    await this.#store.giveBack(ticket);
  }

  /** A reply waits only so long for the note; a store that is slower gets it behind the reply. */
  async #tellArrival(ticket: Ticket): Promise<void> {
    const waited = new AbortController();
    const told = this.#store.arrived(ticket).finally(() => waited.abort());
    await Promise.race([told, delay(ARRIVAL_WAIT_MS, undefined, { signal: waited.signal })]);
  }
}
