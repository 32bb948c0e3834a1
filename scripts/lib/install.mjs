import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { run } from './run.mjs';

/** Whether node_modules holds exactly what the lockfile says: pnpm keeps a copy of the one it installed. */
export function isInstalled() {
  const installed = join(root, 'node_modules', '.pnpm', 'lock.yaml');
  return existsSync(installed) && read(installed) === read(join(root, 'pnpm-lock.yaml'));
}

/** Installs the dependencies by the pnpm that package.json names, which npm fetches. */
export function install() {
  const { packageManager } = JSON.parse(read(join(root, 'package.json')));
  const args = ['exec', '--yes', '--loglevel=error', packageManager, '--', 'install', '--frozen-lockfile'];
  // With CI set, pnpm asks nothing.
  return run('npm', args, { env: { CI: 'true' } });
}

function read(path) {
  return readFileSync(path, 'utf8');
}
