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

/** A timer of our own: the clients' timeouts are coarse and leave out the way to a socket. */
export async function within<T>(budgetMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => {
      reject(new Error(`no answer within ${budgetMs} ms`));
      controller.abort();
    };
    // One turn later: an answer that arrived while this process was busy still counts.
    timer = setTimeout(() => setImmediate(giveUp), budgetMs);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
