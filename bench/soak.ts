// Many exchanges with everything on: does the heap stay flat, are sockets bounded? npm run bench -- soak [--exchanges N]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ProxyManager } from 'proxy-manager';
import { forkReplies } from './support/replies.js';
import { slope } from './support/slope.js';

const { values } = parseArgs({ options: { exchanges: { type: 'string', default: '200000' } } });
const EXCHANGES = Number(values.exchanges);
const IN_FLIGHT = 50;
const SAMPLES = 20;
/** What an exchange may leave behind, in bytes: less than any object of ours takes. */
const FLAT = 16;
/** Few exchanges tell a slope less exactly: so much may come and go by itself. */
const NOISE_BYTES = 1536 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const dataDir = mkdtempSync(join(tmpdir(), 'proxy-manager-soak-'));
const origin = await forkReplies();
const manager = new ProxyManager({
  dataDir,
  cache: { memoryMaxBytes: 1024 * 1024 },
  secrets: {
    key_based: {
      soak: {
        limit: 1_000_000_000,
        refresh_rate: 1440,
        keys: ['4d2f81b6a07c4e5f', 'b91e05d7c3f2486a'],
        apply: { headers: { 'x-api-key': '{key}' } },
      },
    },
  },
});
const req = manager.request('soak', { cache: true });
let nonce = 0;

async function send(exchanges: number): Promise<void> {
  let left = exchanges;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await req.send(`${origin.url}/300/items?n=${nonce++}`);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket')).length;

// What is made once, and compiled, is not what leaks.
await send(Math.ceil(EXCHANGES / 10));
const points: { x: number; y: number }[] = [];
let mostSockets = 0;
for (let sample = 0; sample < SAMPLES; sample++) {
  await send(Math.ceil(EXCHANGES / SAMPLES));
  mostSockets = Math.max(mostSockets, sockets());
  collect();
  points.push({ x: nonce, y: process.memoryUsage().heapUsed });
}
const bytesPerExchange = slope(points);
const span = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0);
const isFlat = bytesPerExchange <= FLAT + NOISE_BYTES / span;
const isBounded = mostSockets <= IN_FLIGHT + 5;
console.log(
  JSON.stringify({
    exchanges: nonce,
    bytesPerExchange: Number(bytesPerExchange.toFixed(2)),
    isFlat,
    mostSockets,
    isBounded,
  }),
);
await manager.close();
origin.stop();
rmSync(dataDir, { recursive: true });
process.exitCode = isFlat && isBounded ? 0 : 1;
