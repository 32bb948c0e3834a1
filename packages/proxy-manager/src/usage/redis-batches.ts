import type { Cluster, Redis } from 'ioredis';
import type { PoolText } from './redis-request.js';
import { keysOf, poolText, stampOf } from './redis-request.js';
import type { RedisScript } from './redis-script.js';
import { APPLY } from './redis-script.js';
import type { Pool } from './usage-store.js';

/** So many verbs in one script: what waits for Redis meanwhile waits for a millisecond at most. */
const AT_ONCE = 64;
/** Redis may want the meters, the calendars of its own time, and both anew while a period ends. */
const ATTEMPTS = 5;

interface Waiting {
  /** As JSON. */
  readonly verb: string;
  readonly resolve: (answer: readonly unknown[]) => void;
  readonly reject: (fault: unknown) => void;
}

/** The verbs on one pool: those of one turn of the event loop go to Redis together, in their order. */
export class RedisBatches {
  readonly #client: Cluster | Redis;
  readonly #pool: Pool;
  readonly #keys: readonly string[];
  readonly #stamps: readonly string[];
  readonly #waiting: Waiting[] = [];
  #text: PoolText;
  /** How far the server's clock is ahead of ours, in ms, as far as that made a difference. */
  #aheadMs = 0;

  constructor(client: Cluster | Redis, pool: Pool) {
    this.#client = client;
    this.#pool = pool;
    this.#keys = keysOf(pool);
    this.#stamps = pool.sections.map(stampOf);
    this.#text = poolText(pool, Date.now(), []);
  }

  apply(verb: string): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ verb, resolve, reject }) === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0) void this.#send(this.#waiting.splice(0, AT_ONCE));
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#run(`[${batch.map(({ verb }) => verb).join(',')}]`);
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as readonly unknown[]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #run(verbs: string): Promise<readonly unknown[]> {
    let enrol: readonly number[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const json = await run(this.#client, APPLY, this.#keys, [this.#poolText(enrol), verbs, ...this.#stamps]);
      const answer = JSON.parse(String(json)) as readonly unknown[];
      if (answer[0] === 'enrol') enrol = answer.slice(1) as readonly number[];
      else if (answer[0] === 'calendar') this.#aheadMs = Number(answer[1]) - Date.now();
      else return answer;
    }
    throw new Error(
      'the counts did not come to rest: do the clocks of Redis and of this machine differ by a varying time?',
    );
  }

  #poolText(enrol: readonly number[]): string {
    const nowMs = Date.now() + this.#aheadMs;
    if (enrol.length > 0) return poolText(this.#pool, nowMs, enrol).json;
    if (nowMs < this.#text.fromMs || nowMs >= this.#text.tillMs) this.#text = poolText(this.#pool, nowMs, []);
    return this.#text.json;
  }
}

/** Runs a script by its SHA1, which Redis may have forgotten. */
export async function run(
  client: Cluster | Redis,
  { sha1, source }: RedisScript,
  keys: readonly string[],
  argv: readonly string[],
): Promise<unknown> {
  const args = [keys.length, ...keys, ...argv] as const;
  try {
    return await client.evalsha(sha1, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return await client.eval(source, ...args);
  }
}
