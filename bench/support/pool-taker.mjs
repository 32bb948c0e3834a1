// A process of `npm run bench -- pool`, on the built package: node pool-taker.mjs DATA_DIR [REDIS_URL]. Takes uses for
// as long as a message says, and answers how many.
import { createHash } from 'node:crypto';
import { openCounts } from '../../packages/proxy-manager/dist/embedded/environment.js';
import { embeddedUsageStore } from '../../packages/proxy-manager/dist/usage/embedded.js';
import { memoryUsageStore } from '../../packages/proxy-manager/dist/usage/memory.js';
import { redisUsageStore } from '../../packages/proxy-manager/dist/usage/redis.js';

const [dataDir, redisUrl] = process.argv.slice(2);
const DAY_MS = 86_400_000;
const WINDOWS = {
  fixed: { limit: 1e9, everyMs: DAY_MS },
  resting: { limit: 1e9, everyMs: DAY_MS },
  sliding: { limit: 1e9, withinMs: 1_000 },
};

const opened = new Map();
function once(name, open) {
  if (!opened.has(name)) opened.set(name, open());
  return opened.get(name);
}

const redis = () =>
  once('redis client', async () => {
    const { Redis } = await import('ioredis');
    return new Redis(redisUrl, { keyPrefix: `bench-${dataDir}:` });
  });
const stores = {
  memory: () => memoryUsageStore(),
  embedded: () => embeddedUsageStore({ environment: () => openCounts(dataDir) }),
  redis: () => redisUsageStore({ client: redis }),
};

/** A function that takes one use, for a pool that is indexed by now. */
async function takerOf(name, { credentials, windows }) {
  if (name === 'empty script') {
    const client = await redis();
    await client.eval('return 1', 0);
    const sha1 = createHash('sha1').update('return 1').digest('hex');
    return () => client.evalsha(sha1, 0);
  }
  const store = once(name, stores[name]);
  const endpoint = `${windows} ${credentials}`;
  const list = [WINDOWS[windows]];
  const pool = await once(`${name} ${endpoint}`, async () => {
    const meters = Array.from({ length: credentials }, (_, n) => ({ id: `credential-${n}`, windows: list }));
    const made = { endpoint, sections: [{ kind: 'key', meters }] };
    const resting = windows === 'resting' ? meters.slice(Math.ceil(credentials / 100)) : [];
    const untilMs = Date.now() + DAY_MS;
    await Promise.all(resting.map(({ id }) => store.rest(made, id, untilMs)));
    return made;
  });
  return () => store.take({ pool, cost: 1 });
}

async function takeFor({ store, load, ms }) {
  const take = await takerOf(store, load);
  await take();
  const endMs = performance.now() + ms;
  let taken = 0;
  const takeOnAndOn = async () => {
    while (performance.now() < endMs) {
      await take();
      taken += 1;
    }
  };
  await Promise.all(Array.from({ length: load.inFlight }, takeOnAndOn));
  process.send(taken);
}

process.on('message', (message) => void takeFor(message));
process.send('ready');
