import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { pnpm } from './pnpm.mjs';

/** Whether node_modules holds exactly what the lockfile says: pnpm keeps a copy of the one it installed. */
export function isInstalled() {
  const installed = join(root, 'node_modules', '.pnpm', 'lock.yaml');
  return existsSync(installed) && read(installed) === read(join(root, 'pnpm-lock.yaml'));
}

/** Installs the dependencies. */
export function install() {
  return pnpm(['install', '--frozen-lockfile']);
}

function read(path) {
  return readFileSync(path, 'utf8');
}
