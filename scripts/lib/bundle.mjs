import { copyFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { rolldown } from 'rolldown';
import { packages } from './paths.mjs';

/** Of its 200 kB a tenth is used: the rest would be read at every start. */
const TAKEN_IN = 'valibot';

/**
 * Writes `dist/bundle`: what is published of proxy-manager, its own modules in few files, since Node takes a third of a
 * millisecond to load each. Dependencies stay out of it, but for the one above. What is imported on use stays a file of
 * its own.
 */
export async function bundle() {
  const [{ dir }] = packages;
  const build = await rolldown({
    cwd: dir,
    input: { index: 'src/index.ts', testing: 'src/testing/index.ts' },
    external: (id) => !id.startsWith('.') && !isAbsolute(id) && id !== TAKEN_IN,
    platform: 'node',
    resolve: { extensionAlias: { '.js': ['.ts'] } },
    transform: { target: 'node20.19' },
  });
  await build.write({
    dir: join(dir, 'dist', 'bundle'),
    format: 'esm',
    sourcemap: true,
    chunkFileNames: '[name].js',
    cleanDir: true,
    comments: false,
    plugins: [ascii],
  });
  await build.close();
  await copyFile(
    join(dir, 'node_modules', TAKEN_IN, 'LICENSE.md'),
    join(dir, 'dist', 'bundle', `${TAKEN_IN}.LICENSE.md`),
  );
}

/** One letter beyond Latin-1, and Node would keep the whole file in twice the memory, and read it more slowly. */
const ascii = {
  name: 'ascii',
  generateBundle(_, files) {
    for (const file of Object.values(files).filter(({ type }) => type === 'chunk'))
      file.code = file.code.replaceAll(
        /[^\0-\x7F]/g,
        (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
  },
};
