import './lib/node-version.mjs';
import { join } from 'node:path';
import { check } from './lib/checks.mjs';
import { checkPackages } from './lib/package-checks.mjs';
import { root } from './lib/paths.mjs';
import { prepare } from './lib/prepare.mjs';
import { node } from './lib/run.mjs';
import { asOne, Steps } from './lib/steps.mjs';
import { vitest } from './lib/vitest.mjs';

const steps = new Steps();
await prepare(steps);
await check(steps);
await checkPackages(steps);
await steps.step('integration and end-to-end tests', () => vitest('integration', 'e2e'));
await steps.step('demo', async () => asOne(await node(join(root, 'scripts', 'demo.mjs'))));
steps.end();
