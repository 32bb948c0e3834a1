import './lib/node-version.mjs';
import { join } from 'node:path';
import { root } from './lib/paths.mjs';
import { prepare } from './lib/prepare.mjs';
import { node } from './lib/run.mjs';
import { Steps } from './lib/steps.mjs';

if (!(await prepare(new Steps(), 'examples'))) process.exit(1);
const demo = join(root, 'examples', 'dist', 'demo', 'main.js');
const { code } = await node(demo, process.argv.slice(2), { show: true });
process.exitCode = code;
