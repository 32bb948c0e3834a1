import { readFileSync } from 'node:fs';
import type { ClientOptions, estypes } from '@elastic/elasticsearch';
import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProxyManager } from 'proxy-manager';
import { LOG_DATA_STREAM } from '../../../packages/proxy-manager/src/log/assets.js';
import { elasticsearchSink } from '../../../packages/proxy-manager/src/log/elasticsearch.js';
import { openExchangeLog } from '../../../packages/proxy-manager/src/log/open-exchange-log.js';
import { selfSigned } from '../../../packages/proxy-manager/test/servers/certificate.js';
import { startOrigin } from '../../../packages/proxy-manager/test/servers/origin.js';
import { startSecuredElasticsearch } from '../../services/secured-elasticsearch.js';
import type { Service } from '../../services/service.js';
import { lineOf } from '../../../packages/proxy-manager/test/log/log-support.js';
import { aRecord, filesIn, logDirectory, storedIds } from './support.js';

const certificate = selfSigned();
const tls = { ca: certificate.cert };
const users = {
  admin: { name: 'admin', password: 'admin-password', role: 'superuser' },
  setup: { name: 'setup', password: 'setup-password', role: 'proxy_manager_setup' },
  run: { name: 'run', password: 'run-password', role: 'proxy_manager_run' },
  writer: { name: 'writer', password: 'writer-password', role: 'only_write' },
  nobody: { name: 'nobody', password: 'nobody-password', role: 'nothing' },
};

let service: Service;
const clients: Client[] = [];

/** A role as docs/log.md gives it: what people copy is what is tested. */
function documented(name: string): object {
  const docs = readFileSync(new URL('../../../docs/log.md', import.meta.url), 'utf8');
  const json = new RegExp(`\`\`\`json ${name}\\n(.*?)\`\`\``, 's').exec(docs)?.[1];
  return JSON.parse(json ?? '') as object;
}

function clientOf({ name: username, password }: { name: string; password: string }): Client {
  const client = new Client({ node: service.url, auth: { username, password }, tls, maxRetries: 0 });
  clients.push(client);
  return client;
}

beforeAll(async () => {
  const streamOnly = { names: ['logs-proxy_manager.exchange-*'], privileges: ['create_doc', 'auto_configure'] };
  service = await startSecuredElasticsearch({
    certificate,
    users: Object.values(users),
    roles: {
      proxy_manager_run: documented('proxy_manager_run'),
      proxy_manager_setup: documented('proxy_manager_setup'),
      only_write: { indices: [streamOnly] },
      nothing: { cluster: [] },
    },
  });
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await service.stop();
});

interface Shipping {
  readonly client: Client;
  readonly installAssets: boolean;
}

/** Ships a record whose first try is in doubt, and gives what was told. */
async function ship({ client, installAssets }: Shipping, isDoubtful = false): Promise<{ id: string; told: string[] }> {
  const told: string[] = [];
  const record = aRecord();
  const sink = elasticsearchSink({
    client: async () => client,
    installAssets,
    onProblem: (problem) => told.push(problem.message),
  });
  await sink.ship([JSON.stringify(record)], new AbortController().signal, { isDoubtful, refuse: () => {} });
  return { id: record.event.id, told };
}

test('the documented role for installing makes every asset, over TLS with a private CA', async () => {
  const { id, told } = await ship({ client: clientOf(users.setup), installAssets: true }, true);
  expect(told).toStrictEqual([]);
  const admin = clientOf(users.admin);
  expect(await storedIds(admin, [id])).toStrictEqual([id]);
  expect(await admin.indices.existsIndexTemplate({ name: 'logs-proxy_manager.exchange' })).toBe(true);
  // An upgrade as well: an older template, and a stream to roll over.
  const { component_templates: found } = await admin.cluster.getComponentTemplate({ name: 'proxy_manager@mappings' });
  const older = found[0]?.component_template.template ?? {};
  await admin.cluster.putComponentTemplate({ name: 'proxy_manager@mappings', version: 0, template: older });
  await ship({ client: clientOf(users.setup), installAssets: true });
  expect(Object.keys(await admin.indices.getMapping({ index: LOG_DATA_STREAM }))).toHaveLength(2);
});

test('the documented role for running writes, looks up what is in doubt, and may not install', async () => {
  const client = clientOf(users.run);
  const { id, told } = await ship({ client, installAssets: false }, true);
  expect(told).toStrictEqual([]);
  expect(await storedIds(clientOf(users.admin), [id])).toStrictEqual([id]);
  await expect(ship({ client, installAssets: true })).rejects.toThrow(/security_exception|unauthorized/);
});

test('a user who may only write is enough, and is told once what that costs', async () => {
  const { id, told } = await ship({ client: clientOf(users.writer), installAssets: false }, true);
  expect(told).toMatchObject([expect.stringContaining('may not read')]);
  expect(await storedIds(clientOf(users.admin), [id])).toStrictEqual([id]);
});

test('who may nothing loses nothing: the records wait, and nobody reads the password in the warning', async () => {
  for (const user of [users.nobody, { name: 'run', password: 'wrong-password' }]) {
    const directory = await logDirectory();
    const told: string[] = [];
    const client = clientOf(user);
    const log = openExchangeLog({
      directory,
      sinks: [elasticsearchSink({ client: async () => client, installAssets: false })],
      onProblem: (problem) => told.push(`${problem.message} ${String(problem.cause)}`),
    });
    log.write(lineOf(aRecord()));
    await log.close(500);
    expect(filesIn(directory).filter((name) => name.endsWith('.ndjson'))).toHaveLength(1);
    expect(told).toMatchObject([expect.stringContaining('could not ship')]);
    expect(told.join('\n')).not.toContain(user.password);
  }
});

/** As on a machine of its own: what it shares with others is in Elasticsearch. */
async function startManager(auth: NonNullable<ClientOptions['auth']>): Promise<ProxyManager> {
  return new ProxyManager({
    dataDir: await logDirectory(),
    secrets: { key_based: { api: { keys: ['a-key-of-the-pool'], apply: 'Bearer {key}' } } },
    elasticsearch: { node: service.url, auth, tls },
    installAssets: false,
  });
}

/** The documented role as a key of its own, of a user who may do anything. */
async function apiKey(role: string): Promise<string> {
  const { indices } = documented(role) as { indices: estypes.SecurityIndicesPrivileges[] };
  const { encoded } = await clientOf(users.admin).security.createApiKey({
    name: role,
    role_descriptors: { [role]: { cluster: [], indices } },
  });
  return encoded;
}

test.each([
  ['a user', () => ({ username: users.run.name, password: users.run.password })],
  ['an API key', async () => ({ apiKey: await apiKey('proxy_manager_run') })],
])('log, cache and leases of whole managers, with the role for running alone, as %s', async (_who, authOf) => {
  const auth = await authOf();
  await using origin = await startOrigin((_, response) => response.end('hello'));
  const options = { labels: { run: origin.url }, cache: true };
  const here = await startManager(auth);
  expect((await here.request('api', options).send(`${origin.url}/page`)).exchange.cache).toBe('miss');
  await here.close();
  const there = await startManager(auth);
  expect((await there.request('api', options).send(`${origin.url}/page`)).exchange.cache).toBe('hit');
  const listed: string[] = [];
  for await (const { url } of there.cache.keys()) listed.push(url);
  expect(listed).toStrictEqual([`${origin.url}/page`]);
  expect(await there.cache.clear()).toBe(1);
  await there.close();

  const admin = clientOf(users.admin);
  await admin.indices.refresh({ index: LOG_DATA_STREAM });
  const found = await admin.count({ index: LOG_DATA_STREAM, query: { term: { 'labels.run': origin.url } } });
  expect(found.count).toBe(2);
  expect(await admin.indices.exists({ index: 'proxy_manager-leases-v1' })).toBe(true);
});
