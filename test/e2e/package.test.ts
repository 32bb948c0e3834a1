import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { startApi } from './support/api.js';
import { fileDir } from './support/workspace.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly packageManager: string };
const run = promisify(execFile);
const app = fileDir();

const npm = (args: readonly string[], cwd: string): Promise<unknown> =>
  run('npm', args, { cwd, shell: process.platform === 'win32' });

/** The package as people get it, in an empty project without the optional peers. */
beforeAll(async () => {
  const tarball = join(app, 'proxy-manager.tgz');
  const pack = ['exec', '--yes', manifest.packageManager, '--', 'pack', '--out', tarball];
  await npm(pack, join(root, 'packages/proxy-manager'));
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', tarball, '@types/node@20'], app);
});

async function program(source: string): Promise<string> {
  writeFileSync(join(app, 'program.js'), source);
  const { stdout } = await run(process.execPath, ['program.js'], { cwd: app });
  return stdout;
}

it('compiles under the strictest settings, with its declarations checked too', async () => {
  writeFileSync(
    join(app, 'program.ts'),
    `import { ProxyManager, type ManagerOptions } from 'proxy-manager';
     const options: ManagerOptions = { redis: process.env['REDIS_URL'], secrets: { key_based: { a: { keys: ['x'] } } } };
     const manager = new ProxyManager(options);
     const { data } = await manager.request('a').send<{ readonly items: string[] }>('https://api.example.com/{key}');
     console.log(data.items.length);`,
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false'];
  const target = [
    '--noEmit',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--lib',
    'es2023,esnext.disposable',
    '--types',
    'node',
  ];
  const compiling = run(process.execPath, [tsc, ...strict, ...target, 'program.ts'], { cwd: app });
  // What it finds it prints, and then fails.
  const { stdout } = await compiling.catch((failure: { readonly stdout: string }) => failure);
  expect(stdout).toBe('');
});

it('sends by each of the three doors, from one file of its own', async () => {
  const api = await startApi();
  const output = await program(
    `import { AxiosError } from 'axios';
     import { Request, ProxyManagerError } from 'proxy-manager';
     const secrets = { key_based: { a: { keys: ['some-key'], hosts: ['127.0.0.1'] } } };
     const request = new Request({ endpoint: 'a', secrets, cache: true, headers: { 'x-key': '{key}' } });
     console.log(Request.name, import.meta.resolve('proxy-manager').split('/').slice(-4).join('/'));
     console.log((await request.send('${api.url}/sent')).status, (await request.axios.get('${api.url}/axios')).status);
     console.log((await request.fetch('${api.url}/fetched')).status);
     console.log(await request.send('http://localhost/').catch((error) => error instanceof ProxyManagerError && error.code));
     console.log(await request.send('${api.url}/x', { validateStatus: () => false }).catch((error) => error instanceof AxiosError));
     await request.close();`,
  );
  expect(output.trim().split('\n')).toEqual([
    'Request proxy-manager/dist/bundle/index.js',
    '200 200',
    '200',
    'ERR_HOST_NOT_ALLOWED',
    'true',
  ]);
  expect(api.hits.map(({ path, headers }) => [path, headers['x-key']])).toEqual(
    ['/sent', '/axios', '/fetched', '/x'].map((path) => [path, 'some-key']),
  );
});

it('loads for a first send nothing that it can do without', async () => {
  const api = await startApi();
  const output = await program(
    `import { createRequire, register } from 'node:module';
     const told = "import { writeSync } from 'node:fs';" +
       "export async function load(url, context, next) { writeSync(1, url + ' '); return next(url, context); }";
     register('data:text/javascript,' + encodeURIComponent(told));
     const { Request } = await import('proxy-manager');
     const secrets = { key_based: { a: { keys: ['some-key'] } } };
     const request = new Request({ endpoint: 'a', secrets, headers: { 'x-key': '{key}' } });
     await request.send('${api.url}/first');
     await request.close();
     console.log(Object.keys(createRequire(import.meta.url).cache).join(' '));`,
  );
  const loaded = output.split(' ').map((file) => file.split('node_modules/').at(-1) ?? '');
  expect(loaded).toEqual(expect.arrayContaining(['undici/lib/dispatcher/client.js', 'lmdb/dist/index.cjs']));
  const spared = [
    'axios/lib/axios.js',
    'undici/index.js',
    'lmdb/index.js',
    'bottleneck/',
    'tough-cookie/',
    'user-agents/',
    'valibot/',
  ];
  expect(loaded.filter((file) => spared.some((name) => file.startsWith(name)))).toEqual([]);
});

it('brings the contracts that a store is held to', async () => {
  const output = await program(
    `import * as contracts from 'proxy-manager/testing';
     console.log(Object.keys(contracts).join(' '));`,
  );
  expect(output.trim()).toBe('cacheStoreContract leaseStoreContract sinkContract usageStoreContract');
});

it('works embedded, and says at once which client a configured server needs', async () => {
  const output = await program(
    `import { ProxyManager } from 'proxy-manager';
     const secrets = { key_based: { a: { keys: ['some-key'] } } };
     for (const servers of [{ redis: 'redis://127.0.0.1:1' }, { elasticsearch: 'http://127.0.0.1:1' }, {}]) {
       try {
         const manager = new ProxyManager({ secrets, ...servers });
         console.log((await manager.usage())[0].state);
         await manager.close();
       } catch (error) {
         console.log(error.code, error.message);
       }
     }`,
  );
  expect(output.trim().split('\n')).toEqual([
    'ERR_CONFIG option redis: needs the package ioredis: npm install ioredis',
    'ERR_CONFIG option elasticsearch: needs the package @elastic/elasticsearch: npm install @elastic/elasticsearch',
    'ready',
  ]);
});
