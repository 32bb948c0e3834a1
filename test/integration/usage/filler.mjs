// Takes so many uses, one after the other, and says how each went, a line each, `granted ID` or `failed CODE`:
// node filler.mjs DATA_DIR POOL_JSON TAKES
import { writeSync } from 'node:fs';
import { openCounts } from '../../../packages/proxy-manager/dist/embedded/environment.js';
import { embeddedUsageStore } from '../../../packages/proxy-manager/dist/usage/embedded.js';

const [dataDir, poolJson, takes] = process.argv.slice(2);
const store = embeddedUsageStore({ environment: () => openCounts(dataDir) });
const pool = JSON.parse(poolJson);
for (let n = 0; n < Number(takes); n += 1) {
  try {
    const answer = await store.take({ pool, cost: 1 });
    writeSync(1, answer.granted ? `granted ${answer.taken[0].id}\n` : 'refused\n');
  } catch (error) {
    writeSync(1, `failed ${error.code}\n`);
  }
}
process.exit(0);
