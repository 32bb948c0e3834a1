import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packages, tool } from './paths.mjs';
import { pnpm } from './pnpm.mjs';
import { node } from './run.mjs';
import { asOne } from './steps.mjs';

/** Whether what is published is what users can import: manifests, types, reviewed surfaces, and nothing unused. */
export async function checkPackages(steps) {
  const packed = mkdtempSync(join(tmpdir(), 'proxy-manager-packed-'));
  for (const { name, dir } of packages) {
    const tarball = join(packed, 'package.tgz');
    const onTarball = (dependency, command, ...args) => node(tool(dependency, command), args, { cwd: dir });
    await steps.step(`tarball of ${name}`, async () => asOne(await pnpm(['pack', '--out', tarball], { cwd: dir })));
    await steps.step(`manifest of ${name}`, async () =>
      asOne(await onTarball('publint', 'publint', 'run', tarball, '--strict')),
    );
    await steps.step(`types of ${name}`, async () =>
      asOne(await onTarball('@arethetypeswrong/cli', 'attw', tarball, '--profile', 'esm-only')),
    );
  }
  rmSync(packed, { recursive: true });
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
