import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server as ProxyServer } from 'proxy-chain';
import { PoolExhaustedError, ProxyManager } from 'proxy-manager';
import type { ExchangeSink, Request } from 'proxy-manager';

/** A document as the library handed it to its sinks. */
export type Document = Readonly<Record<string, unknown>>;

/** What the caller saw of its own sends, without a look into the log. */
export interface Sends {
  /** Every call of `send`. */
  all: number;
  /** Those that gave a reply below 400. */
  good: number;
  /** Those that the cache answered. */
  hits: number;
  /** Those that asked the cache. */
  askedCache: number;
  /** Attempts on the network. */
  attempts: number;
  /** Those that failed for want of a key or proxy. */
  exhausted: number;
  /** Bytes of the bodies that came out of the cache. */
  bytesFromCache: number;
}

export interface Workload {
  readonly documents: readonly Document[];
  readonly sends: Sends;
  /** What the API counted: requests that arrived. */
  readonly arrived: number;
}

/** Keys, proxies, a cache, quotas and every kind of failure, through the library, logged to `elasticsearch` under `labels.run`. */
export async function runWorkload(elasticsearch: string, run: string): Promise<Workload> {
  let arrived = 0;
  const api = createServer((req, res) => {
    arrived += 1;
    answer(req, res);
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const port = (api.address() as AddressInfo).port;
  const proxies = [0, 1].map(() => new ProxyServer({ port: 0, host: '127.0.0.1' }));
  await Promise.all(proxies.map((proxy) => proxy.listen()));
  const dataDir = mkdtempSync(join(tmpdir(), 'pm-kibana-'));
  const documents: Document[] = [];
  const sink: ExchangeSink = {
    name: 'collected',
    ship: async (lines) => void documents.push(...lines.map((line) => JSON.parse(line) as Document)),
    close: async () => {},
  };
  const manager = new ProxyManager({
    dataDir,
    elasticsearch,
    log: { sinks: [sink] },
    secrets: {
      key_based: {
        weather: {
          limit: 30,
          refresh_rate: 60,
          keys: [
            { id: 'a-1', key: 'weather-key-a', account: 'team-a' },
            { id: 'a-2', key: 'weather-key-b', account: 'team-a' },
            { id: 'b-1', key: 'weather-key-c' },
          ],
        },
        search: { limit: 3, refresh_rate: 60, keys: ['search-key-a', 'search-key-b'] },
      },
      ip_based: { shop: { limit: 500, refresh_rate: 60 } },
      // The last one refuses every connection.
      ips: [...proxies.map((proxy) => `127.0.0.1:${proxy.port}`), '127.0.0.1:1'],
    },
  });
  const sends: Sends = { all: 0, good: 0, hits: 0, askedCache: 0, attempts: 0, exhausted: 0, bytesFromCache: 0 };
  try {
    await work(manager, `http://127.0.0.1:${port}`, `http://localhost:${port}`, run, sends);
    await manager.flush();
  } finally {
    await manager.close();
    await Promise.all(proxies.map((proxy) => proxy.close(true)));
    api.closeAllConnections();
    await new Promise((resolve) => api.close(resolve));
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
  return { documents, sends, arrived };
}

async function work(manager: ProxyManager, url: string, other: string, run: string, sends: Sends): Promise<void> {
  const key = { headers: { 'x-api-key': '{key}' } };
  const defaults = { labels: { run } };
  const weather = manager.request('weather', { ...defaults, cache: { ttlMs: 60_000 }, retry: { attempts: 3 } });
  const search = manager.request('search', { ...defaults, retry: { attempts: 2 } });
  const shop = manager.request('shop', { ...defaults, retry: { attempts: 3 } });
  const send = async (request: Request, to: string, options: object, asksCache = false): Promise<void> => {
    sends.all += 1;
    if (asksCache) sends.askedCache += 1;
    try {
      const { status, exchange, data } = await request.send(to, {
        ...options,
        responseType: 'text',
        validateStatus: null,
      });
      sends.attempts += exchange.attempts;
      if (status < 400) sends.good += 1;
      if (exchange.cache === 'hit' || exchange.cache === 'stale') {
        sends.hits += 1;
        sends.bytesFromCache += Buffer.byteLength(String(data));
      }
    } catch (error) {
      if (error instanceof PoolExhaustedError) sends.exhausted += 1;
      else throw error;
    }
  };
  for (let i = 0; i < 48; i++) await send(weather, `${url}/forecast?city=${i % 8}`, key, true);
  for (let i = 0; i < 4; i++) await send(weather, `${other}/forecast?city=${i}`, key, true);
  // Well at first, then down: the stored reply serves on.
  const rescued = { ...key, cache: { ttlMs: 1, staleIfErrorMs: 60_000 }, retry: { attempts: 2 } };
  for (let i = 0; i < 3; i++) await send(weather, `${url}/falls-ill`, rescued, true);
  for (const path of ['/missing', '/busy-once?n=1', '/busy-once?n=2', '/old'])
    await send(weather, url + path, key, true);
  await Promise.all(Array.from({ length: 9 }, (_, i) => send(search, `${url}/search?q=${i}`, key)));
  for (let i = 0; i < 18; i++) await send(shop, `${i % 3 === 0 ? other : url}/items/${i}`, {});
  await send(shop, `${url}/busy-once?n=3`, {});
  await send(weather, `${url}/limited`, key, true);
}

const busyBefore = new Set<string>();
let wasWell = false;

function answer(req: IncomingMessage, res: ServerResponse): void {
  const path = req.url ?? '';
  if (path.startsWith('/missing')) return void res.writeHead(404).end('no such page');
  if (path.startsWith('/limited')) return void res.writeHead(429, { 'retry-after': '30' }).end('slow down');
  if (path.startsWith('/old')) return void res.writeHead(304).end();
  if (path.startsWith('/falls-ill') && wasWell) return void res.writeHead(500).end('ill');
  if (path.startsWith('/falls-ill')) wasWell = true;
  if (path.startsWith('/busy-once') && !busyBefore.has(path)) {
    busyBefore.add(path);
    return void res.writeHead(503).end('try again');
  }
  res.setHeader('content-type', 'text/plain').end(`${path} ${'x'.repeat(300)}`);
}
