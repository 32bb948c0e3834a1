// Asks `times` times at once for the same url, and tells how each was answered. Run as a process of its own, which begins
// when it is told to.
import { once } from 'node:events';
import { ProxyManager } from 'proxy-manager';

const { url, times, ...options } = JSON.parse(process.argv[2]);
const manager = new ProxyManager(options);
const req = manager.request('test_api', { cache: true });
const headers = { 'x-api-key': '{key}' };
// Everything is open, and Elasticsearch prepared, before it counts.
await req.send(`${url}/warm-up?${process.pid}`, { headers });
while ((await manager.cache.stats()).store.entries === 0)
  await req.send(`${url}/warm-up?${Math.random()}`, { headers });
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
