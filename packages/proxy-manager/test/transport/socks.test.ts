import { afterEach, expect, test } from 'vitest';
import { undiciTransport } from '../../src/transport/undici.js';
import { selfSigned } from '../servers/certificate.js';
import { startFaulty } from '../servers/faulty.js';
import { startOrigin } from '../servers/origin.js';
import { startSocks } from '../servers/socks.js';
import { faultOf, observe, proxyAt, textOf, wireRequest } from './wire.js';

const certificate = selfSigned();
const transport = undiciTransport({ tls: { ca: certificate.cert }, connectMs: 500 });
const cleanups: (() => Promise<void>)[] = [() => transport.close()];
const open = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const server = await starting;
  cleanups.unshift(() => server.close());
  return server;
};
afterEach(async () => {
  for (const close of cleanups.splice(0, cleanups.length - 1)) await close();
});

test.each([
  ['http', undefined, {}],
  ['https', certificate, {}],
  ['http', undefined, { username: 'user', password: 'p:ässword' }],
  ['https', certificate, { username: 'user', password: 'p:ässword' }],
])('an %s origin is reached through a SOCKS5 proxy', async (_scheme, secure, login) => {
  const origin = await open(startOrigin((request, response) => response.end(request.url), secure));
  const socks = await open(startSocks(login));
  const [first, second] = [observe(), observe()];
  const request = wireRequest(`${origin.url}/a`, { proxy: proxyAt(socks.url) });
  const reply = await transport.send(request, first);
  expect(await textOf(reply.body)).toBe('/a');
  await transport.send(request, second);
  expect(second.connectMs).toBeUndefined();
  expect(socks.targets).toEqual([`127.0.0.1:${origin.port}`]);
});

test.each([
  ['http://api.example.com/', 'api.example.com:80'],
  ['http://[2001:db8::1:2]:81/', '20010db8000000000000000000010002:81'],
  ['http://[::]:81/', '00000000000000000000000000000000:81'],
])('%s is looked up by the proxy, not by us', async (url, target) => {
  const socks = await open(startSocks({ reply: 4 }));
  const fault = await faultOf(transport.send(wireRequest(url, { proxy: proxyAt(socks.url) }), observe()));
  expect(socks.targets).toEqual([target]);
  expect(fault).toMatchObject({ code: 'ERR_PROXY_TUNNEL', phase: 'tunnel', sent: false });
  expect(fault.message).toContain('host unreachable');
});

test.each([
  [1, 'tunnel', 'general failure'],
  [2, 'tunnel', 'not allowed by its rules'],
  [3, 'tunnel', 'network unreachable'],
  [4, 'tunnel', 'host unreachable'],
  [5, 'tunnel', 'connection refused by the target'],
  [6, 'tunnel', 'TTL expired'],
  [7, 'proxy', 'command not supported'],
  [8, 'tunnel', 'address type not supported'],
  [9, 'tunnel', 'reply 9'],
])('reply %i of a SOCKS5 proxy is a fault of phase %s', async (reply, phase, words) => {
  const socks = await open(startSocks({ reply }));
  const fault = await faultOf(
    transport.send(wireRequest('http://api.example.com/', { proxy: proxyAt(socks.url) }), observe()),
  );
  expect(fault).toMatchObject({ code: 'ERR_PROXY_TUNNEL', phase, sent: false });
  expect(fault.message).toBe(
    `proxy p1, asked for a tunnel to api.example.com:80, answered with ${words} (ERR_PROXY_TUNNEL)`,
  );
});

test.each([
  ['without a password', (url: string) => url.replace('user:right@', '')],
  ['with a wrong password', (url: string) => url.replace('right', 'SECRET')],
])('a SOCKS5 proxy that wants one is, %s, ERR_PROXY_AUTH_REQUESTED', async (_kind, change) => {
  const socks = await open(startSocks({ username: 'user', password: 'right' }));
  const request = wireRequest('http://127.0.0.1:9', { proxy: proxyAt(change(socks.url)) });
  const fault = await faultOf(transport.send(request, observe()));
  expect(fault).toMatchObject({ code: 'ERR_PROXY_AUTH_REQUESTED', phase: 'proxy', sent: false });
  expect(fault.message).not.toContain('SECRET');
});

test.each([
  ['hang', 'ETIMEDOUT'],
  ['reset', 'ECONNRESET'],
  ['close', 'ECONNRESET'],
  ['garbage', 'ERR_PROXY_TUNNEL'],
] as const)('a SOCKS5 proxy that answers by %s is one fault, %s', async (how, code) => {
  const proxy = await open(startFaulty(how));
  const request = wireRequest('http://127.0.0.1:9', { proxy: proxyAt(`socks5://127.0.0.1:${proxy.port}`) });
  const fault = await faultOf(transport.send(request, observe()));
  expect(fault).toMatchObject({ code, phase: how === 'garbage' ? 'proxy' : 'tunnel', sent: false });
  expect(proxy.connections).toBe(1);
  await expect.poll(() => proxy.openConnections).toBe(0);
});
