import type { Readable } from 'node:stream';
import { brotliCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { startApi, startRequest } from './clients.js';

const DEFAULT_BYTES = 256 * 1024 * 1024;

type Door = (request: ReturnType<typeof startRequest>, url: string) => Promise<AsyncIterable<Uint8Array>>;

test.each<[string, Door]>([
  ['send', async (request, url) => (await request.send<Readable>(url, { responseType: 'stream' })).data],
  ['axios', async (request, url) => (await request.axios.get<Readable>(url, { responseType: 'stream' })).data],
  ['fetch', async (request, url) => (await request.fetch(url)).body as AsyncIterable<Uint8Array>],
])('a bomb is cut at a size that nobody named: %s', async (_door, open) => {
  // It holds one byte more than is let through.
  const bomb = brotliCompressSync(Buffer.alloc(DEFAULT_BYTES + 1), { params: { 1: 1 } });
  const api = await startApi((_hit, res) => res.setHeader('content-encoding', 'br').end(bomb));
  let bytes = 0;
  const reading = async (): Promise<void> => {
    for await (const chunk of await open(startRequest(), api.url)) bytes += chunk.length;
  };
  const error = await reading().catch((reason: unknown) => reason as Error);
  expect(error?.cause ?? error).toMatchObject({
    message: expect.stringContaining(`size of ${DEFAULT_BYTES} exceeded`),
  });
  expect(bytes).toBeLessThanOrEqual(DEFAULT_BYTES);
});

test('the time of a call is that of all its attempts together', async () => {
  const api = await startApi((_hit, res) => void setTimeout(() => res.writeHead(503).end(), 100));
  const options = { timeout: 350, retry: { attempts: 20 } };
  const request = startRequest(options);
  const ends = [request.send(api.url), request.axios.get(api.url), request.fetch(api.url)].map((end) =>
    end.catch((reason: unknown) => reason as Error),
  );
  for (const end of await Promise.all(ends)) {
    const error = end instanceof Error && end.name === 'TypeError' ? end.cause : end;
    expect(error).toMatchObject({ code: expect.stringMatching(/^ECONNABORTED$|^ETIMEDOUT$/) });
  }
  expect(api.hits.length).toBeGreaterThanOrEqual(3);
});
