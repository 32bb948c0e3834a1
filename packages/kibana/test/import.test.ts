import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ask } from '../src/http.js';
import { connect } from '../src/connection.js';
import { readImportAnswer } from '../src/import-answer.js';
import { selfSigned } from '../../proxy-manager/test/servers/certificate.js';
import { check, importDashboards } from '../src/index.js';
import { startFakeKibana } from './support/fake-kibana.js';

const COUNT = 9;

it('imports everything, and again without a change', async () => {
  const kibana = await startFakeKibana();
  const first = await importDashboards({ url: kibana.url });
  expect(first).toEqual({
    kibanaVersion: '8.12.2',
    count: COUNT,
    url: `${kibana.url}/app/dashboards#/view/proxy-manager-overview`,
    warnings: [],
  });
  expect(kibana.ids()).toHaveLength(COUNT);
  expect(await importDashboards({ url: `${kibana.url}/` })).toEqual(first);
  expect(kibana.ids()).toHaveLength(COUNT);
});

it('imports into a space, below a base path, and refuses a space that is not there', async () => {
  const kibana = await startFakeKibana({ basePath: '/kb', spaces: ['default', 'team-a'] });
  const { url } = await importDashboards({ url: kibana.url, space: 'team-a' });
  expect(url).toBe(`${kibana.url}/s/team-a/app/dashboards#/view/proxy-manager-overview`);
  expect(kibana.asked.at(-1)).toBe('/kb/s/team-a/api/saved_objects/_import');
  await expect(importDashboards({ url: kibana.url, space: 'nobody' })).rejects.toMatchObject({
    code: 'ERR_KIBANA_REFUSED',
    message: expect.stringContaining('has no space "nobody"'),
  });
});

it('waits for a Kibana that is starting, and says so', async () => {
  const kibana = await startFakeKibana({ startsAfter: 1 });
  const reasons: string[] = [];
  await importDashboards({ url: kibana.url, onWait: (reason) => reasons.push(reason) });
  expect(reasons).toEqual(['is not ready yet']);
});

it('waits no longer than it is told to, also where nobody listens', async () => {
  const starting = await startFakeKibana({ startsAfter: 100 });
  await expect(importDashboards({ url: starting.url, waitMs: 0 })).rejects.toMatchObject({
    code: 'ERR_KIBANA_UNREACHABLE',
    message: expect.stringContaining('is not ready yet'),
  });
  await expect(importDashboards({ url: 'http://127.0.0.1:1', waitMs: 10 })).rejects.toMatchObject({
    code: 'ERR_KIBANA_UNREACHABLE',
    message: expect.stringContaining('refuses connections'),
  });
});

it('stops waiting when it is aborted', async () => {
  const kibana = await startFakeKibana({ startsAfter: 100 });
  const controller = new AbortController();
  const importing = importDashboards({ url: kibana.url, signal: controller.signal, onWait: () => controller.abort() });
  await expect(importing).rejects.toMatchObject({ name: 'AbortError' });
});

it.each([
  ['an API key', { apiKey: 'c2VjcmV0' }, 'ApiKey c2VjcmV0'],
  ['a username', { username: 'elastic', password: 'pass:w ord' }, `Basic ${btoa('elastic:pass:w ord')}`],
])('logs in by %s', async (_, login, authorization) => {
  const kibana = await startFakeKibana({ authorization });
  expect(await importDashboards({ url: kibana.url, ...login })).toMatchObject({ count: COUNT });
  await expect(importDashboards({ url: kibana.url })).rejects.toMatchObject({
    code: 'ERR_KIBANA_REFUSED',
    status: 401,
    message: expect.stringContaining('refused the login'),
  });
});

it('takes the login out of the url, and shows it nowhere', async () => {
  const kibana = await startFakeKibana({ authorization: `Basic ${btoa('elastic:s3cret')}` });
  const url = kibana.url.replace('://', '://elastic:s3cret@');
  const result = await importDashboards({ url });
  expect(JSON.stringify(result)).not.toContain('s3cret');
  const refusal = await importDashboards({ url: url.replace('elastic', 'other') }).catch((error: Error) => error);
  expect(refusal).toBeInstanceOf(Error);
  expect((refusal as Error).message).not.toContain('s3cret');
});

it.each([
  ['may only read', { isReadOnly: true }, 403, /may not write.*privilege "all".*Unable to bulk_create/s],
  ['takes small files only', { maxPayloadBytes: 1000 }, 413, /too large: raise savedObjects\.maxImportPayloadBytes/],
  ['knows only older dashboards', { knownDashboard: '8.7.0' }, 422, /8\.12 or later is needed.*more recent version/s],
])('says what to do where the login or the server %s', async (_, settings, status, message) => {
  const kibana = await startFakeKibana(settings);
  await expect(importDashboards({ url: kibana.url })).rejects.toMatchObject({
    status,
    message: expect.stringMatching(message),
  });
  expect(kibana.ids()).toEqual([]);
});

it('names what is there already where it may not overwrite', async () => {
  const kibana = await startFakeKibana();
  await importDashboards({ url: kibana.url });
  await expect(importDashboards({ url: kibana.url, overwrite: false })).rejects.toMatchObject({
    status: 200,
    message: expect.stringContaining(
      'dashboard proxy-manager-overview: is there already: import with overwrite to replace it',
    ),
  });
});

it('refuses a Kibana older than 8.12, and warns of one newer than it knows', async () => {
  const old = await startFakeKibana({ version: '8.11.4' });
  await expect(importDashboards({ url: old.url })).rejects.toMatchObject({ code: 'ERR_KIBANA_VERSION' });
  expect(old.ids()).toEqual([]);
  const { warnings } = await importDashboards({ url: (await startFakeKibana({ version: '10.0.0' })).url });
  expect(warnings).toHaveLength(1);
  const { warnings: none } = await importDashboards({ url: (await startFakeKibana({ version: '9.5.0' })).url });
  expect(none).toEqual([]);
});

it('says that it is no Kibana where something else answers', async () => {
  const server = createServer((_, res) => void res.writeHead(302, { location: '/login' }).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(importDashboards({ url })).rejects.toMatchObject({
    code: 'ERR_KIBANA_UNREACHABLE',
    message: expect.stringMatching(/is no Kibana.*302, which leads to \/login.*base path/),
  });
});

it.each([
  ['conflict', {}, 'is there already'],
  ['ambiguous_conflict', {}, 'several objects'],
  [
    'missing_references',
    { references: [{ type: 'index-pattern', id: 'gone' }] },
    'needs what is not there: index-pattern gone',
  ],
  ['unsupported_type', {}, 'knows no such type'],
  [
    'unknown',
    { message: '[attributes.sections]: definition for this key is missing' },
    'definition for this key is missing',
  ],
])('has words for an object refused for %s', (type, more, words) => {
  const body = { success: false, successCount: 0, errors: [{ id: 'x', type: 'dashboard', error: { type, ...more } }] };
  const answer = { status: 200, json: body, text: JSON.stringify(body), location: undefined };
  expect(() => readImportAnswer(answer, 'http://kibana', 100)).toThrow(words);
});

it.each([
  [400, 'Non-unique import objects detected', 'did not take the file'],
  [401, 'Unauthorized', 'refused the login'],
  [404, 'Not Found', 'was not found: is the base path in the url'],
  [429, 'Too Many Requests', 'asked too often'],
  [500, 'An internal server error occurred', 'Kibana failed: its log says more'],
])('has words for status %i, and repeats those of Kibana', (status, message, words) => {
  const answer = { status, json: { statusCode: status, message }, text: '', location: undefined };
  const refusal = expect.objectContaining({
    status,
    message: expect.stringMatching(new RegExp(`${words}.*${message}`)),
  });
  expect(() => readImportAnswer(answer, 'http://kibana', 100)).toThrow(refusal as Error);
});

it('trusts the certificate of a private CA when it is given, and says so when it is not', async () => {
  const certificate = selfSigned();
  const { url } = await startFakeKibana({ certificate });
  await expect(importDashboards({ url, waitMs: 0 })).rejects.toMatchObject({
    code: 'ERR_KIBANA_UNREACHABLE',
    message: expect.stringContaining('give its CA'),
  });
  expect(await importDashboards({ url, ca: certificate.cert })).toMatchObject({ count: COUNT });
  await expect(importDashboards({ url: url.replace('https:', 'http:'), waitMs: 0 })).rejects.toMatchObject({
    message: expect.stringContaining('does it speak https'),
  });
});

it('follows an object to the id that Kibana gave it in another space', () => {
  const body = { success: true, successCount: 1, successResults: [{ id: 'a', type: 'dashboard', destinationId: 'b' }] };
  const answer = { status: 200, json: body, text: '', location: undefined };
  expect(readImportAnswer(answer, 'http://kibana', 100).renamed).toEqual(new Map([['a', 'b']]));
});

it.each([
  ['url', { url: 'localhost' }],
  ['expected http', { url: 'ftp://localhost' }],
  ['give one of them', { url: 'http://localhost', apiKey: 'x', username: 'a', password: 'b' }],
  ['belong together', { url: 'http://localhost', username: 'a' }],
])('refuses wrong options before anything is sent: %s', async (words, options) => {
  await expect(importDashboards(options)).rejects.toMatchObject({
    code: 'ERR_KIBANA_OPTIONS',
    message: expect.stringContaining(words),
  });
});

it('checks that every object is there, and names those that are not', async () => {
  const kibana = await startFakeKibana();
  const [ready, missing] = await check({ kibana: { url: kibana.url } });
  expect(ready).toEqual({ ok: true, text: 'Kibana 8.12.2 is ready' });
  expect(missing).toMatchObject({ ok: false, text: expect.stringContaining('dashboard proxy-manager-overview') });
  await importDashboards({ url: kibana.url });
  expect(await check({ kibana: { url: kibana.url } })).toEqual([
    ready,
    { ok: true, text: 'all 9 saved objects are there' },
  ]);
});

it('gives up on an answer that does not come', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const connection = connect({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, timeoutMs: 50 });
  await expect(ask(connection, { method: 'GET', path: '/' })).rejects.toThrow('no answer after 50 ms');
});
