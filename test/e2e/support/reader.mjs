// Sends twice with a dataDir that it may only read, and reports how it went. Run as a process of its own: root may write
// whatever is read-only, so it becomes somebody else, once all that it needs is loaded.
import { ProxyManager } from 'proxy-manager';

const { writable, dataDir, url, options, defaults } = JSON.parse(process.argv[2]);
const warnings = [];
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));

async function sendTwice(where, to) {
  const manager = new ProxyManager({ ...options, dataDir: where });
  const req = manager.request('test_api', defaults);
  const outcomes = [];
  for (let n = 0; n < 2; n += 1) {
    outcomes.push(
      await req.send(to).then(
        ({ status, exchange }) => ({ status, cache: exchange.cache }),
        ({ code, message }) => ({ code, message }),
      ),
    );
  }
  await manager.close();
  return outcomes;
}

await sendTwice(writable, `${url}/first`);
if (process.getuid?.() === 0) {
  process.setgroups([]);
  process.setgid(65_534);
  process.setuid(65_534);
}
process.send({ outcomes: await sendTwice(dataDir, `${url}/then`), warnings });
process.disconnect();
