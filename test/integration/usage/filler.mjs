// Takes one use of each of so many endpoints, and says how that went, a line each, `granted ENDPOINT` or `failed CODE`:
// node filler.mjs DATA_DIR SECTIONS_JSON ENDPOINTS
import { writeSync } from 'node:fs';
import { openCounts } from '../../../packages/proxy-manager/dist/embedded/environment.js';
import { lmdbUsageStore } from '../../../packages/proxy-manager/dist/usage/lmdb.js';

const [dataDir, sectionsJson, endpoints] = process.argv.slice(2);
const store = lmdbUsageStore({ environment: () => openCounts(dataDir) });
const sections = JSON.parse(sectionsJson);
for (let n = 0; n < Number(endpoints); n += 1) {
  const pool = { endpoint: `endpoint-${n}`, sections };
  try {
    const { granted } = await store.take({ pool, cost: 1 });
    writeSync(1, `${granted ? 'granted' : 'refused'} ${pool.endpoint}\n`);
  } catch (error) {
    writeSync(1, `failed ${error.code}\n`);
  }
}
process.exit(0);
