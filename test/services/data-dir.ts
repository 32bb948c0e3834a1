import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder for the data of one service. */
export async function newDataDir(service: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `proxy-manager-${service}-`));
}

/** Removes it, also while the system still lets go of files in it. */
export async function removeDir(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
