import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@elastic/elasticsearch';
import { expect, it, onTestFinished } from 'vitest';
import { builtExample, runProgram, startProgram, type Ended } from './support/program.js';
import { everyByteBelow, tempDir } from './support/workspace.js';

const DEMO = builtExample('demo/main.js');
const EMBEDDED = { ELASTICSEARCH_URL: undefined, REDIS_URL: undefined, KIBANA_URL: undefined, FORCE_COLOR: undefined };

/** How the keys and the password of every run begin, as text and as a proxy's Basic login. */
const SECRETS = ['demo-key-', 'demo-password-', Buffer.from('demo:demo-passwor').toString('base64').replace(/=+$/, '')];

interface Pair {
  readonly name: string;
  readonly limit: number;
  readonly library: number;
  readonly other: number;
}

interface Summary {
  readonly ok: boolean;
  readonly run: string;
  readonly keys: readonly Pair[];
  readonly proxies: readonly Pair[];
  readonly exhausted: number;
  readonly cache: { readonly sends: number; readonly hits: number; readonly fetched: Pair };
  readonly requests: Pair;
  readonly retries: number;
  readonly log: Pair;
  readonly latencies: readonly { readonly name: string; readonly count: number }[];
  readonly faults: readonly string[];
}

function givenService(name: string): string {
  const url = process.env[name];
  if (!url) throw new Error(`this test needs ${name}: test/services/global-setup.ts starts that service`);
  return url;
}

function demoArgs(cwd: string): string[] {
  return ['--data-dir', join(cwd, 'state'), '--json', join(cwd, 'summary.json')];
}

const summaryIn = (cwd: string): Summary => JSON.parse(readFileSync(join(cwd, 'summary.json'), 'utf8')) as Summary;

async function runDemo(cwd: string, env: Record<string, string | undefined>): Promise<Ended & { summary: Summary }> {
  const ended = await runProgram(DEMO, { args: demoArgs(cwd), cwd, env });
  expect(ended.code, ended.output).toBe(0);
  return { ...ended, summary: summaryIn(cwd) };
}

function expectAgreement({ output, summary }: { output: string; summary: Summary }): void {
  const { keys, proxies, cache, requests, log } = summary;
  for (const pair of [...keys, ...proxies, cache.fetched, requests, log])
    expect(pair.other, pair.name).toBe(pair.library);
  expect(summary).toMatchObject({ ok: true, exhausted: 20, faults: [] });
  expect(keys.map(({ library, limit }) => [library, limit])).toEqual(Array.from({ length: 4 }, () => [50, 50]));
  expect(proxies.map(({ limit }) => limit)).toEqual([60, 60, 60]);
  // 120 sends, of which 12 are answered 503 at first, and 12 reset.
  expect(proxies.reduce((sum, { library }) => sum + library, 0)).toBe(144);
  expect(summary.retries).toBe(24);
  expect(cache.hits + cache.fetched.library).toBe(300);
  expect(requests.library).toBe(200 + 144 + cache.fetched.library);
  expect(output).toContain('Both sides counted the same everywhere.');
  expect(output).not.toContain('≠');
}

function expectNoSecret(bytes: Buffer | string, where: string): void {
  for (const secret of SECRETS) expect(bytes.includes(secret), `${secret} in ${where}`).toBe(false);
}

it('shows both sides equal, and a second run is served from the cache', async () => {
  const cwd = tempDir();
  const first = await runDemo(cwd, EMBEDDED);
  expectAgreement(first);
  expect(first.summary.cache).toMatchObject({ hits: 288, fetched: { library: 12 } });
  expect(first.output).toContain(join('state', 'log'));

  const second = await runDemo(cwd, EMBEDDED);
  expectAgreement(second);
  expect(second.summary.cache).toMatchObject({ hits: 300, fetched: { library: 0, other: 0 } });
  expect(second.summary.run).not.toBe(first.summary.run);

  expect(first.output).toContain('Run it again');
  expect(second.output).not.toContain('Run it again');

  expectNoSecret(first.output + second.output, 'the output');
  expectNoSecret(everyByteBelow(cwd), 'the state, the log or the summary');
});

it('draws its tables as wide as the terminal', async () => {
  const cwd = tempDir();
  for (const columns of [60, 72, 80]) {
    const { output } = await runDemo(cwd, { ...EMBEDDED, COLUMNS: String(columns) });
    // Between the sentences of the heading and of the end.
    const lines = output.split('\n').slice(1, output.split('\n').indexOf('Where it lies'));
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
  }
});

it('keeps cache and log in Elasticsearch and counts in Redis, where they are given', async () => {
  const node = givenService('ELASTICSEARCH_URL');
  const redis = givenService('REDIS_URL');
  const cwd = tempDir();
  const env = { ...EMBEDDED, ELASTICSEARCH_URL: node, REDIS_URL: redis, KIBANA_URL: 'http://kibana.example:5601' };
  const first = await runDemo(cwd, env);
  expectAgreement(first);
  const second = await runDemo(cwd, env);
  expectAgreement(second);
  // Not 300: a lookup that takes longer than its budget, as on a busy machine, is a miss.
  expect(second.summary.cache.hits).toBeGreaterThan(first.summary.cache.hits);
  for (const part of [
    'node packages/kibana/dist/cli.js import --url http://kibana.example:5601\n',
    'http://kibana.example:5601/app/dashboards#/view/proxy-manager-overview',
    'logs-proxy_manager.exchange-*',
    `labels.run : "${second.summary.run}"`,
  ]) {
    expect(second.output).toContain(part);
  }

  const client = new Client({ node });
  onTestFinished(() => client.close());
  for (const { run, log } of [first.summary, second.summary]) {
    expect(log.name).toBe('elasticsearch');
    const found = await client.search({
      index: 'logs-proxy_manager.exchange-*',
      size: 2_000,
      query: { term: { 'labels.run': run } },
    });
    expect(found.hits.hits).toHaveLength(log.library);
    expectNoSecret(JSON.stringify(found), 'the documents of the log');
  }
  await client.indices.refresh({ index: 'proxy_manager-cache-*' });
  const cached = await client.search({ index: 'proxy_manager-cache-*', size: 2_000 });
  expect(cached.hits.hits.length).toBeGreaterThanOrEqual(12);
  expectNoSecret(JSON.stringify(cached), 'the documents of the cache');
  expectNoSecret(everyByteBelow(cwd), 'the state');
});

it('does its job without the Elasticsearch it was given, and the next run ships the log that waits', async () => {
  const node = givenService('ELASTICSEARCH_URL');
  const cwd = tempDir();
  const without = await runDemo(cwd, { ...EMBEDDED, ELASTICSEARCH_URL: 'http://127.0.0.1:9' });
  expectAgreement(without);
  expect(without.summary.log.name).toBe('spool');
  expect(without.output).toContain('waits in');

  expectAgreement(await runDemo(cwd, { ...EMBEDDED, ELASTICSEARCH_URL: node }));
  const client = new Client({ node });
  onTestFinished(() => client.close());
  await client.indices.refresh({ index: 'logs-proxy_manager.exchange-*' });
  const query = { term: { 'labels.run': without.summary.run } };
  const { count } = await client.count({ index: 'logs-proxy_manager.exchange-*', query });
  expect(count).toBe(without.summary.log.library);
});

it('says so and fails when the server counted otherwise', async () => {
  const cwd = tempDir();
  const running = startProgram(DEMO, { args: demoArgs(cwd), cwd, env: EMBEDDED });
  await running.saw('Proxy Manager');
  const { port } = JSON.parse(readFileSync(join(cwd, 'state', 'demo.json'), 'utf8')) as { port: number };
  await fetch(`http://127.0.0.1:${port}/catalog`);
  const { code, output } = await running.ended;
  expect(code).toBe(1);
  expect(output).toContain('do NOT agree');
  expect(output).toContain('≠');
  const { ok, requests } = summaryIn(cwd);
  expect(ok).toBe(false);
  expect(requests.other).toBe(requests.library + 1);
});
