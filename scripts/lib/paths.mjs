import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What is published: the folder of each package, and its reports of the public surface by their settings. */
export const packages = [
  {
    name: 'proxy-manager',
    dir: join(root, 'packages', 'proxy-manager'),
    surfaces: ['api-extractor.json', 'api-extractor.testing.json'],
  },
  { name: '@proxy-manager/kibana', dir: join(root, 'packages', 'kibana'), surfaces: ['api-extractor.json'] },
];

/** The file that the tool `name` of the development dependency `dependency` starts with, to be run by this Node. */
export function tool(dependency, name = dependency) {
  const dir = join(root, 'node_modules', dependency);
  const { bin } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  return join(dir, typeof bin === 'string' ? bin : bin[name]);
}
