import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../src/secret.js';

const VALUE = 's3cret-of-the-pool';
const secret = new Secret(VALUE, 'key-1');

test.each<[string, (value: Secret) => string]>([
  ['String', String],
  ['a list', (value) => [value].join()],
  ['concatenation', (value) => 'key: ' + value],
  ['JSON', (value) => JSON.stringify({ nested: [value] })],
  ['inspect', (value) => inspect({ nested: [value] }, { depth: 10, showHidden: true, getters: true })],
  ['format', (value) => format('%s %o %j', value, value, value)],
  ['an error', (value) => String(new Error('refused', { cause: value }).cause)],
])('%s shows the id of a secret and not the secret', (_how, show) => {
  expect(show(secret)).toContain('key-1');
  expect(show(secret)).not.toContain(VALUE);
});

test('no copy of its fields has it', () => {
  const copy = Object.assign({}, secret);
  expect(JSON.stringify([copy, Object.getOwnPropertyNames(secret)])).not.toContain(VALUE);
  expect(inspect(structuredClone(secret), { showHidden: true })).not.toContain(VALUE);
});

test('it is revealed only to go onto the wire, to be looked for in what comes back, and to the caller who asks for it', () => {
  const src = fileURLToPath(new URL('../src/', import.meta.url));
  const revealing = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && readFileSync(join(src, name), 'utf8').includes('.reveal()'))
    .map((name) => name.replaceAll('\\', '/'));
  expect(revealing.toSorted()).toStrictEqual([
    'pipeline/secret-pattern.ts',
    'pool/pinned-identity.ts',
    'request.ts',
    'stages/wire.ts',
    'transport/axios-config.ts',
    'transport/dial.ts',
    'transport/proxy-authorization.ts',
    'transport/socks-tunnel.ts',
  ]);
});
