import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

/** Where systems keep the JDKs that are not the one of the PATH. */
const FOLDERS = [
  ['/usr/lib/jvm', ''],
  ['/Library/Java/JavaVirtualMachines', 'Contents/Home'],
];

/**
 * The home of a JDK of `oldest` or newer: that of JAVA_HOME, else one that lies where this system keeps them.
 * @returns {Promise<string | undefined>} undefined where there is none
 */
export async function findJdk(oldest) {
  const homes = FOLDERS.flatMap(([folder, below]) =>
    existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, below)) : [],
  );
  for (const home of [process.env.JAVA_HOME, ...homes]) {
    if (home && (await majorOf(home)) >= oldest) return home;
  }
  return undefined;
}

/** The major version of the compiler in `home`; NaN where there is none. */
async function majorOf(home) {
  const javac = join(home, 'bin', 'javac');
  if (!existsSync(javac)) return Number.NaN;
  const { output } = await run(javac, ['-version']);
  return Number(/javac (\d+)/.exec(output)?.[1]);
}
