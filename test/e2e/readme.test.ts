import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProxyManager } from 'proxy-manager';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startApi } from './support/api.js';
import { runProgram } from './support/program.js';
import { tempDir } from './support/workspace.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Beside the built examples, so that `proxy-manager` is found as from any of them. */
const SNIPPETS = join(ROOT, 'examples', 'dist', `snippets-${process.pid}`);
const KEYS = { TEST_API_KEY_1: 'from-env-1', TEST_API_KEY_2: 'from-env-2', WEATHER_KEY_1: 'w1', WEATHER_KEY_2: 'w2' };

/** The code blocks of one language in a page. */
function blocks(page: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms');
  return [...readFileSync(join(ROOT, page), 'utf8').matchAll(fence)].map(([, code]) => code ?? '');
}

const programs = ['README.md', 'docs/getting-started.md', 'docs/cache.md', 'docs/doors.md'].flatMap((page) =>
  blocks(page, 'ts').map((code, index) => ({ page, index, code, file: `${page.replace(/\W/g, '-')}-${index}` })),
);

function compile(): { status: number | null; stdout: string } {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const tsc = join(dirname(typescript), 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, '-p', SNIPPETS], { encoding: 'utf8' });
}

beforeAll(() => {
  mkdirSync(SNIPPETS, { recursive: true });
  const compilerOptions = { outDir: 'js', rootDir: '.' };
  const config = { extends: '../../../tsconfig.base.json', compilerOptions, include: ['*.ts'] };
  writeFileSync(join(SNIPPETS, 'tsconfig.json'), JSON.stringify(config));
  // Type-checked as printed; run with a server of ours in the place of the example's.
  for (const { file, code } of programs) {
    const local = code.replaceAll("'https://api.example.com", "process.env['API_URL'] + '");
    writeFileSync(join(SNIPPETS, `${file}.ts`), code);
    writeFileSync(join(SNIPPETS, `${file}.local.ts`), local);
  }
  const { status, stdout } = compile();
  if (status !== 0) throw new Error(`the code of the pages does not compile:\n${stdout}`);
});

afterAll(() => rmSync(SNIPPETS, { recursive: true, force: true }));

describe.each(programs)('program $index of $page', ({ page, file }) => {
  it('runs with the secrets.json of its page, else of the README', async () => {
    const api = await startApi((_hit, res) => res.setHeader('content-type', 'application/json').end('{"items":["a"]}'));
    const cwd = tempDir();
    const [secrets] = [...blocks(page, 'json'), ...blocks('README.md', 'json')];
    writeFileSync(join(cwd, 'secrets.json'), secrets ?? '');
    const env = { ...KEYS, API_URL: api.url };
    const { code, output } = await runProgram(join(SNIPPETS, 'js', `${file}.local.js`), { cwd, env });
    expect(code, output).toBe(0);
    expect(api.hits.length).toBeGreaterThan(0);
    for (const { headers } of api.hits)
      expect(['qwerty', 'abcde', 'from-env-1', 'from-env-2']).toContain(headers['x-api-key']);
    expect(output).not.toMatch(/qwerty|abcde|from-env/);
  });
});

it('begins with a program that prints the response and how it came about', async () => {
  const api = await startApi();
  const cwd = tempDir();
  writeFileSync(join(cwd, 'secrets.json'), blocks('README.md', 'json')[0] ?? '');
  const { output } = await runProgram(join(SNIPPETS, 'js', 'README-md-0.local.js'), { cwd, env: { API_URL: api.url } });
  expect(output).toContain("200 { path: '/items?page=1' }");
  for (const field of ["cache: 'miss'", 'credential: {', 'attempts: 1', 'durationMs:']) expect(output).toContain(field);
});

it('prints no secrets.json that the library refuses', async () => {
  for (const [name, value] of Object.entries(KEYS)) vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  for (const page of ['README.md', 'docs/getting-started.md']) {
    expect(blocks(page, 'json').length).toBeGreaterThan(0);
    for (const json of blocks(page, 'json')) {
      await new ProxyManager({ secrets: JSON.parse(json), dataDir: tempDir() }).close();
    }
  }
});

it('names every error code there is', () => {
  const source = readFileSync(join(ROOT, 'packages/proxy-manager/src/errors.ts'), 'utf8');
  const codes = [...source.matchAll(/readonly code = '(ERR_\w+)'/g)].map(([, code]) => code);
  const named = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^\| `(ERR_\w+)` \|/gm)].map(
    ([, code]) => code,
  );
  expect(codes.length).toBeGreaterThan(0);
  expect(new Set(named)).toEqual(new Set(codes));
});

it('lists every page of the documentation', () => {
  const index = readFileSync(join(ROOT, 'docs/README.md'), 'utf8');
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
  for (const page of pages) expect(index).toContain(`](${page})`);
});

it('links only to what is there', () => {
  const pages = [
    'README.md',
    ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
  ];
  for (const page of pages.filter((name) => name.endsWith('.md'))) {
    for (const [, target = ''] of readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      expect(existsSync(join(ROOT, dirname(page), target)), `${page} links to ${target}`).toBe(true);
    }
  }
});
