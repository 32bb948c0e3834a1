// Writes records for a sink that fails, or never answers, and tells what the heap holds after each part. Wants --expose-gc.
import { setTimeout as delay } from 'node:timers/promises';
import { openExchangeLog } from '../../../packages/proxy-manager/dist/log/open-exchange-log.js';

const { directory, parts, partRecords } = JSON.parse(process.argv[2]);
const sinks = [
  { name: 'failing', ship: () => Promise.reject(new Error('away')), close: async () => {} },
  { name: 'silent', ship: () => new Promise(() => {}), close: async () => {} },
];
const log = openExchangeLog({ directory, sinks, bounds: { maxBytes: 32 * 1024 * 1024 }, onProblem: () => {} });
/** The least that is held while the housekeeping under way, which a busy machine makes slow, comes to its end. */
async function settled() {
  let least = Infinity;
  for (let look = 0; look < 10; look++) {
    await delay(100);
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}

const message = 'x'.repeat(1500);
const heap = [];
let number = 0;
for (let part = 0; part < parts; part++) {
  for (let n = 0; n < partRecords; n++) {
    const record = { '@timestamp': new Date().toISOString(), event: { id: String(number++) }, message };
    log.write({ text: JSON.stringify(record) });
    if (n % 100 === 0) await new Promise(setImmediate);
  }
  heap.push(await settled());
}
process.send(heap);
await log.close(1);
process.disconnect();
