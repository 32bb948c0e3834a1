import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ProxyManager } from '../../src/proxy-manager.js';
import type { Transport, WireReply } from '../../src/transport/transport.js';

/** A Request over a transport that answers with `reply` and observes no more than it must. */
function over(reply: (url: URL) => Partial<WireReply>): ReturnType<ProxyManager['request']> {
  const transport: Transport = {
    async send({ url }, observation) {
      observation.sent = true;
      const body = Buffer.from('{}');
      return { status: 200, statusText: 'OK', headers: [], body, url, httpVersion: '1.1', ...reply(url) };
    },
    async close() {},
  };
  const dataDir = mkdtempSync(join(tmpdir(), 'proxy-manager-transport-'));
  const secrets = { key_based: { api: { keys: ['the-secret-key'] } } };
  const manager = new ProxyManager({ dataDir, usage: 'memory', secrets, transport });
  onTestFinished(async () => {
    await manager.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return manager.request('api', { headers: { 'x-api-key': '{key}' } });
}

test('one that follows redirects by itself tells by the url of its reply where it came to', async () => {
  const request = over(() => ({ url: new URL('http://other.example/there?key=the-secret-key') }));
  const { request: asked } = await request.send('http://api.example/here');
  expect(asked).toMatchObject({ host: 'other.example', path: '/there?key={key}' });
  expect(await request.fetch('http://api.example/here')).toMatchObject({
    url: 'http://other.example/there?key={key}',
    redirected: true,
  });
});

test('one that tells the url in an object of its own has not been led elsewhere', async () => {
  const request = over((url) => ({ url: new URL(url) }));
  const response = await request.fetch('http://api.example/here?key={key}');
  expect(response).toMatchObject({ url: 'http://api.example/here?key={key}', redirected: false });
});
