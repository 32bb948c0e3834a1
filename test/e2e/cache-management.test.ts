import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Har } from 'proxy-manager';
import { describe, expect, it } from 'vitest';
import { startApi } from './support/api.js';
import { startManager, tempDir } from './support/workspace.js';

const secrets = {
  key_based: { test_api: { keys: ['first-secret-key'], apply: { headers: { 'x-api-key': '{key}' } } } },
};

describe('manager.cache', () => {
  it('gets, lists, counts and deletes by url, prefix and tag', async () => {
    const api = await startApi();
    const manager = startManager({ secrets, cache: { store: 'embedded' } });
    const req = manager.request('test_api', { baseURL: api.url, cache: { ttlMs: 60_000, methods: ['GET', 'POST'] } });
    await req.send('/items?page=1');
    await req.send('/items?page=2', { cache: { tags: ['second'] } });
    await req.send('/items?page=2', { method: 'POST', body: 'a', cache: { tags: ['second', 'posted'] } });
    await req.send('/other');
    await expect.poll(async () => (await manager.cache.stats()).store.entries).toBe(4);

    expect(Buffer.from((await manager.cache.get(`${api.url}/other`))?.body ?? []).toString()).toBe('{"path":"/other"}');
    expect(await manager.cache.get(`${api.url}/absent`)).toBeUndefined();
    expect((await manager.cache.get(`${api.url}/items?page=2`, { method: 'post' }))?.tags).toEqual([
      'second',
      'posted',
    ]);

    const listed: string[] = [];
    for await (const { method, url, tags } of manager.cache.keys({ prefix: `${api.url}/items` })) {
      listed.push(`${method} ${url.slice(api.url.length)} ${tags.join()}`);
    }
    expect(listed.toSorted()).toEqual([
      'GET /items?page=1 ',
      'GET /items?page=2 second',
      'POST /items?page=2 second,posted',
    ]);

    expect(await manager.cache.delete({ tag: 'posted' })).toBe(1);
    expect(await manager.cache.delete(new URL(`${api.url}/items?page=2#part`))).toBe(1);
    expect((await req.send('/items?page=1')).exchange.cache).toBe('hit');
    expect(await manager.cache.delete({ prefix: `${api.url}/items` })).toBe(1);
    expect((await req.send('/items?page=1')).exchange.cache).toBe('miss');
    // It is not waited for.
    await expect.poll(async () => (await manager.cache.stats()).store.entries).toBe(2);
    const { memory, store } = await manager.cache.stats();
    expect(memory.hits).toBeGreaterThan(0);
    expect(store).toMatchObject({ evicted: 0, damaged: 0 });
    expect(await manager.cache.clear()).toBeGreaterThan(0);
    expect((await manager.cache.stats()).store).toMatchObject({ entries: 0, bytes: 0 });

    await expect(manager.cache.delete('/items')).rejects.toMatchObject({ code: 'ERR_CONFIG' });
    await expect(manager.cache.delete({ prefix: '' })).rejects.toMatchObject({ code: 'ERR_CONFIG' });
    await expect(manager.cache.delete({} as never)).rejects.toMatchObject({ code: 'ERR_CONFIG' });
    await manager.close();
    await expect(manager.cache.clear()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});

describe('a HAR', () => {
  const replay = { cache: 'only-if-cached' } as const;

  it('of all that is stored is HAR 1.2, without a secret, and replays elsewhere byte for byte', async () => {
    const picture = Buffer.from([0x89, 0x50, 0xff, 0x00, 0xfe]);
    const api = await startApi((hit, res) => {
      res.setHeader('x-sent', hit.path.split('?', 1)).setHeader('set-cookie', 'a=b');
      if (hit.path === '/picture') res.setHeader('content-type', 'image/png').end(picture);
      else res.setHeader('content-type', 'application/json').end('{"name":"日本 €"}');
    });
    const file = join(tempDir(), 'replies.har');
    const first = startManager({ secrets });
    const asking = first.request('test_api', { baseURL: api.url, cache: { ttlMs: 60_000, methods: ['GET', 'POST'] } });
    await asking.send('/json?q=a%20b&key={key}');
    await asking.send('/picture', { responseType: 'arraybuffer' });
    await asking.send('/posted', { method: 'POST', body: '{"q":1}' });
    await expect.poll(async () => (await first.cache.stats()).store.entries).toBe(3);
    const har = await first.exportHar(file);
    const text = readFileSync(file, 'utf8');
    expect(JSON.parse(text)).toEqual(har);
    expect(text).not.toContain('first-secret-key');
    expect(har.log.entries).toHaveLength(3);
    expectToOpenInDevTools(har);

    const second = startManager({ secrets });
    expect(await second.importHar(file)).toEqual({ imported: 3, skipped: 0 });
    const req = second.request('test_api', { baseURL: api.url, cache: { ttlMs: 60_000, methods: ['GET', 'POST'] } });
    const before = api.hits.length;
    const json = await req.send('/json?q=a%20b&key={key}', replay);
    expect(json).toMatchObject({ data: { name: '日本 €' }, status: 200, exchange: { cache: 'hit' } });
    expect(json.headers['x-sent']).toContain('/json');
    expect(json.headers['set-cookie']).toBeUndefined();
    expect((await req.send<Buffer>('/picture', { ...replay, responseType: 'arraybuffer' })).data).toEqual(picture);
    expect((await req.send('/posted', { ...replay, method: 'POST', body: '{"q":1}' })).data).toEqual({
      name: '日本 €',
    });
    await expect(req.send('/absent', replay)).rejects.toMatchObject({ code: 'ERR_NOT_CACHED' });
    expect(api.hits).toHaveLength(before);
  });

  it('names cookies and where a redirect leads, and keeps a body in a coding that nobody undid', async () => {
    const api = await startApi((hit, res) => {
      if (hit.path === '/moved') res.writeHead(302, { location: '/there' }).end();
      else if (hit.path === '/coded') res.writeHead(200, { 'content-encoding': 'x-odd' }).end('odd');
      else res.setHeader('set-cookie', ['a=b; Path=/x; HttpOnly', 'c=d; Secure', 'e=f; Max-Age=1']).end('x');
    });
    const cache = { ttlMs: 60_000, ttlMsByStatus: { 302: 60_000 } };
    const first = startManager({ secrets });
    const asking = first.request('test_api', { baseURL: api.url, maxRedirects: 0, validateStatus: () => true, cache });
    await asking.send('/moved');
    await asking.send('/coded');
    await asking.send('/cookies', { cache: { mode: 'http' } });
    await expect.poll(async () => (await first.cache.stats()).store.entries).toBe(3);
    const har = await first.exportHar();
    expectToOpenInDevTools(har);
    const responseOf = (path: string): Har['log']['entries'][number]['response'] | undefined =>
      har.log.entries.find(({ request }) => request.url === `${api.url}${path}`)?.response;
    expect(responseOf('/moved')?.redirectURL).toBe('/there');
    expect(responseOf('/cookies')?.cookies).toEqual([
      { name: 'a', value: 'b', path: '/x', httpOnly: true, secure: false },
      { name: 'c', value: 'd', httpOnly: false, secure: true },
      { name: 'e', value: 'f', httpOnly: false, secure: false },
    ]);

    const second = startManager({ secrets });
    await second.importHar(har);
    const replayed = await second.request('test_api', { baseURL: api.url, cache }).send('/coded', replay);
    expect([replayed.data, replayed.headers['content-encoding']]).toEqual(['odd', 'x-odd']);
  });

  it('of a browser becomes a cassette: without its keys, and without what says nothing', async () => {
    const exchange = (url: string, response: object, request: object = {}): object => ({
      startedDateTime: '2020-01-01T00:00:00.000Z',
      time: 12,
      request: { method: 'GET', url, httpVersion: 'http/2.0', headers: [{ name: ':path', value: '/' }], ...request },
      response: { status: 200, statusText: '', httpVersion: 'http/2.0', headers: [], ...response },
    });
    const site = 'https://api.example.com';
    const json = { mimeType: 'application/json', size: 7, text: '{"a":1}' };
    const entries = [
      exchange(`${site}/keyed?appid=first-secret-key&q=1`, {
        content: json,
        headers: [
          { name: ':status', value: '200' },
          { name: 'Content-Encoding', value: 'br' },
          { name: 'Content-Type', value: 'application/json' },
          { name: 'Set-Cookie', value: 'session=1' },
        ],
      }),
      exchange(
        `${site}/posted`,
        { content: json },
        { method: 'POST', postData: { mimeType: 'text/plain', text: 'x' } },
      ),
      exchange(`${site}/bytes`, { content: { size: 2, mimeType: 'image/png', text: '//4=', encoding: 'base64' } }),
      exchange(`${site}/echo`, { content: { ...json, text: 'you sent first-secret-key' } }),
      exchange(`${site}/left-out`, { content: { size: 100, mimeType: 'text/plain' } }),
      exchange(`${site}/blocked`, { status: 0, content: { size: 0, mimeType: 'x-unknown' } }),
      exchange('not an url', { content: json }),
      { request: 'none' },
      null,
    ];
    const dataDir = join(tempDir(), 'state');
    const manager = startManager({ secrets, dataDir });
    const har = { log: { version: '1.2', creator: { name: 'a browser', version: '1' }, entries } };
    expect(await manager.importHar(har as unknown as Har)).toEqual({ imported: 3, skipped: 6 });
    const req = manager.request('test_api', { baseURL: site, cache: { methods: ['GET', 'POST'] } });
    const keyed = await req.send('/keyed?appid={key}&q=1', replay);
    expect(keyed.data).toEqual({ a: 1 });
    expect(keyed.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(keyed.headers['content-encoding']).toBeUndefined();
    expect((await req.send('/posted', { ...replay, method: 'POST', body: 'x' })).data).toEqual({ a: 1 });
    expect((await req.send('/bytes', { ...replay, responseType: 'arraybuffer' })).data).toEqual(
      Buffer.from([255, 254]),
    );
    await expect(req.send('/echo', replay)).rejects.toMatchObject({ code: 'ERR_NOT_CACHED' });
    expect(JSON.stringify(await manager.exportHar())).not.toContain('first-secret-key');
  });

  it('that is none is refused, with what is wrong', async () => {
    const manager = startManager({ secrets });
    const file = join(tempDir(), 'some.har');
    await expect(manager.importHar(file)).rejects.toThrow(/some\.har: expected a HAR that can be read, found ENOENT/);
    writeFileSync(file, '{"log":');
    await expect(manager.importHar(file)).rejects.toThrow(/found no JSON/);
    writeFileSync(file, '{"log":{}}');
    await expect(manager.importHar(file)).rejects.toThrow(/log\.entries: expected an array/);
  });
});

/** What the importer of Chromium's developer tools insists on (front_end/models/har), and HAR 1.2 besides. */
function expectToOpenInDevTools({ log }: Har): void {
  expect(log).toMatchObject({ version: '1.2', creator: { name: expect.any(String), version: expect.any(String) } });
  for (const { startedDateTime, time, request, response, timings, cache } of log.entries) {
    expect(Date.parse(startedDateTime)).not.toBeNaN();
    const lists = { cookies: expect.any(Array), headers: expect.any(Array), headersSize: -1, bodySize: -1 };
    expect(request).toMatchObject({ ...lists, method: expect.any(String), queryString: expect.any(Array) });
    expect(new URL(request.url).href).toBe(request.url);
    expect(response).toMatchObject({ ...lists, status: expect.any(Number), redirectURL: expect.any(String) });
    expect([request.httpVersion, response.httpVersion]).toEqual(['HTTP/1.1', 'HTTP/1.1']);
    const { content } = response;
    const bytes = Buffer.from(content.text ?? '', content.encoding === 'base64' ? 'base64' : 'utf8');
    expect(content).toMatchObject({ size: bytes.byteLength, mimeType: expect.any(String) });
    // What took no time is shown as pending there.
    expect(time).toBeGreaterThan(0);
    expect(timings.send + timings.wait + timings.receive).toBe(time);
    expect(cache).toEqual({});
    for (const field of [...request.queryString, ...response.headers]) {
      expect(field).toEqual({ name: expect.any(String), value: expect.any(String) });
    }
  }
}
