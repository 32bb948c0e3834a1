// Takes uses and says, a line for each, `granted ID` as soon as the store has acknowledged it, or `refused USED`, the uses counted by then:
// node taker.mjs embedded|redis|elasticsearch DATA_DIR|URL|URL/INDEX POOL_JSON TAKES CONCURRENCY [JOURNAL_BYTES]
import { writeSync } from 'node:fs';
import { Client } from '@elastic/elasticsearch';
import { openCounts } from '../../../packages/proxy-manager/dist/embedded/environment.js';
import { elasticsearchUsageStore } from '../../../packages/proxy-manager/dist/usage/elasticsearch.js';
import { embeddedUsageStore } from '../../../packages/proxy-manager/dist/usage/embedded.js';
import { redisUsageStore } from '../../../packages/proxy-manager/dist/usage/redis.js';
import { Redis } from 'ioredis';

const [engine, place, poolJson, takes, concurrency, journalBytes] = process.argv.slice(2);
const pool = JSON.parse(poolJson);
const engines = {
  embedded: () => ({
    store: embeddedUsageStore({
      environment: () => openCounts(place),
      ...(journalBytes !== undefined && { journalBytes: Number(journalBytes) }),
    }),
  }),
  redis: () => {
    const client = new Redis(place);
    return { store: redisUsageStore({ client: async () => client }), end: () => client.quit() };
  },
  elasticsearch: () => {
    const { origin, pathname } = new URL(place);
    const client = new Client({ node: origin });
    const store = elasticsearchUsageStore({ client: async () => client, index: pathname.slice(1) });
    return { store, end: () => client.close() };
  },
};
const { store, end } = engines[engine]();

let left = Number(takes);
async function takeOnAndOn() {
  while (left > 0) {
    left -= 1;
    const answer = await store.take({ pool, cost: 1 });
    if (answer.granted) {
      writeSync(1, `granted ${answer.taken[0].id}\n`);
    } else {
      const used = (await store.read(pool)).filter(({ kind }) => kind === 'key').map(({ total }) => total);
      writeSync(1, `refused ${used.reduce((sum, one) => sum + one)}\n`);
    }
  }
}
await Promise.all(Array.from({ length: Number(concurrency) }, takeOnAndOn));
// The embedded store stays open: it must not keep a finished process.
await end?.();
