import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { startFakeKibana } from '../../packages/kibana/test/support/fake-kibana.js';
import { elasticsearchUrl } from '../services/urls.js';
import { fileDir } from './support/workspace.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly packageManager: string };
const run = promisify(execFile);
const app = fileDir();

const npm = (args: readonly string[], cwd: string): Promise<{ stdout: string }> =>
  run('npm', args, { cwd, shell: process.platform === 'win32', maxBuffer: 10_000_000 });

/** The companion package as people get it, in an empty project. */
beforeAll(async () => {
  const tarball = join(app, 'kibana.tgz');
  const pack = ['exec', '--yes', manifest.packageManager, '--', 'pack', '--out', tarball];
  await npm(pack, join(root, 'packages/kibana'));
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], app);
});

it('holds the file for an import by hand, the same that the command writes', async () => {
  const packed = readFileSync(join(app, 'node_modules/@proxy-manager/kibana/kibana/proxy-manager.ndjson'), 'utf8');
  expect(packed).toBe(readFileSync(join(root, 'packages/kibana/kibana/proxy-manager.ndjson'), 'utf8'));
  const { stdout } = await npm(['exec', '--offline', '--', '@proxy-manager/kibana', 'export', '--out', '-'], app);
  expect(stdout).toBe(packed);
});

it('does what the README shows', async () => {
  const { url } = await startFakeKibana();
  const [, code = ''] =
    /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'packages/kibana/README.md'), 'utf8')) ?? [];
  const local = code.replace('http://localhost:5601', url).replace('http://localhost:9200', elasticsearchUrl());
  writeFileSync(join(app, 'readme.js'), local);
  const { stdout, stderr } = await run(process.execPath, ['readme.js'], { cwd: app });
  expect(stderr).toBe('');
  expect(stdout).toContain(`Dashboards: ${url}/app/dashboards`);
});

it('gives its functions', async () => {
  writeFileSync(
    join(app, 'program.js'),
    `import { check, importDashboards, KibanaError, ndjson, savedObjects } from '@proxy-manager/kibana';
     console.log(ndjson().split('\\n').length - 1, savedObjects().length);
     for (const call of [() => importDashboards({ url: 'x' }), () => check({ kibana: { url: 'x' } })]) {
       await call().catch((error) => console.log(error instanceof KibanaError, error.code));
     }`,
  );
  const { stdout } = await run(process.execPath, ['program.js'], { cwd: app });
  expect(stdout.trim().split('\n')).toEqual(['9 9', 'true ERR_KIBANA_OPTIONS', 'true ERR_KIBANA_OPTIONS']);
});
