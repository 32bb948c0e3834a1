import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { PoolExhaustedError, ProxyManager, Request } from 'proxy-manager';
import { expect, it } from 'vitest';
import { startApi } from './support/api.js';
import { startManager, tempDir, writeSecrets } from './support/workspace.js';

const keys = ['key-one', 'key-two', 'key-three', 'key-four'];
const placed = { headers: { 'x-api-key': '{key}' } };

it('spends each key by least use, then least recent use, and refuses when all are used up', async () => {
  const api = await startApi();
  const manager = startManager({ secrets: { key_based: { test_api: { limit: 2, refresh_rate: 60, keys } } } });
  const req = manager.request('test_api');
  for (let i = 0; i < 8; i++) await req.send(api.url, placed);
  expect(api.hits.map(({ headers }) => headers['x-api-key'])).toEqual([...keys, ...keys]);

  const before = Date.now();
  const refusal = await req.send(api.url, placed).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(PoolExhaustedError);
  expect(refusal).toMatchObject({ code: 'ERR_POOL_EXHAUSTED', endpoint: 'test_api' });
  const { retryAt, message } = refusal as PoolExhaustedError;
  expect(retryAt.getTime()).toBeGreaterThan(before + 59 * 60_000);
  expect(retryAt.getTime()).toBeLessThanOrEqual(Date.now() + 60 * 60_000);
  expect(message).toContain(retryAt.toISOString());
  expect(api.hits).toHaveLength(8);

  const usage = await manager.usage('test_api');
  expect(usage.map(({ state, uses, windows }) => [state, uses, windows[0]?.used, windows[0]?.limit])).toEqual(
    keys.map(() => ['resting', 2, 2, 2]),
  );
});

it('opens a new window refresh_rate minutes after the first use', async () => {
  const api = await startApi();
  let nowMs = Date.now();
  const secrets = { key_based: { test_api: { limit: 1, refresh_rate: 1440, keys: ['only'] } } };
  const manager = startManager({ secrets, clock: { now: () => nowMs } });
  const req = manager.request('test_api');
  await req.send(api.url, placed);
  nowMs += 1440 * 60_000 - 1;
  await expect(req.send(api.url, placed)).rejects.toMatchObject({
    code: 'ERR_POOL_EXHAUSTED',
    retryAt: new Date(nowMs + 1),
  });
  nowMs += 1;
  await req.send(api.url, placed);
  expect(api.hits).toHaveLength(2);
});

it('holds several limits at once, for a key of its own and for an account that keys share', async () => {
  const api = await startApi();
  let nowMs = Date.UTC(2026, 5, 10, 23, 59, 30);
  const weather = {
    limits: [
      { uses: 2, within: '10s' },
      { uses: 5, per: 'day', timezone: 'Europe/Berlin' },
    ],
    keys: [
      { id: 'alone', key: 'key-one' },
      { id: 'team-1', key: 'key-two', account: 'team' },
      { id: 'team-2', key: 'key-three', account: 'team', limits: [{ uses: 1, every: '1h' }] },
    ],
  } as const;
  const manager = startManager({ secrets: { key_based: { weather } }, clock: { now: () => nowMs } });
  const req = manager.request('weather');
  const send = async (): Promise<string | undefined> =>
    req.send(api.url, placed).then(
      (res) => res.exchange.credential?.id,
      (error: unknown) => (error instanceof PoolExhaustedError ? error.retryAt.toISOString() : String(error)),
    );
  const sent = async (times: number): Promise<unknown[]> => {
    const ids = [];
    for (let n = 0; n < times; n++) ids.push(await send());
    return ids;
  };
  expect(await sent(5)).toEqual(['alone', 'team-1', 'alone', 'team-2', '2026-06-10T23:59:40.000Z']);
  nowMs += 5_000;
  expect(await sent(1)).toEqual(['2026-06-10T23:59:40.000Z']);
  nowMs += 5_000;
  expect(await sent(5)).toEqual(['alone', 'team-1', 'alone', 'team-1', '2026-06-10T23:59:50.000Z']);
  nowMs += 10_000;
  // The team's day in Berlin is used up but for one, and so is that of the key without an account.
  expect(await sent(3)).toEqual(['alone', 'team-1', '2026-06-11T22:00:00.000Z']);
  const shown = (await manager.usage('weather')).map(({ id, state, restingUntil, windows }) => [
    id,
    state,
    restingUntil?.toISOString(),
    windows.map(({ limit, used, resetsAt }) => [limit, used, resetsAt?.toISOString()]),
  ]);
  const [sliding, day] = [
    [2, 1, '2026-06-11T00:00:00.000Z'],
    [5, 5, '2026-06-11T22:00:00.000Z'],
  ];
  expect(shown).toEqual([
    ['alone', 'resting', day?.[2], [sliding, day]],
    ['team-1', 'resting', day?.[2], [sliding, day]],
    ['team-2', 'resting', day?.[2], [[1, 1, '2026-06-11T00:59:30.000Z'], sliding, day]],
  ]);
});

it('counts a call at its cost', async () => {
  const api = await startApi();
  const req = startManager({
    secrets: { key_based: { test_api: { limit: 5, refresh_rate: 60, keys: ['only'] } } },
  }).request('test_api');
  await req.send(api.url, { ...placed, cost: 4 });
  await expect(req.send(api.url, { ...placed, cost: 2 })).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
  await req.send(api.url, placed);
  expect(api.hits).toHaveLength(2);
});

it('waits for the pool when asked to', async () => {
  const api = await startApi();
  const secrets = { key_based: { test_api: { limit: 1, refresh_rate: 0.005, keys: ['only'] } } };
  const req = startManager({ secrets }).request('test_api');
  await req.send(api.url, placed);
  const waited = await req.send(api.url, { ...placed, wait: true });
  expect(waited.exchange.waitedMs).toBeGreaterThan(0);
  await expect(req.send(api.url, { ...placed, wait: 1 })).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
});

it('keeps counts when the process ends, in the data directory', async () => {
  const api = await startApi();
  const dir = tempDir();
  const options = {
    secrets: writeSecrets(dir, { key_based: { test_api: { limit: 3, refresh_rate: 60, keys: ['only'] } } }),
    dataDir: join(dir, 'state'),
  };
  for (const sends of [2, 1]) {
    const manager = new ProxyManager(options);
    for (let i = 0; i < sends; i++) await manager.request('test_api').send(api.url, placed);
    await manager.close();
  }
  const third = startManager(options);
  await expect(third.request('test_api').send(api.url, placed)).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
  expect(api.hits).toHaveLength(3);
});

it('is exact for several processes: two of them send 200 times each over four keys of limit 50', async () => {
  const api = await startApi();
  const dir = tempDir();
  const secrets = writeSecrets(dir, { key_based: { test_api: { limit: 50, refresh_rate: 60, keys } } });
  const worker = fileURLToPath(new URL('support/sender.mjs', import.meta.url));
  const settings = JSON.stringify({ secrets, dataDir: join(dir, 'state'), url: api.url, sends: 200 });
  const results = await Promise.all(
    [1, 2].map(async () => {
      const child = fork(worker, [settings]);
      const [tally] = (await once(child, 'message')) as [{ ok: number; exhausted: number; other: string[] }];
      await once(child, 'exit');
      return tally;
    }),
  );
  expect(results.flatMap(({ other }) => other)).toEqual([]);
  expect(api.countBy('x-api-key')).toEqual(new Map(keys.map((key) => [key, 50])));
  expect(results.reduce((sum, { ok }) => sum + ok, 0)).toBe(200);
  expect(results.reduce((sum, { exhausted }) => sum + exhausted, 0)).toBe(200);
});

it('gives two Requests different credentials, and each keeps its own until asked again', async () => {
  const api = await startApi();
  const dir = tempDir();
  const settings = {
    endpoint: 'test_api',
    secrets: { key_based: { test_api: { limit: 10, refresh_rate: 60, keys: keys.slice(0, 2) } } },
    dataDir: join(dir, 'state'),
  };
  const [one, two] = [new Request(settings), new Request(settings)];
  const [first, second] = [await one.getKeyProxy(), await two.getKeyProxy()];
  expect(new Set([first.key, second.key])).toEqual(new Set(keys.slice(0, 2)));
  expect(JSON.stringify(first)).not.toContain(String(first.key));
  for (let i = 0; i < 3; i++) {
    const res = await one.send(api.url, { headers: { 'x-api-key': String(first.key) } });
    expect(res.exchange.credential?.id).toBe(first.id);
  }
  expect(api.countBy('x-api-key')).toEqual(new Map([[String(first.key), 3]]));

  const again = await one.getKeyProxy();
  expect(again.id).toBe(second.id);
  await one.close();
  // `two` never spent its use, and gives it back; `one` sent three times, and its second pin went unspent.
  await two.close();
  const manager = startManager({ secrets: settings.secrets, dataDir: settings.dataDir });
  const uses = new Map((await manager.usage()).map(({ id, uses: count }) => [id, count]));
  expect(uses).toEqual(
    new Map([
      [first.id, 3],
      [second.id, 0],
    ]),
  );
});

it('refuses a pinned identity that is spent instead of changing it', async () => {
  const api = await startApi();
  const secrets = { key_based: { test_api: { limit: 1, refresh_rate: 60, keys: keys.slice(0, 2) } } };
  const req = startManager({ secrets }).request('test_api');
  await req.getKeyProxy();
  await req.send(api.url, placed);
  await expect(req.send(api.url, placed)).rejects.toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
  expect(api.hits).toHaveLength(1);
});
