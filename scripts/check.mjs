import './lib/node-version.mjs';
import { check } from './lib/checks.mjs';
import { prepare } from './lib/prepare.mjs';
import { Steps } from './lib/steps.mjs';

const steps = new Steps();
await prepare(steps);
await check(steps);
steps.end();
