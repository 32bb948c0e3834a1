import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ConfigError, Request } from 'proxy-manager';
import { expect, it } from 'vitest';
import { startApi } from './support/api.js';
import { startManager, tempDir, writeSecrets } from './support/workspace.js';

it('fills {key} into url, headers and body, and shows it nowhere in the response', async () => {
  const api = await startApi();
  const manager = startManager({ secrets: { key_based: { test_api: { keys: ['s3cr3t/key+1'] } } } });
  const res = await manager.request('test_api').send(`${api.url}/a/{key}?k={key}`, {
    method: 'POST',
    headers: { authorization: 'Bearer {key}' },
    data: { token: '{key}', list: [1] },
  });
  const [hit] = api.hits;
  expect(hit?.path).toBe('/a/s3cr3t%2Fkey%2B1?k=s3cr3t%2Fkey%2B1');
  expect(hit?.headers.authorization).toBe('Bearer s3cr3t/key+1');
  expect(hit?.headers['content-type']).toBe('application/json');
  expect(JSON.parse(hit?.body ?? '')).toEqual({ token: 's3cr3t/key+1', list: [1] });
  const { data: _data, ...shown } = res;
  expect(JSON.stringify(shown)).not.toMatch(/s3cr3t/);
});

it.each([
  ['a header', { headers: { 'x-api-key': '{key}' } }, 'x-api-key', 'the-key'],
  ['a query parameter', { query: { appid: '{key}' } }, undefined, '/items?a=1&appid=the-key'],
  ['the Authorization header', 'Bearer {key}', 'authorization', 'Bearer the-key'],
])('applies the key as %s where secrets.json says so', async (_how, apply, header, expected) => {
  const api = await startApi();
  const secrets = { key_based: { test_api: { keys: ['the-key'], apply } } };
  await startManager({ secrets }).request('test_api').send(`${api.url}/items?a=1`);
  const [hit] = api.hits;
  expect(header === undefined ? hit?.path : hit?.headers[header]).toBe(expected);
});

it('refuses to send on a keyed endpoint when nothing says where the key goes', async () => {
  const api = await startApi();
  const req = startManager({ secrets: { key_based: { test_api: { keys: ['the-key'] } } } }).request('test_api');
  await expect(req.send(api.url)).rejects.toMatchObject({
    code: 'ERR_CONFIG',
    message: expect.stringMatching(/\{key\}.*apply.*getKeyProxy/s),
  });
  expect(api.hits).toHaveLength(0);
});

it('sends a key to its hosts only', async () => {
  const api = await startApi();
  const secrets = { key_based: { test_api: { keys: ['the-key'], apply: 'Bearer {key}', hosts: ['api.example.com'] } } };
  const req = startManager({ secrets }).request('test_api');
  await expect(req.send(api.url)).rejects.toMatchObject({
    code: 'ERR_HOST_NOT_ALLOWED',
    message: expect.stringContaining('127.0.0.1'),
  });
  expect(api.hits).toHaveLength(0);
});

it('drops the key when a redirect leads to another origin, and counts each hop', async () => {
  const other = await startApi();
  const api = await startApi((hit, res) =>
    res.writeHead(302, { location: hit.path === '/' ? '/second' : `${other.url}/third` }).end(),
  );
  const secrets = { key_based: { test_api: { keys: ['the-key'], apply: { headers: { 'x-api-key': '{key}' } } } } };
  const manager = startManager({ secrets });
  const res = await manager.request('test_api').send(api.url, { headers: { authorization: 'Bearer {key}' } });
  expect(res.data).toEqual({ path: '/third' });
  expect(api.hits.map(({ headers }) => headers['x-api-key'])).toEqual(['the-key', 'the-key']);
  expect(other.hits[0]?.headers).not.toHaveProperty('x-api-key');
  expect(other.hits[0]?.headers).not.toHaveProperty('authorization');
  expect((await manager.usage('test_api'))[0]?.uses).toBe(3);
});

it('lets a redirect drop the body that the key stands in, and sends no key on in an url', async () => {
  const other = await startApi();
  const api = await startApi((hit, res) => {
    const status = hit.method === 'POST' ? 303 : 302;
    res.writeHead(status, { location: hit.path === '/echo' ? `${other.url}/?k=the-long-key` : other.url }).end();
  });
  const req = startManager({ secrets: { key_based: { test_api: { keys: ['the-long-key'] } } } }).request('test_api');
  const dropped = await req.send(api.url, { method: 'POST', data: { token: '{key}' } });
  expect(dropped.data).toEqual({ path: '/' });
  await expect(req.send(`${api.url}/echo`, { headers: { 'x-api-key': '{key}' } })).rejects.toMatchObject({
    code: 'ERR_CONFIG',
    message: expect.not.stringContaining('the-long-key'),
  });
  expect(other.hits).toHaveLength(1);
});

it('rests no key for what another host says after a redirect', async () => {
  const other = await startApi((_hit, res) => res.writeHead(429, { 'retry-after': '600' }).end());
  const api = await startApi((_hit, res) => res.writeHead(302, { location: other.url }).end());
  const secrets = { key_based: { test_api: { keys: ['key-one', 'key-two'], apply: 'Bearer {key}' } } };
  const manager = startManager({ secrets });
  await expect(manager.request('test_api').send(api.url, { retry: { attempts: 2 } })).rejects.toMatchObject({
    response: { status: 429 },
  });
  expect((await manager.usage()).map(({ state }) => state)).toEqual(['ready', 'ready']);
});

it('sends what a caller placed by hand byte for byte, and shows it nowhere', async () => {
  const api = await startApi((_hit, res) => res.writeHead(400).end());
  const manager = startManager({ secrets: { key_based: { test_api: { keys: ['123456:ABC/d+f=='] } } } });
  const req = manager.request('test_api');
  const { key = '' } = await req.getKeyProxy();
  const basic = Buffer.from(`${key}:`).toString('base64');
  const error: unknown = await req
    .send(`${api.url}/bot${key}/getMe?k=${key}`, {
      method: 'POST',
      headers: { 'x-basic': basic, 'content-type': 'application/octet-stream' },
      params: { again: key },
      data: `raw ${key}`,
    })
    .catch((caught: unknown) => caught);
  const [hit] = api.hits;
  expect(hit?.path).toBe(`/bot${key}/getMe?k=${key}&again=123456:ABC%2Fd%2Bf%3D%3D`);
  expect(hit?.headers['x-basic']).toBe(basic);
  expect(hit?.body).toBe(`raw ${key}`);
  const shown = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error);
  expect(decodeURIComponent(shown.replaceAll(/%(?![0-9A-F]{2})/g, ''))).not.toContain('ABC/d+f');
  expect(shown).not.toContain(basic.slice(0, -4));
});

it('shows nothing of the pool in a response or error, also where the Request was made with all of it', async () => {
  const api = await startApi((hit, res) => res.writeHead(hit.path === '/good' ? 200 : 500).end());
  const req = new Request({
    endpoint: 'test_api',
    secrets: { key_based: { test_api: { keys: ['used-secret-key', 'other-secret-key'], apply: 'Bearer {key}' } } },
    dataDir: join(tempDir(), 'state'),
    fingerprintKey: 'fingerprint-secret',
    retry: { attempts: 1 },
  });
  const good = await req.send(`${api.url}/good`, { httpAgent: new Agent({ keepAlive: true }) });
  const bad: unknown = await req.send(api.url, { httpAgent: new Agent() }).catch((error: unknown) => error);
  await req.close();
  for (const shown of [inspect([good, bad], { depth: 20, showHidden: true }), JSON.stringify([good, bad])]) {
    expect(shown).not.toMatch(/secret/);
  }
});

it('refuses a secretType that the endpoint does not have, instead of sending without', () => {
  const secrets = { key_based: { test_api: { keys: ['a'] } }, ip_based: { shop: {} }, ips: ['127.0.0.1:1'] };
  const manager = startManager({ secrets });
  expect(() => manager.request('shop', { secretType: 'key' })).toThrow(/"shop" stands in ip_based only/);
  expect(() => manager.request('test_api', { secretType: 'ip' })).toThrow(/"test_api" stands in key_based only/);
});

it('refuses a key in the host', async () => {
  const req = startManager({ secrets: { key_based: { test_api: { keys: ['a'] } } } }).request('test_api');
  await expect(req.send('http://{key}.example.com')).rejects.toMatchObject({ code: 'ERR_CONFIG' });
});

it('takes keys from the environment', async () => {
  const api = await startApi();
  process.env['PROXY_MANAGER_TEST_KEY'] = 'from-env';
  const secrets = { key_based: { test_api: { keys: ['env:PROXY_MANAGER_TEST_KEY'], apply: 'Bearer {key}' } } };
  await startManager({ secrets }).request('test_api').send(api.url);
  delete process.env['PROXY_MANAGER_TEST_KEY'];
  expect(api.hits[0]?.headers.authorization).toBe('Bearer from-env');
});

it('works from the plain secrets.json as it stands, with one manager for Requests of equal settings', async () => {
  const api = await startApi();
  const dir = tempDir();
  const secrets = writeSecrets(dir, {
    key_based: { test_api: { limit: 250, refresh_rate: 1440, keys: ['qwerty', 'abcde'] } },
    ip_based: { test_proxy: { limit: 500, refresh_rate: 1440 } },
    ips: ['45.33.99.194:8888', 'http://user:pass@proxy.example.com:8080', 'socks5://127.0.0.1:1080'],
  });
  const settings = { endpoint: 'test_api', secrets, dataDir: join(dir, 'state') };
  const [one, two] = [new Request(settings), new Request(settings)];
  const placed = { headers: { 'x-api-key': '{key}' } };
  await one.send(api.url, placed);
  await one.close();
  await two.send(api.url, placed);
  await two.close();
  expect(api.countBy('x-api-key')).toEqual(
    new Map([
      ['qwerty', 1],
      ['abcde', 1],
    ]),
  );
  expect(readFileSync(join(dir, 'state', '.gitignore'), 'utf8').trim()).toBe('*');
});

it('names every mistake of a wrong secrets.json at once, and the known endpoints for an unknown one', () => {
  const secrets = { key_based: { weather: { limit: '60', refresh_rate: 1, keys: ['a', 5] } }, ips: 'none' };
  let mistake: unknown;
  try {
    void new Request({ endpoint: 'weather', secrets: secrets as never });
  } catch (error) {
    mistake = error;
  }
  expect(mistake).toBeInstanceOf(ConfigError);
  expect((mistake as ConfigError).problems).toHaveLength(3);
  expect((mistake as ConfigError).message).toContain(
    'key_based.weather.limit: expected a positive integer, found "60"',
  );

  expect(() => new Request({ endpoint: 'wether', secrets: { key_based: { weather: { keys: ['a'] } } } })).toThrow(
    /weather/,
  );
});
