import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { ndjson } from '../../../packages/kibana/src/ndjson.js';
import { startFakeKibana } from '../../../packages/kibana/test/support/fake-kibana.js';

const cli = fileURLToPath(new URL('../../../packages/kibana/dist/cli.js', import.meta.url));
const VARIABLES = ['URL', 'SPACE', 'API_KEY', 'USERNAME', 'PASSWORD', 'CA'].map((name) => `KIBANA_${name}`);
const bare = Object.fromEntries([...VARIABLES, 'ELASTICSEARCH_URL'].map((name) => [name, undefined]));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a user would. */
function kibana(args: readonly string[], env: Record<string, string> = {}, cwd = tmpdir()): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...bare, ...env }, maxBuffer: 10_000_000 };
    const child = execFile(process.execPath, [cli, ...args], options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

it('imports by the options, and by the environment', async () => {
  const fake = await startFakeKibana({ authorization: 'ApiKey abc', spaces: ['default', 'team'] });
  const byOptions = await kibana(['import', '--url', fake.url, '--api-key', 'abc']);
  expect(byOptions).toEqual({
    code: 0,
    stdout: `9 objects are in Kibana 8.12.2: ${fake.url}/app/dashboards#/view/proxy-manager-overview\n`,
    stderr: '',
  });
  const env = { KIBANA_URL: fake.url, KIBANA_API_KEY: 'abc', KIBANA_SPACE: 'team' };
  expect(await kibana(['import'], env)).toMatchObject({ code: 0, stdout: expect.stringContaining('/s/team/') });
  expect(fake.ids('team')).toHaveLength(9);
});

it('shows that it waits', async () => {
  const fake = await startFakeKibana({ startsAfter: 1 });
  const url = fake.url.replace('://', '://elastic:s3cret@');
  const { code, stderr } = await kibana(['import', '--url', url]);
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: `waiting up to 60 s for Kibana: ${fake.url} is not ready yet … 0 s\n`,
  });
});

it('shows what it waits for where nobody listens', async () => {
  const { code, stderr } = await kibana(['import', '--url', 'http://127.0.0.1:1', '--wait', '2']);
  expect(code).toBe(3);
  expect(stderr.split('\n')).toEqual([
    'waiting up to 2 s for Kibana: http://127.0.0.1:1 refuses connections: is it running, and is this its port? … 0 s',
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:1 refuses connections: .* \(waited \d+ s\)$/),
    '',
  ]);
});

it('ends with 1 where Kibana refuses, with 2 for wrong usage and with 3 where nobody answers', async () => {
  const fake = await startFakeKibana({ isReadOnly: true });
  const refused = await kibana(['import', '--url', fake.url]);
  expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('may not write') });
  expect(await kibana(['import', '--url', 'http://127.0.0.1:1', '--wait', '0'])).toMatchObject({
    code: 3,
    stderr: 'http://127.0.0.1:1 refuses connections: is it running, and is this its port?\n',
  });
  expect(await kibana(['improt'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(
      /^expected import, export, rules or check, found "improt"\n\nnpx @proxy-manager\/kibana/,
    ),
  });
});

it('never shows a password', async () => {
  const fake = await startFakeKibana({ authorization: 'Basic other' });
  const url = fake.url.replace('://', '://elastic:s3cret@');
  const { code, stdout, stderr } = await kibana(['import', '--url', url]);
  expect(code).toBe(1);
  expect(stdout + stderr).not.toContain('s3cret');
});

it('exports the file for an import by hand', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pm-kibana-cli-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  expect(await kibana(['export', '--out', 'dashboards.ndjson'], {}, dir)).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(join(dir, 'dashboards.ndjson'), 'utf8')).toBe(ndjson());
  expect((await kibana(['export', '--out', '-'])).stdout).toBe(ndjson());
  expect(await kibana(['export', '--out', '/no/such/folder/x'])).toMatchObject({ code: 2 });
});

it('checks, and ends with 1 where something is missing', async () => {
  const fake = await startFakeKibana();
  const before = await kibana(['check', '--url', fake.url]);
  expect(before).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^ok {5} Kibana 8.12.2 is ready\nMISSING not in space/),
  });
  await kibana(['import', '--url', fake.url]);
  expect(await kibana(['check', '--url', fake.url])).toMatchObject({ code: 0 });
});

it('makes the alert rules', async () => {
  const fake = await startFakeKibana();
  const { code, stdout } = await kibana(['rules', '--url', fake.url, '--minutes', '5']);
  expect({ code, lines: stdout.split('\n').length }).toEqual({ code: 0, lines: 5 });
  expect(await kibana(['rules', '--url', fake.url, '--minutes', 'few'])).toMatchObject({ code: 2 });
});

it('explains itself', async () => {
  const { code, stdout } = await kibana(['--help']);
  expect(code).toBe(0);
  for (const word of ['import', 'export', 'check', '--url', 'KIBANA_API_KEY', 'Exit codes'])
    expect(stdout).toContain(word);
});
