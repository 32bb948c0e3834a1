import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { PoolExhaustedError } from 'proxy-manager';
import { ProxyManager } from 'proxy-manager';
import { describe, expect, it, onTestFinished } from 'vitest';
import { redisUrl } from '../services/urls.js';
import { startApi } from './support/api.js';
import type { Answer } from './support/api.js';
import { closedPort, startFaultyProxy, startProxy } from './support/proxy.js';
import { startManager, tempDir } from './support/workspace.js';

const apply = { headers: { 'x-api-key': '{key}' } };
const twoKeys = {
  key_based: {
    test_api: {
      keys: [
        { id: 'one', key: 'key-one' },
        { id: 'two', key: 'key-two' },
      ],
      apply,
    },
  },
};

/** Answers each key in its own way; others are fine. */
const perKey =
  (answers: Readonly<Record<string, Answer>>): Answer =>
  (hit, res, req) => {
    const answer = answers[String(hit.headers['x-api-key'])];
    if (answer === undefined) res.end('fine');
    else answer(hit, res, req);
  };

const states = async (manager: ProxyManager): Promise<(string | undefined)[][]> =>
  (await manager.usage()).map(({ id, state, because }) => [id, state, because]);

describe('a key that is', () => {
  it('used up (402, or a limit at 0) rests until its window opens, and another one serves', async () => {
    const resetS = Math.ceil(Date.now() / 1000) + 7200;
    const api = await startApi(
      perKey({
        'key-one': (_hit, res) =>
          res.writeHead(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(resetS) }).end(),
      }),
    );
    const manager = startManager({ secrets: twoKeys });
    const res = await manager.request('test_api').send(api.url);
    expect(res.exchange).toMatchObject({ attempts: 2, credential: { id: 'two' } });
    const [one] = await manager.usage();
    expect(one).toMatchObject({
      state: 'resting',
      because: 'spent (status 403)',
      restingUntil: new Date(resetS * 1000),
    });
  });

  it('refused is left for another one, and dead after three times in a row', async () => {
    const api = await startApi(perKey({ 'key-one': (_hit, res) => res.writeHead(401).end() }));
    const manager = startManager({ secrets: twoKeys });
    const req = manager.request('test_api');
    for (let i = 0; i < 12; i++) expect((await req.send(api.url)).exchange.credential?.id).toBe('two');
    expect(api.countBy('x-api-key').get('key-one')).toBe(3);
    expect(await states(manager)).toEqual([
      ['one', 'dead', 'dead: refused (status 401) while other keys were accepted'],
      ['two', 'ready', undefined],
    ]);
  });

  it('refused like all others, for a wrong header, costs one use of each and empties no pool', async () => {
    const api = await startApi((_hit, res) => res.writeHead(401).end());
    const manager = startManager({ secrets: twoKeys });
    for (let i = 0; i < 5; i++) {
      await expect(manager.request('test_api').send(api.url)).rejects.toMatchObject({ response: { status: 401 } });
    }
    expect(api.hits).toHaveLength(10);
    expect((await states(manager)).map(([, state]) => state)).toEqual(['ready', 'ready']);
  });
});

describe('a host that blocks', () => {
  it('a proxy (403) is reached through another one, and the first serves other hosts', async () => {
    const proxies = [await startProxy(), await startProxy()];
    const [shop, other] = [await startApi((_hit, res) => res.writeHead(403).end()), await startApi()];
    const manager = startManager({ secrets: { ip_based: { shop: {} }, ips: proxies.map(({ address }) => address) } });
    const req = manager.request('shop', { retry: { attempts: 5 } });
    await expect(req.send(shop.url)).rejects.toMatchObject({ response: { status: 403 } });
    expect(proxies.map((proxy) => proxy.uses())).toEqual([1, 1]);
    const error = (await req.send(shop.url).catch((caught: unknown) => caught)) as PoolExhaustedError;
    expect(error.code).toBe('ERR_POOL_EXHAUSTED');
    const lines = error.message.split('\n').slice(1);
    expect(lines).toHaveLength(2);
    for (const [index, { hostPort }] of proxies.entries()) {
      expect(lines[index]).toMatch(
        `  proxy ${hostPort}: blocked (status 403) for host ${new URL(shop.url).host}, until ${error.credentials[index]?.until?.toISOString()}`,
      );
    }
    for (let i = 0; i < 2; i++) expect((await req.send(other.url)).status).toBe(200);
    expect(proxies.map((proxy) => proxy.uses())).toEqual([2, 2]);
  });

  it('is known to the next process, and is not cached', async () => {
    const proxies = [await startProxy(), await startProxy()];
    let walls = 1;
    const api = await startApi((_hit, res) => {
      res.setHeader('content-type', 'text/html');
      res.end(walls-- > 0 ? '<html><title>Just a moment...</title></html>' : '<p>the page</p>');
    });
    const settings = {
      secrets: { ip_based: { shop: {} }, ips: proxies.map(({ address }) => address) },
      dataDir: tempDir(),
    };
    const first = new ProxyManager(settings);
    const res = await first.request('shop', { cache: true }).send(api.url);
    expect(res.data).toBe('<p>the page</p>');
    await first.close();
    const second = new ProxyManager(settings);
    onTestFinished(() => second.close());
    for (let i = 0; i < 3; i++) await second.request('shop').send(`${api.url}/${i}`);
    expect(proxies.map((proxy) => proxy.uses())).toEqual([1, 4]);
  });
});

describe('a proxy that fails', () => {
  it('for a plain http url says so in its own name, and the site is not to blame', async () => {
    const [dead, alive] = [await closedPort(), await startApi()];
    const proxies = [await startProxy(), await startProxy()];
    const manager = startManager({ secrets: { ip_based: { shop: {} }, ips: proxies.map(({ address }) => address) } });
    const req = manager.request('shop');
    const error: unknown = await req.send(`http://${dead.hostPort}/`).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ response: { status: 594, exchange: { attempts: 2 } } });
    await expect(req.send(`http://${dead.hostPort}/`)).rejects.toMatchObject({
      code: 'ERR_POOL_EXHAUSTED',
      message: expect.stringContaining('not reached (proxy-chain status 594)'),
    });
    for (let i = 0; i < 4; i++) expect((await req.send(alive.url)).status).toBe(200);
    expect((await states(manager)).map(([, state]) => state)).toEqual(['ready', 'ready']);
  });

  it('with the pages of squid and tinyproxy, or Proxy-Status, rests for this host alone', async () => {
    const heads = [
      'HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_CONNECT_FAIL 111',
      'HTTP/1.0 500 Unable to connect\r\nServer: tinyproxy/1.11.1',
      'HTTP/1.1 502 Bad Gateway\r\nProxy-Status: our-proxy; error=destination_unavailable',
    ];
    const good = await startProxy();
    const bad = await Promise.all(
      heads.map((head) =>
        startFaultyProxy((socket) => {
          socket.once('data', () => socket.end(`${head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`));
        }),
      ),
    );
    const api = await startApi();
    const ips = [...bad, good].map(({ address }) => address);
    const req = startManager({ secrets: { ip_based: { shop: {} }, ips } }).request('shop', { retry: { attempts: 4 } });
    for (let i = 0; i < 4; i++) expect((await req.send(api.url)).exchange.proxy?.id).toBe(good.hostPort);
    expect(bad.map((proxy) => proxy.uses())).toEqual([1, 1, 1]);
  });
});

it('brings a dead proxy back when a probe has reached it, in a later process too', async () => {
  const api = await startApi();
  const closed = await closedPort();
  const settings = { secrets: { ip_based: { shop: {} }, ips: [closed.address] }, dataDir: tempDir() };
  const after = (minutes: number): ProxyManager => {
    const clock = { now: (): number => Date.now() + minutes * 60_000 };
    const manager = new ProxyManager({ ...settings, clock });
    onTestFinished(() => manager.close());
    return manager;
  };
  const send = (manager: ProxyManager): Promise<string> =>
    manager
      .request('shop', { retry: { attempts: 1 } })
      .send(api.url)
      .then(
        () => 'fine',
        (error: unknown) => (error as Error).message.split('\n  ').at(-1) ?? '',
      );

  const first = after(0);
  expect(await send(first)).toContain('ECONNREFUSED');
  expect(await send(first)).toContain('proxy-dead (ECONNREFUSED), a probe brings it back');
  await first.close();

  // Its rest is over, and nobody has brought it back: a probe finds it as it was, and it rests for longer.
  const second = after(1.1);
  await expect.poll(() => send(second)).toContain('proxy-dead (no answer to a probe)');
  expect((await second.usage())[0]?.restingUntil?.getTime()).toBeGreaterThan(Date.now() + 10 * 60_000);
  await second.close();

  const proxy = await startProxy(undefined, Number(closed.hostPort.split(':')[1]));
  const third = after(12);
  await expect.poll(() => send(third), { timeout: 5_000 }).toBe('fine');
  // A tunnel of the probe to where it had failed is not known in this process: it was only reached.
  expect(proxy.uses()).toBe(1);
});

it('shares rests through Redis', async () => {
  const proxies = [await startProxy(), await startProxy()];
  const [blocking, other] = [await startApi((_hit, res) => res.writeHead(403).end()), await startApi()];
  const name = `shop-${randomUUID()}`;
  const settings = {
    secrets: { ip_based: { [name]: {} }, ips: proxies.map(({ address }) => address) },
    redis: redisUrl(),
  };
  const [one, two] = [startManager(settings), startManager(settings)];
  // The other one has looked at the books already.
  await two.request(name).send(other.url);
  await expect(one.request(name).send(blocking.url)).rejects.toMatchObject({ response: { status: 403 } });
  await expect
    .poll(
      () =>
        two
          .request(name)
          .send(blocking.url)
          .catch((error: unknown) => error),
      { timeout: 5_000 },
    )
    .toMatchObject({ code: 'ERR_POOL_EXHAUSTED', message: expect.stringContaining('blocked (status 403) for host') });
  expect((await two.request(name).send(other.url)).status).toBe(200);
});

describe('outcomes of secrets.json', () => {
  it('decide by status, header, body and size, before the cache', async () => {
    const api = await startApi(
      perKey({
        'key-one': (_hit, res) => res.end('please solve the CAPTCHA'),
        'key-two': (_hit, res) => res.end('data'),
      }),
    );
    const { keys } = twoKeys.key_based.test_api;
    const outcomes = [{ status: 200, body: 'captcha', size: { maxBytes: 100 }, verdict: 'throttled' as const }];
    const manager = startManager({ secrets: { key_based: { test_api: { keys, apply, outcomes } } } });
    const req = manager.request('test_api', { cache: true });
    expect((await req.send(api.url)).data).toBe('data');
    await expect.poll(async () => (await req.send(api.url)).exchange.cache).toBe('hit');
    expect((await manager.usage())[0]).toMatchObject({
      state: 'resting',
      because: 'throttled (outcomes[0], status 200)',
    });
  });

  it('are overruled by an outcome function, which may read the body', async () => {
    const retryAt = new Date(Date.now() + 5 * 3_600_000);
    const api = await startApi(
      perKey({ 'key-one': (_hit, res) => res.end(JSON.stringify({ ok: false, resets: retryAt })) }),
    );
    const seen: unknown[] = [];
    const manager = startManager({
      secrets: twoKeys,
      outcome: ({ credential, attempt, url }, reply) => {
        seen.push([credential?.id, attempt, url, reply.status, reply.verdict]);
        if (!reply.text().includes('"ok":false')) return undefined;
        return { verdict: 'spent', retryAt: new Date((JSON.parse(reply.text()) as { resets: string }).resets) };
      },
    });
    expect((await manager.request('test_api').send(`${api.url}/?k={key}`)).data).toBe('fine');
    expect(seen).toEqual([
      ['one', 1, `${api.url}/?k={key}`, 200, 'good'],
      ['two', 2, `${api.url}/?k={key}`, 200, 'good'],
    ]);
    expect((await manager.usage())[0]).toMatchObject({ restingUntil: retryAt, because: 'spent (outcome())' });
  });

  it('an answer that is no verdict is an error, and so is one that throws', async () => {
    const api = await startApi();
    const req = startManager({ secrets: twoKeys }).request('test_api');
    await expect(req.send(api.url, { outcome: () => 'bad' as never })).rejects.toMatchObject({ code: 'ERR_CONFIG' });
    const fault = new Error('mine');
    const failing = (): never => {
      throw fault;
    };
    await expect(req.send(api.url, { outcome: failing })).rejects.toBe(fault);
  });
});

describe('what is not idempotent', () => {
  const throttling = (headers: Record<string, string>, status = 429): Promise<Awaited<ReturnType<typeof startApi>>> =>
    startApi(perKey({ 'key-one': (_hit, res) => res.writeHead(status, headers).end() }));
  const post = { method: 'POST', data: { a: 1 } };

  it('is sent again where it surely was not carried out: 429 or 503 with Retry-After', async () => {
    for (const status of [429, 503]) {
      const api = await throttling({ 'retry-after': '60' }, status);
      const res = await startManager({ secrets: twoKeys }).request('test_api').send(api.url, post);
      expect(res.exchange).toMatchObject({ attempts: 2, notRepeated: undefined });
    }
  });

  it('is not sent again where it may have been, and says why', async () => {
    const api = await throttling({}, 500);
    const sending = startManager({ secrets: twoKeys }).request('test_api').send(api.url, post);
    await expect(sending).rejects.toMatchObject({
      response: {
        status: 500,
        exchange: { attempts: 1, notRepeated: expect.stringContaining('POST is not idempotent') },
      },
    });
  });

  it('is sent again under the same Idempotency-Key', async () => {
    const api = await throttling({}, 500);
    const headers = { 'Idempotency-Key': 'order-1' };
    await startManager({ secrets: twoKeys })
      .request('test_api')
      .send(api.url, { ...post, headers });
    expect(api.hits.map((hit) => [hit.headers['x-api-key'], hit.headers['idempotency-key']])).toEqual([
      ['key-one', 'order-1'],
      ['key-two', 'order-1'],
    ]);
  });

  it('a streamed body is sent once, and says so, also in a fault of the network', async () => {
    const api = await throttling({ 'retry-after': '60' });
    const stream = (): Readable => Readable.from(['a', 'b']);
    const req = startManager({ secrets: twoKeys }).request('test_api');
    await expect(req.send(api.url, { method: 'PUT', data: stream() })).rejects.toMatchObject({
      response: { exchange: { attempts: 1, notRepeated: expect.stringContaining('stream') } },
    });
    const dead = await closedPort();
    const fault = req.send(`http://${dead.hostPort}`, { method: 'PUT', data: stream() });
    await expect(fault).rejects.toThrow(/ECONNREFUSED.*not repeated: its body is a stream/);
  });
});

it('waits for the pool in order of arrival, and stops waiting when aborted', async () => {
  const api = await startApi();
  const secrets = { key_based: { test_api: { limit: 1, refresh_rate: 1 / 120, keys: ['a'], apply } } };
  const req = startManager({ secrets }).request('test_api');
  await req.send(`${api.url}/0`);
  const controller = new AbortController();
  const sends = [1, 2, 3].map((n) =>
    req.send(`${api.url}/${n}`, { wait: 10_000, ...(n === 2 ? { signal: controller.signal } : {}) }),
  );
  const aborted = expect(sends[1]).rejects.toMatchObject({ code: 'ERR_CANCELED' });
  controller.abort();
  await Promise.all([sends[0], aborted, sends[2]]);
  expect(api.hits.map(({ path }) => path)).toEqual(['/0', '/1', '/3']);
});

it('gives the last reply of a host that fails, also where a further attempt leaves it alone', async () => {
  const api = await startApi((_hit, res) => res.writeHead(500).end());
  const req = startManager({ secrets: twoKeys }).request('test_api', { retry: { attempts: 1 } });
  for (let i = 0; i < 9; i++) await req.send(api.url).catch(() => {});
  const error: unknown = await req.send(api.url, { retry: { attempts: 3 } }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ response: { status: 500, exchange: { attempts: 1 } } });
  expect(api.hits).toHaveLength(10);
});

it('leaves a host alone that is down, and finds out by itself when it is back', async () => {
  const dead = await closedPort();
  const req = startManager({ secrets: twoKeys }).request('test_api', { retry: { attempts: 1 } });
  const send = (): Promise<string> =>
    req.send(`http://${dead.hostPort}/`).then(
      () => 'fine',
      (error: unknown) => String((error as { code?: string }).code),
    );
  for (let i = 0; i < 10; i++) expect(await send()).toBe('ECONNREFUSED');
  expect(await send()).toBe('ERR_HOST_DOWN');
  await expect.poll(send, { timeout: 5_000, interval: 100 }).toBe('ECONNREFUSED');
  expect(await send()).toBe('ERR_HOST_DOWN');
});

describe('limits that the provider tells', () => {
  const limited = { key_based: { test_api: { ...twoKeys.key_based.test_api, limit: 10, refresh_rate: 60 } } };
  const tells =
    (headers: Record<string, string>): Answer =>
    (_hit, res) =>
      res.writeHead(200, headers).end();

  const NOW_S = Math.floor(Date.now() / 1_000);
  it.each([
    { ratelimit: '"default";r=2;t=1800', 'ratelimit-policy': '"default";q=10;w=3600' },
    { ratelimit: 'limit=10, remaining=2, reset=1800' },
    { 'ratelimit-limit': '10', 'ratelimit-remaining': '2', 'ratelimit-reset': '1800' },
    { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '2', 'x-ratelimit-reset': '1800' },
    { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '2', 'x-ratelimit-reset': `${NOW_S + 1_800}` },
    { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '2', 'x-ratelimit-reset': `${NOW_S + 1_800}000` },
  ])('count what others have used of a key: %o', async (headers) => {
    const api = await startApi(perKey({ 'key-one': tells(headers) }));
    const manager = startManager({ secrets: limited });
    const req = manager.request('test_api');
    expect((await req.send(api.url)).exchange.credential?.id).toBe('one');
    const [one, two] = await manager.usage();
    expect([one?.windows[0]?.used, two?.windows[0]?.used]).toEqual([8, 0]);
    for (let i = 0; i < 7; i++) expect((await req.send(api.url)).exchange.credential?.id).toBe('two');
  });

  it('let a throttled key rest as long as Retry-After says, in seconds and as a date', async () => {
    const untilMs = (NOW_S + 1_800) * 1_000;
    const throttled =
      (retryAfter: string): Answer =>
      (_hit, res) =>
        res.writeHead(429, { 'retry-after': retryAfter }).end();
    const api = await startApi(
      perKey({ 'key-one': throttled('600'), 'key-two': throttled(new Date(untilMs).toUTCString()) }),
    );
    const manager = startManager({ secrets: twoKeys });
    const beforeMs = Date.now();
    await manager.request('test_api', { validateStatus: () => true }).send(api.url);
    const [one, two] = (await manager.usage()).map(({ restingUntil }) => restingUntil?.getTime() ?? 0);
    expect(one).toBeGreaterThanOrEqual(beforeMs + 600_000);
    expect(one).toBeLessThanOrEqual(Date.now() + 600_000);
    expect(two).toBe(untilMs);
  });

  it('let a key rest that has nothing left, though its reply was good and it has no limit of ours', async () => {
    const resetS = Math.floor(Date.now() / 1000) + 600;
    const api = await startApi(
      perKey({ 'key-one': tells({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(resetS) }) }),
    );
    const manager = startManager({ secrets: twoKeys });
    const req = manager.request('test_api');
    expect((await req.send(api.url)).exchange).toMatchObject({ attempts: 1, credential: { id: 'one' } });
    for (let i = 0; i < 3; i++) expect((await req.send(api.url)).exchange.credential?.id).toBe('two');
    expect((await manager.usage())[0]).toMatchObject({ state: 'resting', restingUntil: new Date(resetS * 1000) });
  });

  it('stand in the body too, for who can read it', async () => {
    const api = await startApi(perKey({ 'key-one': (_hit, res) => res.end('{"left":1}') }));
    const manager = startManager({
      secrets: limited,
      outcome: (_exchange, reply) =>
        reply.text() === '{"left":1}' ? { remaining: (JSON.parse(reply.text()) as { left: number }).left } : undefined,
    });
    await manager.request('test_api').send(api.url);
    expect((await manager.usage())[0]?.windows[0]?.used).toBe(9);
  });
});
