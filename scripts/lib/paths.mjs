import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folder of the published package. */
export const library = join(root, 'packages', 'proxy-manager');

/** The file that the tool `name` of the development dependency `dependency` starts with, to be run by this Node. */
export function tool(dependency, name = dependency) {
  const dir = join(root, 'node_modules', dependency);
  const { bin } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  return join(dir, typeof bin === 'string' ? bin : bin[name]);
}
