// Sends `sends` times, 20 at once, and reports how it went. Run as a process of its own.
import { PoolExhaustedError, ProxyManager } from 'proxy-manager';

const { secrets, dataDir, url, sends } = JSON.parse(process.argv[2]);
const manager = new ProxyManager({ secrets, dataDir });
const req = manager.request('test_api');
const tally = { ok: 0, exhausted: 0, other: [] };
let started = 0;

async function sender() {
  while (started++ < sends) {
    try {
      await req.send(url, { headers: { 'x-api-key': '{key}' } });
      tally.ok += 1;
    } catch (error) {
      if (error instanceof PoolExhaustedError) tally.exhausted += 1;
      else tally.other.push(String(error));
    }
  }
}

await Promise.all(Array.from({ length: 20 }, sender));
await manager.close();
process.send(tally);
process.disconnect();
