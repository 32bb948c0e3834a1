import { install, isInstalled } from './install.mjs';
import { tool } from './paths.mjs';
import { node } from './run.mjs';
import { asOne } from './steps.mjs';

/**
 * Installs what is missing and builds the given TypeScript projects; without any, all of them, which checks the tests too.
 * Where the dependencies cannot be had, this ends the process: nothing else could run.
 * @returns {Promise<boolean>} whether the build went well
 */
export async function prepare(steps, ...projects) {
  if (!isInstalled() && !(await steps.step('install', async () => asOne(await install())))) steps.end();
  return steps.step('build and types', async () => asOne(await node(tool('typescript', 'tsc'), ['-b', ...projects])));
}
