import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { TlsIdentity } from '../../src/config/resolve.js';
import { loadSecrets } from '../../src/config/secrets.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { selfSigned } from '../servers/certificate.js';
import { listen } from '../servers/listen.js';
import { faultOf, observe, textOf, wireRequest } from './wire.js';

const server = selfSigned();
const client = selfSigned({ names: ['client.test'] });

function tlsOf(tls: object): TlsIdentity {
  const endpoints = loadSecrets({ key_based: { bank: { keys: ['k'], tls } } }, { fingerprintKey: undefined });
  const found = endpoints.get('bank')?.tls;
  if (found === undefined) throw new Error('no tls');
  return found;
}

test('an endpoint shows its client certificate, to its own connections only', async () => {
  const origin = await listen(
    createServer({ ...server, requestCert: true, rejectUnauthorized: false, ca: client.cert }, (request, response) =>
      response.end(String((request.socket as TLSSocket).authorized)),
    ),
  );
  const transport = undiciTransport({ tls: { ca: server.cert } });
  onTestFinished(async () => {
    await transport.close();
    await origin.close();
  });
  const url = `https://127.0.0.1:${origin.port}`;
  const tls = tlsOf({ ca: server.cert, cert: client.cert, key: client.key });
  const known = await transport.send(wireRequest(url, { tls }), observe());
  const unknown = await transport.send(wireRequest(url), observe());
  expect([await textOf(known.body), await textOf(unknown.body)]).toEqual(['true', 'false']);
  const strange = tlsOf({ ca: client.cert });
  const fault = await faultOf(transport.send(wireRequest(url, { tls: strange }), observe()));
  expect(fault).toMatchObject({ phase: 'connect', sent: false });
});

test('each part is PEM text, a variable or a file, and the key is never shown', () => {
  const directory = mkdtempSync(join(tmpdir(), 'pm-tls-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'client.pem'), client.cert);
  process.env['TLS_TEST_KEY'] = client.key;
  onTestFinished(() => void delete process.env['TLS_TEST_KEY']);
  const tls = tlsOf({ cert: join(directory, 'client.pem'), key: 'env:TLS_TEST_KEY' });
  expect(tls.cert).toBe(client.cert);
  expect(tls.key?.reveal()).toBe(client.key);
  expect(inspect(tls, { depth: 5 }) + JSON.stringify(tls)).not.toContain('PRIVATE KEY');
});

test.each([
  [{ cert: client.cert }, 'cert and key together'],
  [{ cert: client.cert, key: server.key }, 'the key that belongs to cert'],
  [{ ca: '/no/such/file.pem' }, 'ENOENT'],
  [{ ca: 'env:NO_SUCH_VARIABLE_HERE' }, 'env:'],
])('what cannot be used is refused at start (%#)', (tls, words) => {
  expect(() => tlsOf(tls)).toThrow(words);
});
