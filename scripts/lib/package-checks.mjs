import { library, tool } from './paths.mjs';
import { node } from './run.mjs';
import { asOne } from './steps.mjs';

/** Whether what is published is what users can import: its manifest, its types, its reviewed surface, and nothing unused. */
export async function checkPackage(steps) {
  const inLibrary = (dependency, name, ...args) => node(tool(dependency, name), args, { cwd: library });
  await steps.step('manifest of the package', async () =>
    asOne(await inLibrary('publint', 'publint', 'run', '--strict', '--pack', 'npm')),
  );
  await steps.step('types of the package', async () =>
    asOne(await inLibrary('@arethetypeswrong/cli', 'attw', '--pack', '.', '--profile', 'esm-only')),
  );
  await publicSurface(steps);
  await steps.step('unused code and dependencies', async () => asOne(await node(tool('knip'), ['--no-progress'])));
}

/** Whether the reports in packages/proxy-manager/etc say what the entry points export; `--local` writes them anew instead. */
export async function publicSurface(steps, ...args) {
  for (const config of ['api-extractor.json', 'api-extractor.testing.json']) {
    await steps.step(`public surface by ${config}`, async () => {
      const result = await node(tool('@microsoft/api-extractor', 'api-extractor'), ['run', '-c', config, ...args], {
        cwd: library,
      });
      if (result.code !== 0) result.output += '\nA change that is meant is written down by: npm run api';
      return asOne(result);
    });
  }
}
