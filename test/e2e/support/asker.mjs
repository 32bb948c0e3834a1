// Asks `times` times at once for the same url, and tells how each was answered. Run as a process of its own, which begins
// when it is told to.
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@elastic/elasticsearch';
import { ProxyManager } from 'proxy-manager';

const { url, times, ...options } = JSON.parse(process.argv[2]);
const manager = new ProxyManager(options);
const req = manager.request('test_api', { cache: true });
const headers = { 'x-api-key': '{key}' };

/** Where the lease of the last one lies. */
let key;
subscribe('proxy-manager:exchange', (record) => (key = record.proxy_manager.cache.key));

const hasEntries = async () => (await manager.cache.stats()).store.entries > 0;
/** It is told there for a moment that the flight has landed; while there was no index yet, or no shard of it, there was no lease. */
const gaveLease = async () => {
  const client = new Client({ node: options.elasticsearch });
  const { found } = await client.get({ index: 'proxy_manager-leases-v1', id: key }, { ignore: [404, 503] });
  await client.close();
  return found === true;
};

// Everything is open, and Elasticsearch prepared, before it counts.
const isReady = options.elasticsearch === undefined ? hasEntries : gaveLease;
for (;;) {
  await req.send(`${url}/warm-up?${Math.random()}`, { headers });
  if (await isReady()) break;
  await sleep(20);
}
process.send('ready');
await once(process, 'message');
const asked = await Promise.allSettled(
  Array.from({ length: times }, () => req.send(`${url}/wanted`, { headers, timeout: 60_000 })),
);
const answers = asked.map(({ value, reason }) =>
  value ? [value.exchange.cache, value.data] : ['failed', String(reason)],
);
process.send(answers);
await manager.close();
process.disconnect();
