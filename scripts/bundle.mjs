import { bundle } from './lib/bundle.mjs';

await bundle();
