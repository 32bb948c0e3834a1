import { breaker } from '../breaker.js';
import { StoreError } from '../errors.js';
import type { Ticket, UsageStore } from './usage-store.js';

/**
 * Counts in `store`, and in `local` while that fails: each by itself, so that meanwhile every process that counts
 * locally has the whole quota once more. What was counted there stays there. `store` is asked again after half a second,
 * and where it still fails after twice as long each time, at most half a minute.
 */
export function withFallback(store: UsageStore, local: UsageStore): UsageStore {
  const attempts = breaker();
  const countedHere = new WeakSet<Ticket>();

  /** Undefined: it is away, or rests. What else goes wrong is told each time, and nobody stands in for it. */
  async function ask<T>(work: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    try {
      const asked = await attempts.call(() => tried(work));
      if (asked !== undefined && 'error' in asked) throw asked.error;
      return asked;
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  async function either<T>(verb: (one: UsageStore) => Promise<T>): Promise<T> {
    const asked = await ask(() => verb(store));
    return asked === undefined ? verb(local) : asked.answer;
  }

  /** A ticket goes back to where it was counted, also when that is away. */
  const origin = (ticket: Ticket): UsageStore => (countedHere.has(ticket) ? local : store);

  return {
    async take(demand) {
      const asked = await ask(() => store.take(demand));
      if (asked !== undefined) return asked.answer;
      const answer = await local.take(demand);
      if (!answer.granted) return answer;
      const ticket: Ticket = { ...answer, isLocal: true };
      countedHere.add(ticket);
      return ticket;
    },
    giveBack: (ticket) => origin(ticket).giveBack(ticket),
    arrived: (ticket) => origin(ticket).arrived(ticket),
    rest: (pool, id, untilMs) => either((one) => one.rest(pool, id, untilMs)),
    read: (pool) => either((one) => one.read(pool)),
    learn: (pool, id, limits) => either((one) => one.learn(pool, id, limits)),
    note: (book, id, event) => either((one) => one.note(book, id, event)),
    standings: (book) => either((one) => one.standings(book)),
    // Whoever opened them closes them.
    close: async () => {},
  };
}

/** Rejects only where the store is away. */
async function tried<T>(work: () => Promise<T>): Promise<{ readonly answer: T } | { readonly error: unknown }> {
  try {
    return { answer: await work() };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    return { error };
  }
}
