import { expect, onTestFinished, test } from 'vitest';
import { probeProxy } from '../../src/transport/probe.js';
import { closedPort, startFaulty } from '../servers/faulty.js';
import { startOrigin } from '../servers/origin.js';
import { startProxy } from '../servers/proxy.js';
import { startSocks } from '../servers/socks.js';
import { proxyAt } from './wire.js';

async function open<S extends { close(): Promise<void> }>(starting: Promise<S>): Promise<S> {
  const server = await starting;
  onTestFinished(() => server.close());
  return server;
}

test('a proxy that can be reached answers again, and sends nothing to the target', async () => {
  const origin = await open(startOrigin((_request, response) => response.end()));
  const proxy = await open(startProxy({ username: 'user', password: 'right' }));
  const socks = await open(startSocks({}));
  const target = `127.0.0.1:${origin.port}`;
  for (const { url } of [proxy, socks]) expect(await probeProxy(proxyAt(url), target)).toBe(true);
  expect(await probeProxy(proxyAt(proxy.url), undefined)).toBe(true);
  expect(origin.requests).toBe(0);
  expect(proxy.tunnels).toBe(1);
});

test('a proxy that will not or cannot go to the target is there all the same', async () => {
  for (const how of ['403', '502'] as const) {
    const proxy = await open(startFaulty(how));
    expect(await probeProxy(proxyAt(`http://127.0.0.1:${proxy.port}`), 'shop.example')).toBe(true);
  }
});

test('a proxy that is closed, minds the password, or is none, is not there', async () => {
  const strict = await open(startProxy({ username: 'user', password: 'right' }));
  expect(await probeProxy(proxyAt(strict.url.replace('right', 'wrong')), 'shop.example:80')).toBe(false);
  expect(await probeProxy(proxyAt(`http://127.0.0.1:${await closedPort()}`), 'shop.example')).toBe(false);
  const garbage = await open(startFaulty('garbage'));
  expect(await probeProxy(proxyAt(`http://127.0.0.1:${garbage.port}`), 'shop.example')).toBe(false);
});
