import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder, outside the checkout, that keeps what the tests download. */
function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['PROXY_MANAGER_CACHE']) return env['PROXY_MANAGER_CACHE'];
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'proxy-manager');
}

/**
 * The folder `name` of the cache, made by `build` when it is not there yet. It appears in one rename, so a build that was
 * cut short never counts, and of two builds at once the first to end is kept.
 */
export async function cached(name: string, build: (dir: string) => Promise<void>): Promise<string> {
  const finished = join(cacheDir(), name);
  if (existsSync(finished)) return finished;
  await mkdir(cacheDir(), { recursive: true });
  const unfinished = await mkdtemp(`${finished}.`);
  try {
    await build(unfinished);
    await rename(unfinished, finished).catch((error: unknown) => {
      if (!existsSync(finished)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return finished;
}
