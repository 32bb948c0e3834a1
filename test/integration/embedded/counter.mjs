// Counts up in the environment of the counts, so many times or until it is killed, and says each time, a line for each,
// what it has come to: node counter.mjs DATA_DIR TIMES CONCURRENCY
import { writeSync } from 'node:fs';
import { openCounts } from '../../../packages/proxy-manager/dist/embedded/environment.js';

const [dataDir, times, concurrency] = process.argv.slice(2);
const environment = await openCounts(dataDir);
const database = await environment.openDatabase({ name: 'usage', version: 2 });

let left = Number(times);
async function countOnAndOn() {
  while (left > 0) {
    left -= 1;
    const next = await environment.transact(() => {
      const n = (database.get('n') ?? 0) + 1;
      database.putSync('n', n);
      return n;
    });
    writeSync(1, `${next}\n`);
  }
}
await Promise.all(Array.from({ length: Number(concurrency) }, countOnAndOn));
process.exit(0);
