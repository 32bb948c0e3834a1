import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startApi } from './support/api.js';
import { spooled, startManager, tempDir } from './support/workspace.js';

const secrets = {
  key_based: {
    test_api: { limit: 10, refresh_rate: 60, keys: ['key-one-1234'], apply: { headers: { 'x-api-key': '{key}' } } },
  },
};

/** `/start` leads to `/next`, and that to another origin. */
async function twoHops(): Promise<{ url: string; away: Awaited<ReturnType<typeof startApi>> }> {
  const away = await startApi((_hit, res) => res.end('{"there":true}'));
  const api = await startApi((hit, res) => {
    const location = hit.path === '/start' ? '/next?token=t' : `${away.url}/there`;
    res.writeHead(302, { location }).end();
  });
  return { url: `${api.url}/start`, away };
}

it('follows as one exchange: each hop charged, all of them in one record, nothing private across origins', async () => {
  const { url, away } = await twoHops();
  const dataDir = join(tempDir(), 'state');
  const manager = startManager({ secrets, dataDir });
  const req = manager.request('test_api');
  const res = await req.send(url, { headers: { authorization: 'Basic bWU=', cookie: 'a=1' } });
  expect(res).toMatchObject({ data: { there: true }, exchange: { attempts: 1 } });
  expect(away.hits[0]?.headers).not.toMatchObject({ 'x-api-key': expect.anything() });
  expect(away.hits[0]?.headers).not.toMatchObject({ authorization: expect.anything() });
  expect(away.hits[0]?.headers).not.toMatchObject({ cookie: expect.anything() });
  expect(await manager.usage('test_api')).toMatchObject([{ windows: [{ used: 3 }] }]);
  expect(spooled(dataDir)).toMatchObject([
    {
      url: { full: url },
      proxy_manager: { redirect: { count: 2, hops: [`302 ${new URL('/next', url).href}`, `302 ${away.url}/there`] } },
    },
  ]);
});

it('leaves the hops uncounted where the provider counts none', async () => {
  const { url } = await twoHops();
  const manager = startManager({ secrets });
  await manager.request('test_api', { countRedirects: false }).send(url);
  await manager.request('test_api').send(url, { countRedirects: false });
  expect(await manager.usage('test_api')).toMatchObject([{ windows: [{ used: 2 }] }]);
});

it('ends before a hop that the quota has no use for', async () => {
  const { url, away } = await twoHops();
  const manager = startManager({ secrets: { key_based: { test_api: { ...secrets.key_based.test_api, limit: 2 } } } });
  await expect(manager.request('test_api').send(url)).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
  expect(away.hits).toHaveLength(0);
});

it('gives the key in the query and cookies of the caller to their own origin alone, however many hops another one makes', async () => {
  const away = await startApi((hit, res) =>
    hit.path.startsWith('/end') ? res.end('{}') : res.writeHead(302, { location: '/end' }).end(),
  );
  const api = await startApi((hit, res) =>
    res.writeHead(302, { location: hit.path.startsWith('/start') ? '/next' : `${away.url}/first` }).end(),
  );
  const { keys } = secrets.key_based.test_api;
  const manager = startManager({
    secrets: { key_based: { test_api: { keys, apply: { query: { appid: '{key}' } } } } },
  });
  const options = { headers: { cookie: 'mine=1' } };
  for (const session of [{}, { session: 'ann' }]) {
    await manager.request('test_api', session).send(`${api.url}/start`, options);
    expect(api.hits.slice(-2).map(({ path, headers }) => [path, headers.cookie])).toEqual([
      ['/start?appid=key-one-1234', 'mine=1'],
      ['/next?appid=key-one-1234', 'mine=1'],
    ]);
    expect(away.hits.slice(-2).map(({ path, headers }) => [path, headers.cookie])).toEqual([
      ['/first', undefined],
      ['/end', undefined],
    ]);
  }
});

it('does not follow to a host that the endpoint does not name, by whichever door', async () => {
  const away = await startApi();
  const api = await startApi((_hit, res) =>
    res.writeHead(302, { location: away.url.replace('127.0.0.1', 'localhost') }).end(),
  );
  const named = { key_based: { test_api: { ...secrets.key_based.test_api, hosts: ['127.0.0.1'] } } };
  const req = startManager({ secrets: named }).request('test_api');
  const refused = { code: 'ERR_HOST_NOT_ALLOWED' };
  await expect(req.send(api.url)).rejects.toMatchObject(refused);
  await expect(req.axios.get(api.url)).rejects.toMatchObject(refused);
  await expect(req.axios.get(api.url, { maxRate: 1e9 })).rejects.toMatchObject(refused);
  await expect(req.fetch(api.url)).rejects.toMatchObject({ cause: refused });
  expect([api.hits.length, away.hits.length]).toEqual([4, 0]);
});

it('is kept as one exchange: a hit tells where it ended, and costs no hop', async () => {
  const { url, away } = await twoHops();
  const manager = startManager({ secrets });
  const req = manager.request('test_api', { cache: true });
  await req.send(url);
  const again = await req.send(url);
  expect(again).toMatchObject({ data: { there: true }, exchange: { cache: 'hit', attempts: 0 } });
  expect(again.request).toMatchObject({ res: { responseUrl: `${away.url}/there` } });
  expect(await manager.usage('test_api')).toMatchObject([{ windows: [{ used: 3 }] }]);
  expect(away.hits).toHaveLength(1);
});
