// Takes uses one after the other and says how each went, a line each, `granted ID` or `refused`. In the middle it says
// `stops`, and stops itself: when it has begun to compute for the NTH time, or is about to open a journal for the NTH time.
// node stopper.mjs DATA_DIR POOL_JSON TAKES JOURNAL_BYTES computing|opening NTH
import { writeSync } from 'node:fs';
import { openCounts } from '../../../packages/proxy-manager/dist/embedded/environment.js';
import { embeddedUsageStore } from '../../../packages/proxy-manager/dist/usage/embedded.js';

const [dataDir, poolJson, takes, journalBytes, where, nth] = process.argv.slice(2);
const calls = { computing: 0, opening: 0 };
function passes(point) {
  calls[point] += 1;
  if (point !== where || calls[point] !== Number(nth)) return;
  writeSync(1, 'stops\n');
  process.kill(process.pid, 'SIGSTOP');
}

const environment = await openCounts(dataDir);
const store = embeddedUsageStore({
  environment: async () => ({
    ...environment,
    locked(action) {
      passes('opening');
      return environment.locked(action);
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
