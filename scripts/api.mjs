import './lib/node-version.mjs';
import { publicSurfaces } from './lib/package-checks.mjs';
import { prepare } from './lib/prepare.mjs';
import { Steps } from './lib/steps.mjs';

const steps = new Steps();
if (await prepare(steps, 'packages/proxy-manager', 'packages/kibana')) await publicSurfaces(steps, '--local');
process.exitCode = steps.failed > 0 ? 1 : 0;
