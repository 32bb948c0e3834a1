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
