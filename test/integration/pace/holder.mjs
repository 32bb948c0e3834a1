// Takes the one slot of HOST and keeps it until it is killed; says `held` when it has it: node holder.mjs REDIS_URL HOST SLOT_MS
import { HostPace } from '../../../packages/proxy-manager/dist/pace/host-pace.js';
import { limiters } from '../../../packages/proxy-manager/dist/pace/limiters.js';
import { redisConnection } from '../../../packages/proxy-manager/dist/redis-connection.js';

const [url, host, slotMs] = process.argv.slice(2);
const pace = { concurrency: 1, minTimeMs: 0, reservoir: undefined };
const own = new HostPace(
  pace,
  await limiters(redisConnection(url), { slotMs: Number(slotMs) }).open(host, pace, () => {}),
);
await own.acquire(new AbortController().signal);
console.log('held');
