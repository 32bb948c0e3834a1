import './lib/node-version.mjs';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './lib/bundle.mjs';
import { root } from './lib/paths.mjs';
import { prepare } from './lib/prepare.mjs';
import { node } from './lib/run.mjs';
import { Steps } from './lib/steps.mjs';

const [name, ...args] = process.argv.slice(2);
const names = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace(/\.ts$/, ''));

if (names.includes(name)) {
  if (!(await prepare(new Steps(), 'bench'))) process.exit(1);
  // What starts a process is measured as it is published.
  if (name === 'start') await bundle();
  const { code } = await node(join(root, 'bench', 'dist', `${name}.js`), args, { show: true });
  process.exitCode = code;
} else {
  console.log(`npm run bench <name>, where <name> is one of: ${names.join(', ') || '(there is none yet)'}`);
  process.exitCode = name === undefined ? 0 : 1;
}
