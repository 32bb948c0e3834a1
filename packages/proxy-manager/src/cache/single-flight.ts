import { unlessAborted } from '../pipeline/abort.js';
import type { HeldLease } from './held-lease.js';
import { leaseHolder, takeLease } from './held-lease.js';
import type { Landing, LeaseStore, Take } from './lease-store.js';

/** What a miss does next. */
export type Boarding<T> = Alone | Flight<T> | Follower<T>;

/** This one fetches, and the others wait for it: it must land or leave, however it ends. */
export interface Flight<T> {
  readonly role: 'leader';
  /** For `CacheStore.set`; undefined where no lease was taken. */
  readonly fence: number | undefined;
  /** True where another flight landed since the lookup began: the reply may be in the store by now. */
  readonly lookAgain: boolean;
  /** Lands with what is being stored: those of this process have it at once, those elsewhere when `written` settles. */
  landStored(reply: T, written?: Promise<unknown>): void;
  /** Lands with nothing that could be shared. */
  landFruitless(): void;
  /** Gives up: the next one leads. */
  leave(): void;
}

/** Another one has fetched it. */
export interface Follower<T> {
  readonly role: 'follower';
  /** Undefined where another process did: look into the store. */
  readonly reply: T | undefined;
}

/** The flight that was waited for brought nothing to share: this one fetches, and nobody waits for it. */
export interface Alone {
  readonly role: 'alone';
}

/** Makes concurrent misses of one key one exchange, in this process and, with leases, among all that share them. */
export interface SingleFlight<T> {
  /** Counts the landings with a reply: to be read before the lookup, and given to `board` after it. */
  readonly landings: number;
  /** Leads, where it is known without waiting that nobody else does; undefined says that `board` is to be asked. */
  leadAtOnce(key: string, landingsBefore: number): Flight<T> | undefined;
  /**
   * Leads at once, or resolves when the flight under way on `key` has landed. Rejects only with the reason of the
   * signal, and that harms nobody else.
   */
  board(key: string, landingsBefore: number, signal: AbortSignal): Promise<Boarding<T>>;
  /** Waits until the leases that are being let go are free. */
  close(): Promise<void>;
}

export interface SingleFlightOptions {
  /** Default: none, so that each process has a flight of its own. */
  readonly leases?: LeaseStore | undefined;
  /**
   * How long the lease of a leader that died stays taken, in ms; a leader that lives renews it three times as often.
   * @default 5_000
   */
  readonly leaseMs?: number;
}

/** Those of this process who wait for one flight. It is in the map as long as there is somebody who leads, or asks for the lease. */
interface Gate<T> {
  readonly key: string;
  /** None: the usual case. */
  waiting: Set<(word: Boarding<T> | 'go first') => void> | undefined;
}

type Taken = Exclude<Take, { state: 'held' }>;

const ALONE: Alone = { role: 'alone' };
const NO_LEASE: Taken = { state: 'taken', token: Number.NaN, recent: false };

/** @see SingleFlight */
export function singleFlight<T>({ leases, leaseMs = 5_000 }: SingleFlightOptions = {}): SingleFlight<T> {
  const hold = leases && leaseHolder(leases, leaseMs);
  const gates = new Map<string, Gate<T>>();
  const releasing = new Set<Promise<void>>();
  let landings = 0;

  function letGo(lease: HeldLease | undefined, landing: Landing, after?: Promise<unknown>): void {
    const work = lease?.release(landing, after);
    if (work === undefined) return;
    releasing.add(work);
    void work.then(() => releasing.delete(work));
  }

  function openFor(gate: Gate<T>, word: Boarding<T>): void {
    gates.delete(gate.key);
    for (const tell of gate.waiting ?? []) tell(word);
  }

  /** The next one of this process, who is no longer waiting; without one the gate is gone. */
  function callNext(gate: Gate<T>): ((word: Boarding<T> | 'go first') => void) | undefined {
    const [next] = gate.waiting ?? [];
    if (next === undefined) gates.delete(gate.key);
    else gate.waiting?.delete(next);
    return next;
  }

  function flight(gate: Gate<T>, lease: HeldLease | undefined, lookAgain: boolean): Flight<T> {
    let isOver = false;
    const once = (end: () => void): void => {
      if (isOver) return;
      isOver = true;
      end();
    };
    return {
      role: 'leader',
      fence: lease?.token,
      lookAgain,
      landStored: (reply, written) =>
        once(() => {
          landings++;
          openFor(gate, { role: 'follower', reply });
          letGo(lease, 'stored', written);
        }),
      landFruitless: () =>
        once(() => {
          openFor(gate, ALONE);
          letGo(lease, 'fruitless');
        }),
      leave: () =>
        once(() => {
          const next = callNext(gate);
          if (next === undefined) letGo(lease, 'left');
          else next(flight(gate, lease, true));
        }),
    };
  }

  function arrive(gate: Gate<T>, taken: Taken, lookAgain: boolean): Boarding<T> {
    if (taken.state === 'taken') {
      const lease = taken === NO_LEASE ? undefined : hold?.(gate.key, taken.token);
      return flight(gate, lease, lookAgain || taken.recent);
    }
    const word: Boarding<T> = taken.landing === 'stored' ? { role: 'follower', reply: undefined } : ALONE;
    openFor(gate, word);
    return word;
  }

  function goFirst(gate: Gate<T>, lookAgain: boolean, signal: AbortSignal): Promise<Boarding<T>> {
    if (leases === undefined) return Promise.resolve(flight(gate, undefined, lookAgain));
    // Leases that cannot be asked for are done without.
    const taking = takeLease(leases, gate.key, leaseMs, signal).catch(() => NO_LEASE);
    return arriveBy(taking, gate, lookAgain, signal);
  }

  async function arriveBy(
    taking: Promise<Taken>,
    gate: Gate<T>,
    lookAgain: boolean,
    signal: AbortSignal,
  ): Promise<Boarding<T>> {
    try {
      return arrive(gate, await unlessAborted(taking, signal), lookAgain);
    } catch (error) {
      // The lease may be on its way all the same: whoever goes first next must not meet it.
      void handOn(gate, taking);
      throw error;
    }
  }

  async function follow(gate: Gate<T>, landingsBefore: number, signal: AbortSignal): Promise<Boarding<T>> {
    gate.waiting ??= new Set();
    const word = await turn(gate.waiting, signal);
    return word === 'go first' ? goFirst(gate, landings !== landingsBefore, signal) : word;
  }

  async function handOn(gate: Gate<T>, taking: Promise<Taken>): Promise<void> {
    const late = await taking;
    if (late === NO_LEASE) callNext(gate)?.('go first');
    else leaveAtOnce(arrive(gate, late, true));
  }

  return {
    get landings() {
      return landings;
    },
    leadAtOnce(key, landingsBefore) {
      if (gates.has(key)) return undefined;
      const taken = leases === undefined ? NO_LEASE : leases.takeAtOnce?.(key, leaseMs);
      if (taken?.state !== 'taken') return undefined;
      const gate: Gate<T> = { key, waiting: undefined };
      gates.set(key, gate);
      const lease = taken === NO_LEASE ? undefined : hold?.(key, taken.token);
      return flight(gate, lease, taken.recent || landings !== landingsBefore);
    },
    board(key, landingsBefore, signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      const known = gates.get(key);
      if (known !== undefined) return follow(known, landingsBefore, signal);
      const gate: Gate<T> = { key, waiting: undefined };
      gates.set(key, gate);
      return goFirst(gate, landings !== landingsBefore, signal);
    },
    async close() {
      await Promise.allSettled(releasing);
    },
  };
}

function leaveAtOnce(boarding: Boarding<unknown>): void {
  if (boarding.role === 'leader') boarding.leave();
}

/** Waits to be told; who is aborted waits no more. */
function turn<W>(waiting: Set<(word: W) => void>, signal: AbortSignal): Promise<W> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      waiting.delete(tell);
      reject(signal.reason);
    };
    const tell = (word: W): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(word);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiting.add(tell);
  });
}
