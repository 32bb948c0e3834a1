import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { ConfigError } from '../../src/errors.js';
import { redisConnection } from '../../src/redis-connection.js';
import { openStores } from '../../src/stores.js';

/** A server that takes connections and never says a word. */
async function silentServer(): Promise<{ url: string; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => {})
      .on('close', () => sockets.delete(socket))
      .resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

test('a Redis that stays silent holds neither a command nor close up', async () => {
  const { url, sockets } = await silentServer();
  const connection = redisConnection(url);
  const client = await connection.client();
  const startedMs = performance.now();
  const answer = client.ping().then(
    () => 'answered',
    (error: unknown) => error,
  );
  await connection.close();
  expect(performance.now() - startedMs).toBeLessThan(3000);
  expect(await answer).toBeInstanceOf(Error);
  await expect.poll(() => client.status).toBe('end');
  await expect.poll(() => sockets.size).toBe(0);
});

test('a command is given up after 5 s and never sent a second time; what the caller sets goes first', async () => {
  const { url } = await silentServer();
  const port = Number(new URL(url).port);
  const ours = redisConnection(url);
  const theirs = redisConnection({ port, host: '127.0.0.1', commandTimeout: 50, db: 3 });
  const startedMs = performance.now();
  await expect((await theirs.client()).ping()).rejects.toThrow('timed out');
  expect(performance.now() - startedMs).toBeLessThan(1000);
  expect((await ours.client()).options).toMatchObject({ commandTimeout: 5_000, autoResendUnfulfilledCommands: false });
  expect((await theirs.client()).options).toMatchObject({ db: 3, autoResendUnfulfilledCommands: false });
  await Promise.all([ours.close(), theirs.close()]);
});

test('a Redis that is away is told by what the connection met', async () => {
  const stores = openStores({
    redis: 'redis://127.0.0.1:1',
    cache: { store: 'memory' },
    dataDir: '',
    clock: systemClock,
  });
  onTestFinished(() => stores.close());
  const reading = stores.usage.read({ endpoint: 'a', sections: [] });
  await expect(reading).rejects.toThrow('could not read the counts: connect ECONNREFUSED 127.0.0.1:1');
});

test('a Cluster without nodes is refused at once', () => {
  expect(() => redisConnection({ nodes: [] })).toThrow(ConfigError);
  expect(() => redisConnection({ nodes: [] })).toThrow(
    "redis.nodes: expected a list of the Cluster's nodes, found an empty one",
  );
});
