import { asOne } from './steps.mjs';
import { tool } from './paths.mjs';
import { node } from './run.mjs';
import { vitest } from './vitest.mjs';

/** What a developer wants to know every minute: lint, format and the tests that need no service. */
export async function check(steps) {
  await steps.step('lint', async () => asOne(await node(tool('oxlint'))));
  await steps.step('format', async () => asOne(await node(tool('oxfmt'), ['--check', '.'])));
  await steps.step('unit tests', () => vitest('unit'));
}
