import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startApi } from './support/api.js';
import { spooled, startManager, tempDir } from './support/workspace.js';

const KEY = 'a-key-of-the-pool';
const apply = { headers: { 'x-api-key': '{key}' } };
/** A timer may be early by one. */
const PAUSE_MS = 60;
const AT_LEAST_MS = PAUSE_MS - 1;

interface Timed {
  readonly http: { readonly request: { readonly bytes: number }; readonly response: { readonly bytes: number } };
  readonly source: { readonly bytes: number };
  readonly destination: { readonly bytes: number };
  readonly proxy_manager: { readonly timing: Readonly<Record<string, number>> };
}

/** Counts every byte on the wire, and pauses before the head and before the body. */
async function startSlowServer() {
  const wire = { received: 0, sent: 0 };
  const server = createServer((socket) => {
    let asked = '';
    async function answer(): Promise<void> {
      for (const text of [
        'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n',
        '{"a":"bcd"}',
      ]) {
        await delay(PAUSE_MS);
        wire.sent += Buffer.byteLength(text);
        socket.write(text);
      }
    }
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      wire.received += bytes.length;
      asked += String(bytes);
      if (!asked.endsWith('{"q":1}')) return;
      asked = '';
      void answer();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, wire };
}

it('tells the bytes on the wire both ways, and how long each step took', async () => {
  const { url, wire } = await startSlowServer();
  const dataDir = join(tempDir(), 'state');
  const manager = startManager({ secrets: { key_based: { api: { keys: [KEY], apply } } }, dataDir });
  const req = manager.request('api');
  const seen: { received: number; sent: number }[] = [];
  for (let n = 0; n < 2; n++) {
    await req.send(`${url}/items`, { method: 'POST', data: { q: 1 } });
    seen.push({ ...wire });
    wire.received = 0;
    wire.sent = 0;
  }
  const records = spooled(dataDir) as unknown as Timed[];
  expect(records.map(({ http }) => ({ received: http.request.bytes, sent: http.response.bytes }))).toStrictEqual(seen);
  expect(records.map(({ source, destination }) => ({ received: source.bytes, sent: destination.bytes }))).toStrictEqual(
    seen,
  );
  const [first, second] = records.map(({ proxy_manager: { timing } }) => timing);
  for (const timing of [first, second]) {
    const { ttfb_ms: ttfbMs = 0, download_ms: downloadMs = 0 } = timing ?? {};
    expect(ttfbMs).toBeGreaterThanOrEqual(AT_LEAST_MS);
    expect(downloadMs).toBeGreaterThan(0);
    // The head may be seen late, and then the body comes the sooner.
    expect(ttfbMs + downloadMs).toBeGreaterThanOrEqual(2 * AT_LEAST_MS);
  }
  expect(first?.['dns_ms']).toBeGreaterThan(0);
  expect(first?.['connect_ms']).toBeGreaterThanOrEqual(Number(first?.['dns_ms']));
  // The connection was kept alive.
  expect(second).not.toHaveProperty('connect_ms');
});

it('tells how long an attempt waited for the host and for the pool', async () => {
  const api = await startApi();
  const dataDir = join(tempDir(), 'state');
  const secrets = {
    key_based: {
      paced: { keys: [KEY], apply, pace: { concurrency: 1, minTimeMs: 1000 } },
      scarce: { keys: [KEY], apply, limits: [{ uses: 1, within: '1s' }] },
    },
  };
  const manager = startManager({ secrets, dataDir });
  const paced = manager.request('paced');
  await Promise.all([paced.send(`${api.url}/1`), paced.send(`${api.url}/2`)]);
  const scarce = manager.request('scarce', { wait: true });
  await Promise.all([scarce.send(`${api.url}/3`), scarce.send(`${api.url}/4`)]);
  const timings = (spooled(dataDir) as unknown as Timed[]).map(({ proxy_manager: { timing } }) => timing);
  expect(Math.max(...timings.slice(0, 2).map((timing) => Number(timing['pace_ms'])))).toBeGreaterThan(100);
  expect(Math.max(...timings.slice(2).map((timing) => Number(timing['pool_ms'])))).toBeGreaterThan(100);
});

it('shows no cookie of a session in what a server sends back of it', async () => {
  const sid = 'the-id-of-a-session';
  const api = await startApi((hit, res) => {
    if (hit.path === '/login') res.setHeader('set-cookie', `sid=${sid}`);
    res
      .setHeader('content-type', 'text/plain')
      .end(`you sent ${String(hit.headers.cookie)}, and ${encodeURIComponent(sid)}`);
  });
  const dataDir = join(tempDir(), 'state');
  const manager = startManager({
    secrets: { key_based: { api: { keys: [KEY], apply } } },
    dataDir,
    log: { bodies: { maxBytes: 1000 } },
  });
  const req = manager.request('api', { session: 'ann' });
  await req.send(`${api.url}/login`);
  const { data } = await req.send(`${api.url}/page`);
  expect(data).toContain(`sid=${sid}`);
  expect(spooled(dataDir)).toMatchObject([
    { http: { response: { body: { content: expect.stringContaining('you sent undefined') } } } },
    { http: { response: { body: { content: 'you sent sid={key}, and {key}' } } } },
  ]);
  expect(JSON.stringify(spooled(dataDir))).not.toContain(sid);
});

it('shows the headers and bodies that are asked for, and no others', async () => {
  const api = await startApi((hit, res) => {
    res.statusCode = hit.path === '/ok' ? 200 : 404;
    res.setHeader('content-type', 'text/plain').setHeader('x-request-id', '7').setHeader('set-cookie', 's=1');
    res.end(`you sent ${String(hit.headers['x-api-key'])} and ${hit.body}`);
  });
  const dataDir = join(tempDir(), 'state');
  const manager = startManager({
    secrets: { key_based: { api: { keys: [KEY], apply } } },
    dataDir,
    log: { headers: ['x-request-id', 'set-cookie', 'x-api-key'], bodies: { maxBytes: 24, statuses: ['4xx'] } },
  });
  const req = manager.request('api', { retry: { attempts: 1 } });
  const words = { method: 'POST', data: 'some words', headers: { 'content-type': 'text/plain', accept: '*/*' } };
  await req.send(`${api.url}/ok`, words);
  await expect(req.send(`${api.url}/missing`, words)).rejects.toThrow('404');
  const headers = { 'x-request-id': '7', 'set-cookie': '[redacted]' };
  expect(spooled(dataDir).map(({ http }) => http)).toMatchObject([
    { request: { body: { bytes: 10 } }, response: { headers } },
    {
      request: { body: { bytes: 10, content: 'some words' } },
      response: { headers, body: { content: 'you sent {key} and some ' } },
    },
  ]);
  const [ok] = spooled(dataDir);
  expect(ok).not.toHaveProperty('http.request.body.content');
  expect(ok).not.toHaveProperty('http.response.body.content');
  expect(ok).not.toHaveProperty('http.request.headers.accept');
  expect(ok).not.toHaveProperty('http.response.headers.content-type');
});
