import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.js';
import { Secret } from '../../src/secret.js';
import { Masker } from '../../src/stages/mask.js';
import { TransportFault } from '../../src/transport/fault.js';
import { testReply } from '../support/exchange.js';

const masker = new Masker([new Secret('s3cr/et-key', 'id-1'), undefined]);

it('cleans status text, header names and values, and the url behind its host', () => {
  const head = masker.head({ statusText: 'OK s3cr/et-key', headers: [['x-s3cr/et-key', 'token=s3cr%2Fet-key']] });
  expect(head).toEqual({ statusText: 'OK {key}', headers: [['x-{key}', 'token={key}']] });
  expect(masker.url(new URL('https://api.example.com/?k=s3cr%2fet-key')).href).toBe('https://api.example.com/?k={key}');
});

it('leaves a reply without the key as it is', () => {
  const reply = testReply();
  expect(masker.head(reply)).toEqual({ statusText: reply.statusText, headers: reply.headers });
  expect(masker.head(reply).headers).toBe(reply.headers);
  expect(masker.url(reply.url)).toBe(reply.url);
});

it('gives an error whose message held the key a new message, and keeps what it says besides', () => {
  const fault = masker.error(new TransportFault('ECONNRESET', 'GET /s3cr/et-key', { phase: 'response', sent: true }));
  expect(fault).toMatchObject({ code: 'ECONNRESET', message: 'GET /{key}', phase: 'response', sent: true });
  expect(masker.error(new ConfigError('GET', ['invalid header s3cr/et-key']))).toMatchObject({
    code: 'ERR_CONFIG',
    message: 'request: invalid header {key}',
  });
});

it('finds the key within a body that is compressed, and takes what is too large to look into for the worst', () => {
  const text = Buffer.from('x'.repeat(1000) + 's3cr/et-key');
  for (const packed of [gzipSync(text), deflateSync(text)]) expect(masker.findsInBytes(packed)).toBe(true);
  expect(masker.findsInBytes(brotliCompressSync(text), 'br')).toBe(true);
  expect(masker.findsInBytes(gzipSync('nothing'))).toBe(false);
  expect(masker.findsInBytes(Buffer.from([0x1f, 0x8b, 1, 2, 3]))).toBe(false);
  expect(masker.findsInBytes(gzipSync(Buffer.alloc(65 * 1024 * 1024)))).toBe(true);
});
