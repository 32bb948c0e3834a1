import { packages, tool } from './paths.mjs';
import { node } from './run.mjs';
import { asOne } from './steps.mjs';

/** Whether what is published is what users can import: manifests, types, reviewed surfaces, and nothing unused. */
export async function checkPackages(steps) {
  for (const { name, dir } of packages) {
    const inPackage = (dependency, command, ...args) => node(tool(dependency, command), args, { cwd: dir });
    await steps.step(`manifest of ${name}`, async () =>
      asOne(await inPackage('publint', 'publint', 'run', '--strict', '--pack', 'npm')),
    );
    await steps.step(`types of ${name}`, async () =>
      asOne(await inPackage('@arethetypeswrong/cli', 'attw', '--pack', '.', '--profile', 'esm-only')),
    );
  }
  await publicSurfaces(steps);
  await steps.step('unused code and dependencies', async () => asOne(await node(tool('knip'), ['--no-progress'])));
}

/** Whether the reports in each package's etc say what its entry points export; `--local` writes them anew instead. */
export async function publicSurfaces(steps, ...args) {
  for (const { name, dir, surfaces } of packages) {
    for (const config of surfaces) {
      await steps.step(`public surface of ${name} by ${config}`, async () => {
        const result = await node(tool('@microsoft/api-extractor', 'api-extractor'), ['run', '-c', config, ...args], {
          cwd: dir,
        });
        if (result.code !== 0) result.output += '\nA change that is meant is written down by: npm run api';
        return asOne(result);
      });
    }
  }
}
