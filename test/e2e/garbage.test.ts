import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { spooled, startManager, tempDir } from './support/workspace.js';

const ANSWERS = [
  'SSH-2.0-OpenSSH_9.6\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n',
  `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
  'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello',
  // These two are replies, after which the connection would be used once more.
  'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\n\u00ff\u00fe\u00fd',
  'HTTP/1.1 999 What\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
  '',
];

async function startRaw(): Promise<number> {
  let connections = 0;
  const server: Server = createServer((socket) => {
    const answer = ANSWERS[connections++ % ANSWERS.length] ?? '';
    socket.on('error', () => {}).once('data', () => socket.end(answer, 'latin1'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

it.each([
  ['origin', ['ECONNRESET', 'ERR_BAD_RESPONSE', 'HPE_HEADER_OVERFLOW', 'Z_DATA_ERROR', 'a reply']],
  ['proxy', ['ERR_BAD_RESPONSE', 'ERR_POOL_EXHAUSTED']],
])('counts and logs every attempt with garbage from the %s, and lives on', async (who, expected) => {
  const address = `127.0.0.1:${await startRaw()}`;
  const dataDir = join(tempDir(), 'state');
  const through =
    who === 'origin'
      ? { key_based: { test_api: { limit: 1000, refresh_rate: 60, keys: ['key-one-1234'], apply: 'Bearer {key}' } } }
      : { ip_based: { test_api: { limit: 1000, refresh_rate: 60 } }, ips: [address] };
  const manager = startManager({ secrets: through, dataDir, retry: { attempts: 1 } });
  const req = manager.request('test_api');
  const url = who === 'origin' ? `http://${address}/` : 'http://origin.test/';
  const outcomes = new Set<unknown>();
  const count = ANSWERS.length * 2;
  for (let i = 0; i < count; i++) {
    const outcome = await req
      .send(url, { validateStatus: null, retry: { attempts: 1 } })
      .catch((error: unknown) => error);
    outcomes.add(outcome instanceof Error && 'code' in outcome ? outcome.code : 'a reply');
  }
  expect(outcomes).toEqual(new Set(expected));
  const records = spooled(dataDir);
  expect(records).toHaveLength(count);
  const [usage] = await manager.usage('test_api');
  expect(usage?.windows[0]?.used).toBe(records.filter(({ http }) => 'bytes' in http.request).length);
});
