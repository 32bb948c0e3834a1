import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import axios, { AxiosError } from 'axios';
import { expect, it } from 'vitest';
import { listen, startApi } from './support/api.js';
import { startManager } from './support/workspace.js';

const secrets = {
  key_based: {
    test_api: {
      limit: 100,
      refresh_rate: 60,
      keys: ['key-one', 'key-two'],
      apply: { headers: { 'x-api-key': '{key}' } },
    },
  },
};

it('repeats a 429 with another key, and lets the throttled one rest as long as Retry-After says', async () => {
  const api = await startApi((hit, res) => {
    if (hit.headers['x-api-key'] === 'key-one') res.writeHead(429, { 'retry-after': '120' });
    res.end('{}');
  });
  const manager = startManager({ secrets });
  const req = manager.request('test_api');
  const res = await req.send(api.url);
  expect(res.exchange).toMatchObject({ attempts: 2 });
  for (let i = 0; i < 3; i++) await req.send(api.url);
  expect(api.countBy('x-api-key').get('key-one')).toBe(1);
  const [first] = await manager.usage('test_api');
  expect(first).toMatchObject({ state: 'resting' });
  expect(first?.restingUntil?.getTime()).toBeGreaterThan(Date.now() + 110_000);
});

it('repeats a 5xx with another key, and gives the last reply as an AxiosError when all attempts fail', async () => {
  const api = await startApi((_hit, res) => res.writeHead(503).end('busy'));
  const error = await startManager({ secrets })
    .request('test_api')
    .send(api.url)
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(AxiosError);
  expect(error).toMatchObject({ code: 'ERR_BAD_RESPONSE', response: { status: 503, data: 'busy' } });
  expect(api.hits.map(({ headers }) => headers['x-api-key'])).toEqual(['key-one', 'key-two', expect.any(String)]);
});

it('sends a POST once, unless told that it may be repeated', async () => {
  const api = await startApi((_hit, res) => res.writeHead(500).end());
  const req = startManager({ secrets }).request('test_api');
  await expect(req.send(api.url, { method: 'POST', data: { a: 1 } })).rejects.toMatchObject({
    response: { status: 500 },
  });
  expect(api.hits).toHaveLength(1);
  await expect(req.send(api.url, { method: 'POST', data: { a: 1 }, retry: { unsafe: true } })).rejects.toBeInstanceOf(
    AxiosError,
  );
  expect(api.hits).toHaveLength(4);
});

it('repeats a reset connection', async () => {
  let resets = 0;
  const api = await startApi((_hit, res, req) => {
    if (resets++ === 0) req.socket.resetAndDestroy();
    else res.end('{}');
  });
  expect((await startManager({ secrets }).request('test_api').send(api.url)).exchange.attempts).toBe(2);
});

it('gives up at the deadline over all attempts', async () => {
  const api = await startApi(() => {});
  const req = startManager({ secrets }).request('test_api');
  await expect(req.send(api.url, { retry: { deadlineMs: 50 } })).rejects.toMatchObject({ code: 'ERR_DEADLINE' });
});

it('keeps axios’s codes for a timeout, an abort and a refused connection', async () => {
  const api = await startApi(() => {});
  const req = startManager({ secrets }).request('test_api');
  await expect(req.send(api.url, { timeout: 50 })).rejects.toMatchObject({
    code: 'ECONNABORTED',
    message: 'timeout of 50ms exceeded',
  });
  const controller = new AbortController();
  const pending = req.send(api.url, { signal: controller.signal });
  setImmediate(() => controller.abort());
  await expect(pending).rejects.toMatchObject({ code: 'ERR_CANCELED', name: 'CanceledError' });

  const closed = createServer();
  const port = await listen(closed);
  await new Promise((resolve) => closed.close(resolve));
  await expect(req.send(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('gives the use back when surely nothing was sent, and keeps it when something was', async () => {
  const closed = createServer();
  const port = await listen(closed);
  await new Promise((resolve) => closed.close(resolve));
  const manager = startManager({ secrets });
  const req = manager.request('test_api');
  await expect(req.send(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(req.send(`http://127.0.0.1:${port}`, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_CANCELED',
  });
  expect((await manager.usage('test_api')).map(({ uses }) => uses)).toEqual([0, 0]);

  const controller = new AbortController();
  const hanging = await startApi(() => controller.abort());
  await expect(req.send(hanging.url, { signal: controller.signal })).rejects.toMatchObject({ code: 'ERR_CANCELED' });
  expect(hanging.hits).toHaveLength(1);
  expect((await manager.usage('test_api')).map(({ uses }) => uses).toSorted((a, b) => a - b)).toEqual([0, 1]);
});

it('does not pay for the same answer again: what a reply itself causes is not repeated', async () => {
  const api = await startApi((hit, res) =>
    hit.path === '/large' ? res.end('x'.repeat(100)) : res.writeHead(302, { location: `${hit.path}x` }).end(),
  );
  const req = startManager({ secrets }).request('test_api');
  await expect(req.send(api.url, { maxRedirects: 2 })).rejects.toMatchObject({ code: 'ERR_FR_TOO_MANY_REDIRECTS' });
  await expect(req.send(`${api.url}/large`, { maxContentLength: 10 })).rejects.toMatchObject({
    code: 'ERR_BAD_RESPONSE',
  });
  expect(api.hits).toHaveLength(4);
});

it('gives the error of a request stream that fails before anyone reads it', async () => {
  const api = await startApi();
  const req = startManager({ secrets }).request('test_api');
  const data = createReadStream('/there/is/no/such/file');
  await expect(req.send(api.url, { method: 'POST', data })).rejects.toMatchObject({ code: 'ENOENT' });
});

it('cuts a streamed reply when the caller aborts, and not for a timeout that was for getting it', async () => {
  let finish = (): void => {};
  const api = await startApi((hit, res) => {
    res.write('begin');
    finish = () => res.end('end');
    if (hit.path === '/later') setTimeout(finish, 600);
  });
  const req = startManager({ secrets }).request('test_api');
  const late = await req.send<Readable>(`${api.url}/later`, { responseType: 'stream', timeout: 500 });
  expect(await text(late.data)).toBe('beginend');

  const controller = new AbortController();
  const { data } = await req.send<Readable>(api.url, { responseType: 'stream', signal: controller.signal });
  controller.abort();
  await expect(text(data)).rejects.toMatchObject({ code: 'ERR_CANCELED' });
  finish();
});

it('ends with axios’s older cancel token, and leaves no listener on it', async () => {
  const api = await startApi((hit, res) => void (hit.path === '/quick' && res.end()));
  const req = startManager({ secrets }).request('test_api');
  const source = axios.CancelToken.source();
  await req.send(`${api.url}/quick`, { cancelToken: source.token });
  expect(Reflect.get(source.token, '_listeners') ?? []).toHaveLength(0);
  const pending = req.send(api.url, { cancelToken: source.token });
  source.cancel('enough');
  await expect(pending).rejects.toMatchObject({ code: 'ERR_CANCELED' });
});

it('sends waiters for the pool away when it closes, who have sent nothing', async () => {
  const api = await startApi();
  const spent = { key_based: { test_api: { limit: 1, refresh_rate: 1440, keys: ['only'], apply: 'Bearer {key}' } } };
  const manager = startManager({ secrets: spent });
  const [one, two] = [manager.request('test_api', { wait: true }), manager.request('test_api', { wait: true })];
  await one.send(api.url);
  const waiting = [one.send(api.url), two.send(api.url)].map((sending) => sending.catch((error: unknown) => error));
  await one.close();
  expect(await waiting[0]).toMatchObject({ code: 'ERR_CLOSED' });
  await manager.close();
  expect(await waiting[1]).toMatchObject({ code: 'ERR_CLOSED' });
});

it('refuses to send after close', async () => {
  const api = await startApi();
  const manager = startManager({ secrets });
  const req = manager.request('test_api');
  const other = manager.request('test_api');
  await req.close();
  await expect(req.send(api.url)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  await other.send(api.url);
  await manager.close();
  await expect(other.send(api.url)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  expect(() => manager.request('test_api')).not.toThrow();
});

it('finishes what is under way before it closes', async () => {
  let release = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    release = resolve;
  });
  const api = await startApi((_hit, res) => {
    release();
    setImmediate(() => res.end('{"done":true}'));
  });
  const manager = startManager({ secrets });
  const pending = manager.request('test_api').send(api.url);
  await arrived;
  const justBegun = manager.request('test_api').send(api.url);
  await manager.close();
  expect((await pending).data).toEqual({ done: true });
  expect((await justBegun).data).toEqual({ done: true });
});

it('names a wrong url, and a wrong argument, before anything is sent', async () => {
  const req = startManager({ secrets }).request('test_api');
  await expect(req.send('/relative')).rejects.toMatchObject({
    code: 'ERR_CONFIG',
    message: expect.stringContaining('found a relative or broken one'),
  });
  await expect(req.send('ftp://example.com')).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  await expect(req.send('http://127.0.0.1', { cost: 0 })).rejects.toMatchObject({
    code: 'ERR_CONFIG',
    message: expect.stringContaining('cost: expected a positive integer, found 0'),
  });
});
