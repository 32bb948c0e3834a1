import { AxiosError } from 'axios';
import { describe, expect, it } from 'vitest';
import { startApi } from './support/api.js';
import { closedPort, startFaultyProxy, startProxy } from './support/proxy.js';
import { startManager } from './support/workspace.js';

it('spends each proxy by least use and stops at its limit', async () => {
  const api = await startApi();
  const proxies = [
    await startProxy(),
    await startProxy({ username: 'user', password: 'p@ss:word' }),
    await startProxy(),
  ];
  const secrets = { ip_based: { shop: { limit: 2, refresh_rate: 60 } }, ips: proxies.map(({ address }) => address) };
  const req = startManager({ secrets }).request('shop');
  for (let i = 0; i < 6; i++) {
    const res = await req.send(`${api.url}/${i}`);
    expect(res.exchange.proxy?.id).toContain(proxies[i % 3]?.hostPort);
  }
  expect(proxies.map((proxy) => proxy.uses())).toEqual([2, 2, 2]);
  await expect(req.send(api.url)).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
});

it('counts a proxy for each endpoint apart', async () => {
  const api = await startApi();
  const { address } = await startProxy();
  const limits = { limit: 1, refresh_rate: 60 };
  const manager = startManager({ secrets: { ip_based: { one: limits, two: limits }, ips: [address] } });
  await manager.request('one').send(api.url);
  await manager.request('two').send(api.url);
  await expect(manager.request('one').send(api.url)).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
});

it('uses a key and a proxy together for an endpoint in both sections, or one of them by secretType', async () => {
  const api = await startApi();
  const proxy = await startProxy();
  const secrets = {
    key_based: { both: { keys: ['the-key'], apply: { headers: { 'x-api-key': '{key}' } } } },
    ip_based: { both: {} },
    ips: [proxy.address],
  };
  const manager = startManager({ secrets });
  const together = await manager.request('both').send(api.url);
  expect(together.exchange).toMatchObject({ credential: { id: expect.any(String) }, proxy: { id: proxy.hostPort } });
  const keyOnly = await manager.request('both', { secretType: 'key' }).send(api.url);
  expect(keyOnly.exchange.proxy).toBeUndefined();
  const proxyOnly = await manager.request('both', { secretType: 'ip' }).send(api.url);
  expect(proxyOnly.exchange.credential).toBeUndefined();
  expect(api.hits.map(({ headers }) => headers['x-api-key'])).toEqual(['the-key', 'the-key', undefined]);
  expect(proxy.uses()).toBe(2);
});

describe('a proxy that', () => {
  const faults: [string, () => ReturnType<typeof startProxy>][] = [
    ['refuses', closedPort],
    ['resets', () => startFaultyProxy((socket) => socket.resetAndDestroy())],
    ['asks for a password', () => startProxy({ username: 'user', password: 'unknown-to-us' })],
  ];
  it.each(faults)('%s is left for another one, and rests', async (_what, start) => {
    const api = await startApi();
    const [bad, good] = [await start(), await startProxy()];
    const address = bad.hostPort;
    const manager = startManager({ secrets: { ip_based: { shop: {} }, ips: [address, good.address] } });
    const res = await manager.request('shop').send(api.url);
    expect(res.exchange).toMatchObject({ attempts: 2, proxy: { id: good.hostPort } });
    for (let i = 0; i < 3; i++) await manager.request('shop').send(api.url);
    expect(bad.uses()).toBeLessThanOrEqual(1);
    expect((await manager.usage('shop')).map(({ id, state }) => [id, state])).toEqual([
      [bad.hostPort, 'resting'],
      [good.hostPort, 'ready'],
    ]);
  });

  it('closes without a word is left for another one, for this host', async () => {
    const [api, second] = [await startApi(), await startApi()];
    const bad = await startFaultyProxy((socket) => socket.once('data', () => socket.end()));
    const good = await startProxy();
    const manager = startManager({ secrets: { ip_based: { shop: {} }, ips: [bad.address, good.address] } });
    const req = manager.request('shop');
    for (let i = 0; i < 4; i++) expect((await req.send(api.url)).exchange.proxy).toEqual({ id: good.hostPort });
    expect(bad.uses()).toBe(1);
    const states = async (): Promise<string[]> => (await manager.usage('shop')).map(({ state }) => state);
    expect(await states()).toEqual(['ready', 'ready']);
    // It fails for a second host as well: so it is the proxy.
    expect((await req.send(second.url)).exchange).toMatchObject({ attempts: 2, proxy: { id: good.hostPort } });
    expect(await states()).toEqual(['resting', 'ready']);
  });

  it('takes the request and says nothing is left for another one after half of the time', async () => {
    const api = await startApi();
    const [silent, good] = [await startFaultyProxy(() => {}), await startProxy()];
    const secrets = { ip_based: { shop: {} }, ips: [silent.address, good.address] };
    const res = await startManager({ secrets }).request('shop').send(api.url, { timeout: 4_000 });
    expect(silent.uses()).toBe(1);
    expect(res.exchange).toMatchObject({ attempts: 2, proxy: { id: good.hostPort } });
  });

  it('closes every tunnel to a dead target keeps its place: other hosts are still reached through it', async () => {
    const api = await startApi();
    const dead = await closedPort();
    const proxy = await startProxy();
    const manager = startManager({ secrets: { ip_based: { shop: {} }, ips: [proxy.address] } });
    const req = manager.request('shop', { retry: { attempts: 1 } });
    await expect(req.send(`https://${dead.hostPort}/`)).rejects.toMatchObject({ isAxiosError: true });
    expect((await req.send(api.url)).status).toBe(200);
  });

  it('hangs ends with the timeout of the call', async () => {
    const api = await startApi();
    const hanging = await startFaultyProxy(() => {});
    const req = startManager({ secrets: { ip_based: { shop: {} }, ips: [hanging.address] } }).request('shop');
    await expect(req.send(api.url, { timeout: 100 })).rejects.toMatchObject({ code: 'ECONNABORTED' });
  });
});

it('names the proxies by id and without their passwords when all of them fail', async () => {
  const api = await startApi();
  const [closed, other] = [await closedPort(), await startFaultyProxy((socket) => socket.resetAndDestroy())];
  const ips = [`http://user:hunter2-secret@${closed.hostPort}`, other.address];
  const secrets = { ip_based: { shop: {} }, ips };
  const error = await startManager({ secrets })
    .request('shop')
    .send(api.url)
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(AxiosError);
  expect((error as AxiosError).message).toContain(closed.hostPort);
  expect((error as AxiosError).message).toContain(other.hostPort);
  expect(JSON.stringify(error) + String((error as Error).stack)).not.toMatch(/hunter2|user:/);
});
