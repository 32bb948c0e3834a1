import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the copy lies that outlives a power cut. */
export const COPY = 'copy.mdb';

/**
 * The directory in `base` that belongs to this boot, made where it is not there yet, from the newest copy if there is
 * one; those of earlier boots are removed, since nobody knows what a power cut has left of them.
 */
export async function bootDirectory(base: string, boot: string): Promise<string> {
  const directory = join(base, boot);
  await mkdir(base, { recursive: true });
  const names = await readdir(base);
  if (!names.includes(boot)) await begin(base, directory);
  const earlier = names.filter((name) => /^[\da-f-]{8,64}$/.test(name) && name !== boot);
  await Promise.all(earlier.map((name) => rm(join(base, name), { recursive: true, force: true })));
  return directory;
}

/** Whole at once or not at all: other processes may be doing the same. */
async function begin(base: string, directory: string): Promise<void> {
  const made = await mkdtemp(join(base, 'new-'));
  try {
    await copyFile(join(base, COPY), join(made, 'data.mdb')).catch(unless('ENOENT'));
    await rename(made, directory);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    unless('EEXIST', 'ENOTEMPTY')(error);
  }
}

function unless(...codes: readonly string[]): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && codes.includes(String(error.code)))) throw error;
  };
}
