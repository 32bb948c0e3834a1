import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import type { TestContext } from 'vitest';
import { describe, expect, test, vi } from 'vitest';
import type { SecretsFile } from '../../src/config/secrets-file.js';
import { checkManagerOptions, checkRequestOptions } from '../../src/config/validate-options.js';
import { ConfigError } from '../../src/errors.js';
import { ProxyManager } from '../../src/proxy-manager.js';
import { Request } from '../../src/request.js';
import { startOrigin } from '../servers/origin.js';
import { startProxy } from '../servers/proxy.js';

const SOON = { timeout: 10_000, interval: 20 };

interface Scene {
  readonly path: string;
  readonly dataDir: string;
  readonly url: string;
  readonly manager: ProxyManager;
  /** The keys that came in. */
  readonly keys: string[];
  /** Set: replies are left to the test. */
  hold: ((response: ServerResponse, key: string) => void) | undefined;
}

/** Keys named by their ids, with a limit where one is given. */
function api(ids: readonly string[], more: object = {}): SecretsFile {
  const keys = ids.map((id) => ({ id, key: `secret-of-${id}` }));
  return { key_based: { api: { keys, apply: { headers: { 'x-api-key': '{key}' } }, ...more } } };
}

/** As editors do it. */
function save(path: string, content: SecretsFile | string): void {
  writeFileSync(`${path}.tmp`, typeof content === 'string' ? content : JSON.stringify(content));
  renameSync(`${path}.tmp`, path);
}

async function setUp({ onTestFinished }: TestContext, secrets: SecretsFile): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'proxy-manager-watch-'));
  const path = join(directory, 'secrets.json');
  const dataDir = join(directory, 'state');
  save(path, secrets);
  const keys: string[] = [];
  const origin = await startOrigin((request, response) => {
    const key = String(request.headers['x-api-key']).replace('secret-of-', '');
    keys.push(key);
    if (scene.hold === undefined) response.end('ok');
    else scene.hold(response, key);
  });
  const manager = new ProxyManager({ secrets: path, watch: true, dataDir });
  onTestFinished(async () => {
    await manager.close();
    await origin.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  const scene: Scene = { path, dataDir, url: origin.url, manager, keys, hold: undefined };
  return scene;
}

const idsOf = async (manager: ProxyManager, endpoint?: string): Promise<string[]> =>
  (await manager.usage(endpoint)).map(({ id }) => id);

async function serves(manager: ProxyManager, ids: readonly string[]): Promise<void> {
  await vi.waitFor(async () => expect(await idsOf(manager)).toEqual(ids), SOON);
}

async function change({ path, manager }: Scene, ids: readonly string[], more?: object): Promise<void> {
  save(path, api(ids, more));
  await serves(manager, ids);
}

/** The reply that the origin owes to a request it has. */
async function held(scene: Scene): Promise<ServerResponse> {
  return new Promise((resolve) => {
    scene.hold = (response) => {
      scene.hold = undefined;
      resolve(response);
    };
  });
}

function warnings({ onTestFinished }: TestContext, { path }: Scene): Error[] {
  const seen: Error[] = [];
  const listen = (warning: Error): void => {
    if (warning.name === 'SecretsWarning' && warning.message.includes(path)) seen.push(warning);
  };
  process.on('warning', listen);
  onTestFinished(() => void process.off('warning', listen));
  return seen;
}

// Most of the time goes by between two looks at the file.
describe.concurrent('secrets.json that is watched', () => {
  test('new keys serve, removed ones no more, and counts stay, also of a key that comes back', async (context) => {
    const scene = await setUp(context, api(['a', 'b'], { limit: 10, refresh_rate: 60 }));
    const { manager, keys, url } = scene;
    const req = manager.request('api');
    for (let n = 0; n < 4; n++) await req.send(url);
    expect(keys.splice(0).toSorted()).toEqual(['a', 'a', 'b', 'b']);

    await change(scene, ['b', 'c'], { limit: 10, refresh_rate: 60 });
    for (let n = 0; n < 4; n++) await req.send(url);
    expect(keys.splice(0).toSorted()).toEqual(['b', 'c', 'c', 'c']);

    await change(scene, ['a', 'b', 'c'], { limit: 4, refresh_rate: 60 });
    const used = async (): Promise<unknown> => (await manager.usage('api')).map(({ windows }) => windows[0]?.used);
    expect(await used()).toEqual([2, 3, 3]);
    for (let n = 0; n < 4; n++) await req.send(url);
    expect(await used()).toEqual([4, 4, 4]);
    await expect(req.send(url)).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
  });

  test('new endpoints and proxies serve, and one that is gone is refused', async (context) => {
    const [one, two] = [await startProxy(), await startProxy()];
    context.onTestFinished(async () => {
      await one.close();
      await two.close();
    });
    const scene = await setUp(context, { ...api(['a']), ip_based: { shop: {} }, ips: [one.url] });
    const { manager, path, url } = scene;
    const [first, second] = [manager.request('api'), manager.request('shop')];
    await first.send(url);
    expect((await second.send(url)).exchange.proxy?.id).toBe(new URL(one.url).host);

    save(path, { ip_based: { shop: {}, other: {} }, ips: [two.url] });
    const address = new URL(two.url).host;
    await serves(manager, [address, address]);
    expect((await second.send(url)).exchange.proxy?.id).toBe(address);
    expect((await manager.request('other').send(url)).exchange.proxy?.id).toBe(address);
    await expect(first.send(url)).rejects.toThrow('endpoint: "api" is not in secrets.json; known are "shop", "other"');
    expect(() => manager.request('api')).toThrow(ConfigError);
  });

  test('a lease of a removed key is finished, and what is tried again goes with another key', async (context) => {
    const scene = await setUp(context, api(['a']));
    const req = scene.manager.request('api');
    for (const status of [200, 500]) {
      const asked = held(scene);
      const sending = req.send(scene.url);
      const response = await asked;
      await change(scene, [status === 200 ? 'b' : 'c']);
      response.writeHead(status).end();
      expect((await sending).status).toBe(200);
    }
    expect(scene.keys).toEqual(['a', 'b', 'c']);
  });

  test('what is tried again goes to no host that its new key must not meet, and an endpoint that is gone shows the last reply', async (context) => {
    const scene = await setUp(context, api(['a']));
    const req = scene.manager.request('api');
    const first = held(scene);
    const refused = expect(req.send(scene.url)).rejects.toMatchObject({ code: 'ERR_HOST_NOT_ALLOWED' });
    const response = await first;
    await change(scene, ['b'], { hosts: ['elsewhere.example'] });
    response.writeHead(500).end();
    await refused;
    expect(scene.keys).toEqual(['a']);
    expect((await scene.manager.usage('api'))[0]?.uses).toBe(0);

    await change(scene, ['c']);
    const second = held(scene);
    const failed = expect(req.send(scene.url)).rejects.toMatchObject({ response: { status: 500 } });
    const last = await second;
    save(scene.path, { key_based: { other: { keys: [{ id: 'o', key: 'secret-of-o' }] } } });
    await serves(scene.manager, ['o']);
    last.writeHead(500).end();
    await failed;
  });

  test('those who wait for the pool are served by a new key', async (context) => {
    const scene = await setUp(context, api(['a'], { limit: 1, refresh_rate: 60 }));
    const req = scene.manager.request('api', { wait: true });
    await req.send(scene.url);
    const waiting = [req.send(scene.url), req.send(scene.url)];
    // The first in line has been refused, which whoever does not wait is told.
    await expect(req.send(scene.url, { wait: false })).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
    save(scene.path, api(['b', 'c'], { limit: 1, refresh_rate: 60 }));
    await Promise.all(waiting);
    expect(scene.keys.toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('a kept key that is removed or exchanged is refused until another is taken', async (context) => {
    const scene = await setUp(context, api(['a', 'b']));
    const req = scene.manager.request('api');
    const { id } = await req.getKeyProxy();
    expect(id).toBe('a');
    save(scene.path, { key_based: { api: { keys: [{ id: 'a', key: 'another-value' }] } } });
    await serves(scene.manager, ['a']);
    await expect(req.send(scene.url)).rejects.toThrow(
      'endpoint "api": the key or proxy that is kept is no longer in secrets.json; call getKeyProxy() again',
    );
    expect((await scene.manager.usage('api'))[0]?.uses).toBe(0);
    expect((await req.getKeyProxy()).key).toBe('another-value');
    const [c, a] = [
      { id: 'c', key: 'secret-of-c' },
      { id: 'a', key: 'another-value' },
    ];
    save(scene.path, { key_based: { api: { keys: [c, a], apply: { headers: { 'x-api-key': '{key}' } } } } });
    await serves(scene.manager, ['c', 'a']);
    await req.send(scene.url);
    expect(scene.keys).toEqual(['another-value']);
  });

  test('a session keeps its key while that is there, and begins anew with another one', async (context) => {
    const scene = await setUp(context, api(['a', 'b']));
    const req = scene.manager.request('api', { session: 'ann' });
    await req.send(scene.url);
    await change(scene, ['c', 'b', 'a']);
    await req.send(scene.url);
    await change(scene, ['c']);
    await req.send(scene.url);
    await req.send(scene.url);
    expect(scene.keys).toEqual(['a', 'a', 'c', 'c']);
  });

  test('another pace is in force at once', async (context) => {
    const scene = await setUp(context, api(['a'], { pace: { minTimeMs: 60_000 } }));
    const req = scene.manager.request('api', { timeout: 10_000 });
    await req.send(scene.url);
    await change(scene, ['b'], { pace: { concurrency: 2 } });
    await req.send(scene.url);
    expect(scene.keys).toEqual(['a', 'b']);
  });

  test('a broken edit is told once and without a secret, and what was there before stays in force', async (context) => {
    const scene = await setUp(context, api(['a']));
    const told = warnings(context, scene);
    const req = scene.manager.request('api');
    save(scene.path, { key_based: { api: { limit: -1, keys: ['secret-of-b', 'secret-of-b'] } } });
    await vi.waitFor(() => expect(told).toHaveLength(1), SOON);
    expect(told[0]?.message).toContain(
      `has changed and is not taken, what it said before stays in force. ${scene.path}:\n`,
    );
    expect(told[0]?.message).toContain('key_based.api.limit: expected a positive integer, found -1');
    expect(told[0]?.stack).not.toContain('secret-of');
    await req.send(scene.url);

    save(scene.path, '{ "key_based": { "api": "secret-of-b" ');
    await vi.waitFor(() => expect(told).toHaveLength(2), SOON);
    expect(told[1]?.message).toMatch(/line 1, column \d+: expected/);
    expect(told[1]?.stack).not.toContain('secret-of');
    rmSync(scene.path);
    await vi.waitFor(() => expect(told).toHaveLength(3), SOON);
    expect(told[2]?.message).toContain('no such file');
    await req.send(scene.url);
    await change(scene, ['c']);
    await req.send(scene.url);
    expect(scene.keys).toEqual(['a', 'a', 'c']);
    expect(told).toHaveLength(3);
  });

  test('quick writes end in the last one, and a file that is half written or away for a moment is no mistake', async (context) => {
    const scene = await setUp(context, api(['a']));
    const told = warnings(context, scene);
    // A writer that takes longer than two looks.
    const whole = JSON.stringify(api(Array.from({ length: 30 }, (_, n) => `k${n}`)));
    for (let length = 0; length < whole.length; length += 50) {
      writeFileSync(scene.path, whole.slice(0, length));
      await delay(20);
    }
    writeFileSync(scene.path, whole);
    await vi.waitFor(async () => expect(await idsOf(scene.manager)).toHaveLength(30), SOON);
    rmSync(scene.path);
    writeFileSync(scene.path, '');
    writeFileSync(scene.path, JSON.stringify(api(['b'])));
    await serves(scene.manager, ['b']);
    // In place, of the same length.
    writeFileSync(scene.path, JSON.stringify(api(['c'])));
    await serves(scene.manager, ['c']);
    expect(told).toEqual([]);
  });

  test('close ends the watch', async (context) => {
    const scene = await setUp(context, api(['a']));
    const told = warnings(context, scene);
    const link = `${scene.path}.link`;
    symlinkSync(scene.path, link);
    // Opened later, it looks later.
    const other = new ProxyManager({ secrets: link, watch: true, dataDir: join(scene.dataDir, 'other') });
    context.onTestFinished(() => other.close());
    await scene.manager.close();
    save(scene.path, 'broken');
    await vi.waitFor(() => expect(told.some(({ message }) => message.includes(link))).toBe(true), SOON);
    expect(told).toHaveLength(1);
  });

  test('a Request without a manager watches, too, apart from those that do not', async (context) => {
    const { path, url, dataDir, keys, manager } = await setUp(context, api(['a']));
    await manager.close();
    const options = { endpoint: 'api', secrets: path, dataDir };
    await using watching = new Request({ ...options, watch: true });
    await using still = new Request(options);
    save(path, api(['b']));
    await vi.waitFor(async () => {
      await watching.send(url);
      expect(keys.at(-1)).toBe('b');
    }, SOON);
    await still.send(url);
    expect(keys.at(-1)).toBe('a');
  });
});

test('watch is refused for what has no file', () => {
  const refusal =
    'watch: expected secrets to be a path or a file: URL, found the object itself, which has no file to watch';
  expect(() => checkManagerOptions({ secrets: api(['a']), watch: true })).toThrow(refusal);
  expect(() => checkRequestOptions({ endpoint: 'api', secrets: api(['a']), watch: true })).toThrow(refusal);
  expect(() => checkManagerOptions({ secrets: api(['a']), watch: false })).not.toThrow();
  expect(() => checkManagerOptions({ secrets: new URL('file:///secrets.json'), watch: true })).not.toThrow();
  expect(() => new ProxyManager({ secrets: '{"keys":"topsecret"}', watch: true })).toThrow(/found JSON text/);
  expect(() => new ProxyManager({ secrets: './none.json', watch: true })).toThrow('./none.json: no such file');
});
