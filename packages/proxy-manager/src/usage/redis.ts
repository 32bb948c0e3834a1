import type { Cluster, Redis } from 'ioredis';
import { read } from '../pool/ledger.js';
import { factsOf } from '../pool/node.js';
import { ruleOf } from '../pool/window-rule.js';
import { countedIn, toIndex, toTaken } from './redis-answer.js';
import { RedisBatches, run } from './redis-batches.js';
import { assertKeepsKeys } from './redis-eviction.js';
import { keysOf, takeText } from './redis-request.js';
import { READ } from './redis-script.js';
import { noteInRedis, standingsInRedis } from './redis-standings.js';
import { opened } from './opened.js';
import type { Pool, UsageStore } from './usage-store.js';

interface Opened {
  readonly client: Cluster | Redis;
  readonly batches: WeakMap<Pool, RedisBatches>;
}

/**
 * Counts in Redis (standalone, Sentinel or Cluster; 5.0 or newer), for all machines that share it, by the clock of the
 * server. `client` is called at the first use and what it gives stays open. Redis must not evict keys: a `ConfigError`
 * at the first use when it may. Counts are forgotten 30 days after the last use of their endpoint.
 */
export function redisUsageStore(options: { readonly client: () => Promise<Redis | Cluster> }): UsageStore {
  async function open(): Promise<Opened> {
    const client = await options.client();
    await assertKeepsKeys(client);
    return { client, batches: new WeakMap() };
  }

  const using = opened('redis usage store', open);

  function apply(doing: string, pool: Pool, verb: string): Promise<readonly unknown[]> {
    return using(doing, ({ client, batches }) => {
      let batch = batches.get(pool);
      if (batch === undefined) {
        batch = new RedisBatches(client, pool);
        batches.set(pool, batch);
      }
      return batch.apply(verb);
    });
  }

  return {
    async take({ pool, cost, pin, avoid, resting }) {
      return toTaken(pool, cost, await apply('count a use', pool, takeText(cost, pin, avoid, resting)));
    },
    async giveBack(ticket) {
      await apply('give a use back', ticket.pool, JSON.stringify({ verb: 'giveBack', ...countedIn(ticket) }));
    },
    async arrived(ticket) {
      await apply('note an arrival', ticket.pool, JSON.stringify({ verb: 'arrived', ...countedIn(ticket) }));
    },
    async rest(pool, id, untilMs) {
      await apply('note a rest', pool, JSON.stringify({ verb: 'rest', id, untilMs }));
    },
    read: (pool) =>
      using('read the counts', async ({ client }) => {
        const wanted = pool.sections.map((section) => [...factsOf(section).nodes.keys()]);
        const found = await run(client, READ, keysOf(pool), [JSON.stringify(wanted)]);
        const { index, nowMs } = toIndex(pool, found as readonly unknown[]);
        return read(index, pool, nowMs);
      }),
    async learn(pool, id, limits) {
      const told = limits.map(({ spec, remaining, resetAtMs = 0 }) => [
        ruleOf(spec).name,
        spec.limit,
        remaining,
        resetAtMs,
      ]);
      await apply('note a quota', pool, JSON.stringify({ verb: 'learn', id, limits: told }));
    },
    note: (book, id, event) => using('note a standing', ({ client }) => noteInRedis(client, { book, id }, event)),
    standings: (book) => using('read the standings', ({ client }) => standingsInRedis(client, book)),
    close: async () => {},
  };
}
