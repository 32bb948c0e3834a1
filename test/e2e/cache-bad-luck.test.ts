import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Client } from '@elastic/elasticsearch';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startElasticsearch } from '../services/elasticsearch.js';
import { startApi } from './support/api.js';
import { startManager } from './support/workspace.js';

const secrets = {
  key_based: { test_api: { keys: ['first-secret-key'], apply: { headers: { 'x-api-key': '{key}' } } } },
};

const BUDGET_MS = 250;
/** What a busy machine may take on top of the lookup's budget and the exchange itself. */
const SLACK_MS = 1_400;

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An Elasticsearch that takes its time: the real one, each word of it late. */
function slow(delayMs: number): Promise<string> {
  const { hostname, port } = new URL(String(process.env['ELASTICSEARCH_URL']));
  return listening(
    createTcpServer((socket) => {
      const onward = connect(Number(port), hostname).on('error', () => socket.destroy());
      socket.pipe(onward);
      onward.on('data', (chunk) => setTimeout(() => socket.write(chunk), delayMs));
      socket.on('close', () => onward.destroy());
    }),
  );
}

describe('the cache in an Elasticsearch', () => {
  it.each([
    ['that is silent', (): Promise<string> => listening(createTcpServer(() => {}))],
    ['that is slow', () => slow(2_000)],
    [
      'that is full',
      (): Promise<string> =>
        listening(
          createServer((_req, res) => void res.writeHead(429, { 'content-type': 'application/json' }).end('{}')),
        ),
    ],
    [
      'that talks rubbish',
      (): Promise<string> => listening(createServer((_req, res) => void res.end('<html>welcome</html>'))),
    ],
  ])('%s costs a miss, never an error, and no more than its budget', async (_, start) => {
    const api = await startApi();
    const elasticsearch = await start();
    const cache = { store: 'elasticsearch', memoryMaxBytes: 1 } as const;
    const req = startManager({ secrets, elasticsearch, cache }).request('test_api', { cache: true });
    // The first use loads the client.
    await req.send(`${api.url}/first`);
    for (let round = 0; round < 5; round++) {
      const startedMs = performance.now();
      const { data, exchange } = await req.send(`${api.url}/${round}`);
      expect(performance.now() - startedMs).toBeLessThan(BUDGET_MS + SLACK_MS);
      expect([data, exchange.cache]).toEqual([{ path: `/${round}` }, 'miss']);
    }
  });

  it('that has become read-only still answers, and takes what it can again by itself', async () => {
    const api = await startApi();
    // Of its own: nobody else may write meanwhile either.
    const service = await startElasticsearch();
    onTestFinished(() => service.stop());
    const client = new Client({ node: service.url });
    onTestFinished(() => client.close());
    const cache = { store: 'elasticsearch', memoryMaxBytes: 1 } as const;
    const req = startManager({ secrets, elasticsearch: service.url, cache }).request('test_api', { cache: true });
    const ask = async (path: string): Promise<string> => (await req.send(`${api.url}${path}`)).exchange.cache;
    await expect.poll(() => ask('/before'), { timeout: 30_000 }).toBe('hit');
    const index = ['proxy_manager-cache-v1', 'proxy_manager-leases-v1'];
    await client.indices.putSettings({ index, settings: { 'index.blocks.write': true } });
    try {
      expect(await ask('/during')).toBe('miss');
      expect(await ask('/before')).toBe('hit');
    } finally {
      await client.indices.putSettings({ index, settings: { 'index.blocks.write': null } });
    }
    await expect.poll(() => ask('/after'), { timeout: 40_000 }).toBe('hit');
  });
});

describe('two machines with different clocks', () => {
  it.each([
    ['redis', { redis: process.env['REDIS_URL'], usage: 'embedded' }],
    ['elasticsearch', { elasticsearch: process.env['ELASTICSEARCH_URL'] }],
  ] as const)(
    'on %s: a reply is the right one or a miss, and no older than its time by the slower clock',
    async (_, shared) => {
      let version = 1;
      const api = await startApi((_hit, res) => res.end(JSON.stringify({ version })));
      const machine = (
        aheadMs: number,
      ): ((path: string) => Promise<{ cache: string; version: number; age: number }>) => {
        const manager = startManager({ secrets, ...shared, clock: { now: () => Date.now() + aheadMs } });
        const req = manager.request('test_api', { cache: { ttlMs: 600_000 } });
        return async (path) => {
          const { data, exchange, headers } = await req.send<{ version: number }>(api.url + path);
          return { cache: exchange.cache, version: data.version, age: Number(headers['age'] ?? 0) };
        };
      };
      const [here, behind, ahead, nearly] = [machine(0), machine(-3_600_000), machine(3_600_000), machine(-20_000)];
      await expect.poll(async () => (await here('/a')).cache, { timeout: 30_000 }).toBe('hit');
      // A little apart: a hit, of an age that makes sense.
      await expect.poll(async () => (await nearly('/a')).cache, { timeout: 30_000 }).toBe('hit');
      expect((await nearly('/a')).age).toBeGreaterThanOrEqual(0);
      // Far apart: nobody believes the other, and everybody has the present reply.
      version = 2;
      expect(await behind('/a')).toMatchObject({ cache: 'miss', version: 2 });
      expect(await ahead('/a')).toMatchObject({ cache: 'miss', version: 2 });
      expect([1, 2]).toContain((await here('/a')).version);
    },
  );
});
