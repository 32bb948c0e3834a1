import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { run } from './run.mjs';

/** Runs the pnpm that package.json names, which npm fetches. */
export function pnpm(args, options = {}) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const command = ['exec', '--yes', '--loglevel=error', packageManager, '--', ...args];
  // With CI set, pnpm asks nothing.
  return run('npm', command, { ...options, env: { CI: 'true' } });
}
