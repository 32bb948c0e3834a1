import type { Breaker } from '../breaker.js';

/**
 * What `work` gives within its budget; undefined where it fails, is late, or the service rests. Never rejects. `connect`
 * stands outside the budget: the first use loads the client, which the service is not to blame for.
 */
export async function attempt<C, T>(
  service: Breaker,
  budgetMs: number,
  connect: () => Promise<C>,
  work: (client: C, signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await service.call(async () => {
      const client = await connect();
      return within(budgetMs, (signal) => work(client, signal));
    });
  } catch {
    return undefined;
  }
}

/** So much of a budget is gone at most when this process was too busy to listen, however long that took. */
const SLICE_MS = 50;

/**
 * A timer of our own: the clients' timeouts are coarse and leave out the way to a socket. It counts the time in which
 * this process could have heard an answer: a crowd of callers that keeps it busy makes no service late.
 */
export async function within<T>(budgetMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => {
      reject(new Error(`no answer within ${budgetMs} ms`));
      controller.abort();
    };
    const wait = (leftMs: number): void => {
      const sliceMs = Math.min(SLICE_MS, leftMs);
      // One turn later: an answer that arrived while this process was busy still counts.
      timer = setTimeout(() => (leftMs > sliceMs ? wait(leftMs - sliceMs) : setImmediate(giveUp)), sliceMs);
    };
    wait(budgetMs);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
