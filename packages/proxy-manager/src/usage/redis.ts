import type { Cluster, Redis } from 'ioredis';
import { ProxyManagerError, StoreError } from '../errors.js';
import { factsOf } from '../pool/section-facts.js';
import { assertKeepsKeys } from './redis-eviction.js';
import { lastTake, openedBy, toReading } from './redis-meter.js';
import type { RedisScript } from './redis-script.js';
import { ARRIVED, GIVE_BACK, READ, REST, TAKE } from './redis-script.js';
import { noteInRedis, standingsInRedis } from './redis-standings.js';
import type { Pool, Refusal, Ticket, UsageStore } from './usage-store.js';

/** Counts outlive their last use by this, or by their longest window when that is longer. */
const KEEP_MS = 30 * 86_400_000;

/**
 * Counts in Redis (standalone, Sentinel or Cluster; 5.0 or newer), for all machines that share it, by the clock of the
 * server. `client` is called at the first use and what it gives stays open. Redis must not evict keys: a `ConfigError`
 * at the first use when it may. Counts are forgotten 30 days after the last use of their endpoint.
 */
export function redisUsageStore(options: { readonly client: () => Promise<Redis | Cluster> }): UsageStore {
  let opening: Promise<Redis | Cluster> | undefined;

  async function open(): Promise<Redis | Cluster> {
    const client = await options.client();
    await assertKeepsKeys(client);
    return client;
  }

  async function using<T>(doing: string, work: (client: Redis | Cluster) => Promise<T>): Promise<T> {
    try {
      opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return await work(await opening);
    } catch (error) {
      throw error instanceof ProxyManagerError ? error : new StoreError('redis usage store', doing, error);
    }
  }

  /** Runs the script, and once more with the meters of those sections that Redis has indexed otherwise, or not yet. */
  function change(doing: string, script: RedisScript, pool: Pool, request: object): Promise<readonly unknown[]> {
    return using(doing, async (client) => {
      const answer = await run(client, script, pool, { ...request, sections: sectionsOf(pool, []) });
      if (answer[0] !== 'enrol') return answer;
      return run(client, script, pool, { ...request, sections: sectionsOf(pool, answer[1] as readonly number[]) });
    });
  }

  return {
    async take({ pool, cost, pin, avoid = new Set(), resting = new Map() }) {
      const request = { cost, pin, avoid: [...avoid], resting: [...resting] };
      const answer = await change('count a use', TAKE, pool, request);
      return answer[0] === 'refused' ? toRefusal(pool, answer) : toTicket(pool, cost, answer);
    },
    async giveBack({ pool, cost, receipt }) {
      await change('give a use back', GIVE_BACK, pool, { cost, taken: receipt });
    },
    async arrived({ pool, cost, receipt }) {
      await change('note an arrival', ARRIVED, pool, { cost, taken: receipt });
    },
    async rest(pool, id, untilMs) {
      await change('note a rest', REST, pool, { id, untilMs });
    },
    read: (pool) =>
      using('read the counts', async (client) => {
        const ids = pool.sections.map(({ meters }) => meters.map(({ id }) => id));
        const [now, ...found] = await run(client, READ, pool, { ids, sections: sectionsOf(pool, []) });
        return pool.sections.flatMap(({ kind, meters }, number) => {
          const packed = found[number] as readonly (string | null)[];
          return meters.map((meter, position) => toReading(packed[position] ?? undefined, meter, kind, Number(now)));
        });
      }),
    note: (book, id, event) => using('note a standing', (client) => noteInRedis(client, { book, id }, event)),
    standings: (book) => using('read the standings', (client) => standingsInRedis(client, book)),
    close: async () => {},
  };
}

async function run(
  client: Redis | Cluster,
  { sha1, source }: RedisScript,
  pool: Pool,
  request: object,
): Promise<readonly unknown[]> {
  const keys = keysOf(pool);
  const args = [keys.length, ...keys, JSON.stringify(request)] as const;
  try {
    return (await client.evalsha(sha1, ...args)) as readonly unknown[];
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return (await client.eval(source, ...args)) as readonly unknown[];
  }
}

/** One hash tag per endpoint, so that a Cluster keeps all of it in one place. */
function keysOf({ endpoint, sections }: Pool): string[] {
  const ledger = `{proxy-manager:${encodeURIComponent(endpoint)}}:usage-v1`;
  const shelves = sections.flatMap(({ kind }) =>
    ['meters', 'ready', 'waking'].map((name) => `${ledger}:${kind}:${name}`),
  );
  return [`${ledger}:head`, ...shelves];
}

function sectionsOf({ sections }: Pool, enrol: readonly number[]): object[] {
  return sections.map((section, number) => ({
    stamp: factsOf(section).stamp,
    longestMs: factsOf(section).longestMs,
    keepMs: Math.max(KEEP_MS, factsOf(section).longestMs),
    meters: enrol.includes(number)
      ? section.meters.map(({ id, windows }) => [id, windows.map(({ limit, everyMs }) => [limit, everyMs])])
      : undefined,
  }));
}

function toRefusal({ sections }: Pool, answer: readonly unknown[]): Refusal {
  const [, number, retryAt] = answer as readonly [string, number, string];
  const retryAtMs = retryAt === 'never' ? Infinity : Number(retryAt);
  return { granted: false, kind: sections[number]?.kind ?? 'key', retryAtMs };
}

function toTicket(pool: Pool, cost: number, answer: readonly unknown[]): Ticket {
  const [, now, ...taken] = answer as readonly [string, string, ...(readonly [id: string, packed: string])[]];
  const readings = pool.sections.map((section, number) => {
    const [id, packed] = taken[number] ?? [];
    const meter = section.meters[factsOf(section).positions.get(id ?? '') ?? -1];
    if (meter === undefined) throw new Error(`Redis gave the unknown ${section.kind} ${String(id)}`);
    return toReading(packed, meter, section.kind, Number(now));
  });
  const receipt = taken.map(([id, packed]) => [id, lastTake(packed), openedBy(packed)]);
  return { granted: true, pool, cost, taken: readings, receipt };
}
