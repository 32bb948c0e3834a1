// Takes a use, and says `granted ID` or `failed CODE`. Whenever it has written less than it wanted, as much as is missing
// is appended by another process, which may write larger files.
// node short-writer.mjs DATA_DIR POOL_JSON JOURNAL
import { spawnSync } from 'node:child_process';
import { openCounts } from '../../../packages/proxy-manager/dist/embedded/environment.js';
import { embeddedUsageStore } from '../../../packages/proxy-manager/dist/usage/embedded.js';
import { JournalFile } from '../../../packages/proxy-manager/dist/usage/journal-file.js';

const [dataDir, poolJson, journal] = process.argv.slice(2);
const append = Object.getOwnPropertyDescriptor(JournalFile.prototype, 'append').value;
JournalFile.prototype.append = function appendAndMore(text) {
  const wanted = this.size() + Buffer.byteLength(text);
  const result = append.call(this, text);
  const missing = wanted - this.size();
  const command = 'ulimit -S -f unlimited; head -c "$0" /dev/zero >> "$1"';
  if (missing > 0) spawnSync('sh', ['-c', command, String(missing), journal], { stdio: 'inherit' });
  return result;
};

const store = embeddedUsageStore({ environment: () => openCounts(dataDir) });
try {
  const answer = await store.take({ pool: JSON.parse(poolJson), cost: 1 });
  console.log(answer.granted ? `granted ${answer.taken[0].id}` : 'refused');
} catch (error) {
  console.log(`failed ${error.code}`);
}
process.exit(0);
