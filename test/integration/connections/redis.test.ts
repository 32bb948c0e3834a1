import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../packages/proxy-manager/src/clock.js';
import { redisConnection } from '../../../packages/proxy-manager/src/redis-connection.js';
import { StoreError } from '../../../packages/proxy-manager/src/errors.js';
import { openStores } from '../../../packages/proxy-manager/src/stores.js';
import { redisUrl } from '../../services/urls.js';

/** Stands before the real Redis; `cut` ends the connection in place of the next answer. */
async function cuttingProxy(): Promise<{ url: string; cut: boolean }> {
  const { hostname, port } = new URL(redisUrl());
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    sockets.add(near).add(far);
    near.pipe(far);
    far.on('data', (data) => {
      if (!proxy.cut) return near.write(data);
      proxy.cut = false;
      return near.destroy();
    });
    near.on('error', () => {}).on('close', () => far.destroy());
    far.on('error', () => {}).on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const proxy = { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, cut: false };
  return proxy;
}

test('a command whose answer is cut off runs once, fails at once, and the next one works', async () => {
  const proxy = await cuttingProxy();
  const connection = redisConnection(proxy.url);
  onTestFinished(() => connection.close());
  const client = await connection.client();
  const key = `connections-test-${process.pid}-${Date.now()}`;
  expect(await client.incr(key)).toBe(1);
  proxy.cut = true;
  const startedMs = performance.now();
  await expect(client.incr(key)).rejects.toThrow('max retries');
  expect(performance.now() - startedMs).toBeLessThan(1000);
  expect(await client.incr(key)).toBe(3);
  await client.del(key);
});

test('a Redis that refuses the password tells it in no error, nor its commands', async () => {
  const password = 'HUSH/PASS+77';
  const { host } = new URL(redisUrl());
  const stores = openStores({
    redis: `redis://nobody:${encodeURIComponent(password)}@${host}`,
    cache: { store: 'memory' },
    dataDir: '',
    clock: systemClock,
  });
  onTestFinished(() => stores.close());
  const error: unknown = await stores.usage.read({ endpoint: 'a', sections: [] }).catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(StoreError);
  expect(String(error)).toContain('WRONGPASS');
  expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/HUSH/);
});
