import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../src/embedded/environment.js';
import { openCache } from '../../src/embedded/environment.js';

/** An embedded environment in a directory of its own, both gone after `close`. */
export async function scratchEnvironment(): Promise<Environment> {
  const directory = await mkdtemp(join(tmpdir(), 'proxy-manager-cache-'));
  const environment = await openCache(directory);
  return {
    ...environment,
    async close() {
      await environment.close();
      await rm(directory, { recursive: true });
    },
  };
}
