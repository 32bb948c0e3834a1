import { Client } from '@googlemaps/google-maps-services-js';
import { request as octokit } from '@octokit/request';
import OpenAI from 'openai';
import { expect, it } from 'vitest';
import { startApi } from './support/api.js';
import { startManager } from './support/workspace.js';

type MapsAxios = NonNullable<NonNullable<ConstructorParameters<typeof Client>[0]>['axiosInstance']>;

const keys = ['sk-one-0123456789', 'sk-two-0123456789'];

it('openai through request.fetch: each call another key, streams as they come, a throttled key steps aside', async () => {
  let throttled: string | undefined;
  const api = await startApi((hit, res) => {
    if (hit.path === '/v1/models') {
      throttled ??= hit.headers.authorization;
      if (hit.headers.authorization === throttled) return res.writeHead(429, { 'retry-after': '60' }).end('{}');
      return res.setHeader('content-type', 'application/json').end('{"object":"list","data":[{"id":"small"}]}');
    }
    if (hit.path === '/v1/models/none') return res.writeHead(404).end('{"error":{"message":"no such model"}}');
    res.setHeader('content-type', 'text/event-stream');
    for (const content of ['Hel', 'lo']) {
      res.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
    }
    return res.end('data: [DONE]\n\n');
  });
  const manager = startManager({
    secrets: {
      key_based: { openai: { keys, hosts: ['127.0.0.1'], apply: { headers: { authorization: 'Bearer {key}' } } } },
    },
  });
  const client = new OpenAI({
    apiKey: 'not-a-key',
    baseURL: `${api.url}/v1`,
    maxRetries: 0,
    fetch: manager.request('openai').fetch,
  });

  let said = '';
  const stream = await client.chat.completions.create({
    model: 'small',
    stream: true,
    messages: [{ role: 'user', content: 'Hi' }],
  });
  for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
  expect(said).toBe('Hello');
  expect(JSON.parse(api.hits[0]?.body ?? '')).toMatchObject({ model: 'small', stream: true });

  const models = await client.models.list();
  expect(models.data).toEqual([{ id: 'small' }]);
  const used = api.hits.map(({ headers }) => headers.authorization);
  expect(new Set(used)).toEqual(new Set(keys.map((key) => `Bearer ${key}`)));

  await expect(client.models.retrieve('none')).rejects.toMatchObject({ status: 404, message: '404 no such model' });
});

it('openai aborts through request.fetch', async () => {
  const api = await startApi(() => {});
  const manager = startManager({
    secrets: { key_based: { openai: { keys, apply: { headers: { authorization: 'Bearer {key}' } } } } },
  });
  const client = new OpenAI({
    apiKey: 'not-a-key',
    baseURL: api.url,
    maxRetries: 0,
    fetch: manager.request('openai').fetch,
  });
  const controller = new AbortController();
  const listing = client.models.list({ signal: controller.signal });
  const ended = expect(listing).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
  await expect.poll(() => api.hits.length).toBe(1);
  controller.abort();
  await ended;
});

it('@octokit/request through request.fetch: parameters, bodies, statuses, the cache', async () => {
  const api = await startApi((hit, res) => {
    res.setHeader('content-type', 'application/json');
    if (hit.path.startsWith('/repos/none')) return res.writeHead(404).end('{"message":"Not Found"}');
    return res.end(JSON.stringify({ path: hit.path, body: hit.body }));
  });
  const manager = startManager({
    secrets: { key_based: { github: { keys, apply: { headers: { authorization: 'token {key}' } } } } },
  });
  const github = octokit.defaults({
    baseUrl: api.url,
    request: { fetch: manager.request('github', { cache: true }).fetch },
  });

  const found = await github('GET /repos/{owner}/{repo}/issues', { owner: 'o', repo: 'r', per_page: 5 });
  expect(found).toMatchObject({
    status: 200,
    url: `${api.url}/repos/o/r/issues?per_page=5`,
    data: { path: '/repos/o/r/issues?per_page=5' },
  });
  const made = await github('POST /repos/{owner}/{repo}/issues', { owner: 'o', repo: 'r', title: 'ä' });
  expect(made.data).toMatchObject({ body: '{"title":"ä"}' });
  await expect(github('GET /repos/none/r')).rejects.toMatchObject({ status: 404, name: 'HttpError' });
  expect(api.hits.every(({ headers }) => headers.authorization?.startsWith('token sk-'))).toBe(true);

  await expect
    .poll(async () => {
      const before = api.hits.length;
      await github('GET /repos/{owner}/{repo}/issues', { owner: 'o', repo: 'r', per_page: 5 });
      return api.hits.length - before;
    })
    .toBe(0);
});

it('@googlemaps/google-maps-services-js through request.axios: the key of the pool in the query', async () => {
  const api = await startApi((hit, res) => {
    const isRefused = hit.path.includes('address=nowhere');
    res.writeHead(isRefused ? 500 : 200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ status: 'OK', results: [{ formatted_address: hit.path }] }));
  });
  const manager = startManager({ secrets: { key_based: { maps: { keys, apply: { query: { key: '{key}' } } } } } });
  const { axios } = manager.request('maps', { retry: { attempts: 1 } });
  // Its types are axios's for `require`, which TypeScript holds for others than those for `import`.
  const client = new Client({ axiosInstance: axios as unknown as MapsAxios });
  const ask = (address: string): ReturnType<Client['geocode']> =>
    client.geocode({ url: `${api.url}/maps/api/geocode/json`, params: { address, key: '{key}' } });

  const answers = await Promise.all([ask('Berlin'), ask('Paris')]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const used = api.hits.map(({ path }) => new URL(path, api.url).searchParams.get('key'));
  expect(used.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual(keys);
  await expect(ask('nowhere')).rejects.toMatchObject({ isAxiosError: true, response: { status: 500 } });
});
