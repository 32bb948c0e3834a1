// Takes uses one after the other and says how each went, a line each, `granted ID` or `refused`. In the middle it says
// `stops`, and stops itself once: while it computes its second take, or when it has sealed its journal.
// node stopper.mjs DATA_DIR POOL_JSON TAKES JOURNAL_BYTES computing|sealed
import { writeSync } from 'node:fs';
import { openCounts } from '../../../packages/proxy-manager/dist/embedded/environment.js';
import { embeddedUsageStore } from '../../../packages/proxy-manager/dist/usage/embedded.js';

const [dataDir, poolJson, takes, journalBytes, where] = process.argv.slice(2);
const calls = { computing: 0, sealed: 0 };
function passes(point) {
  calls[point] += 1;
  // The first time it is opened, or knows nothing of others yet.
  if (point !== where || calls[point] !== 2) return;
  writeSync(1, 'stops\n');
  process.kill(process.pid, 'SIGSTOP');
}

const environment = await openCounts(dataDir);
const store = embeddedUsageStore({
  environment: async () => ({
    ...environment,
    transact(action) {
      passes('sealed');
      return environment.transact(action);
    },
  }),
  clock: {
    now() {
      passes('computing');
      return Date.now();
    },
  },
  journalBytes: Number(journalBytes),
});
const pool = JSON.parse(poolJson);
for (let n = 0; n < Number(takes); n += 1) {
  const answer = await store.take({ pool, cost: 1 });
  writeSync(1, answer.granted ? `granted ${answer.taken[0].id}\n` : 'refused\n');
}
process.exit(0);
