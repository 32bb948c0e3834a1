// Sends without end, 20 at once, and prints the id of each exchange that it has the reply of; ends in peace when told to.
import { ProxyManager } from 'proxy-manager';

const { dataDir, url, elasticsearch, run } = JSON.parse(process.argv[2]);
const manager = new ProxyManager({
  dataDir,
  elasticsearch,
  usage: 'memory',
  secrets: { key_based: { storm: { keys: ['key-of-the-storm'], apply: 'Bearer {key}' } } },
});
const req = manager.request('storm', { labels: { run }, userAgent: false });
const over = new AbortController();
process.on('message', () => over.abort());
// Without the test nobody is left to tell.
process.on('disconnect', () => process.exit(1));

async function sender() {
  while (!over.signal.aborted) {
    const { exchange } = await req.send(url);
    process.stdout.write(`${exchange.id}\n`);
  }
}

await Promise.all(Array.from({ length: 20 }, sender));
await manager.close();
process.exit(0);
