import { randomBytes } from 'node:crypto';
import { brotliCompressSync, crc32, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeEntry, encodeEntry } from '../../src/cache/record.js';
import { decodeBuffer } from '../../src/transport/decode.js';
import { entry } from './entry.js';

const JSON_TYPE = ['content-type', 'application/json; charset=utf-8'] as const;
const text = Buffer.from(JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `item ${id}` }))));
const long = Buffer.alloc(20_000, text);

test.each([
  ['text', 2000, true],
  ['text over what is coded where the caller stands', 400_000, true],
  ['text of less than what is asked for', 1023, false],
])('%s is kept compressed where that is worth it, and comes back byte for byte', async (_, length, isSmaller) => {
  const body = Buffer.alloc(length, text);
  const record = await encodeEntry(entry({ headers: [JSON_TYPE], body }), 1024);
  expect(record.byteLength < body.byteLength / 2).toBe(isSmaller);
  expect(body.equals((await decodeEntry(record))?.body ?? Buffer.of())).toBe(true);
});

const AS_IT_IS: [string, Parameters<typeof entry>[0]][] = [
  ['came with a coding', { headers: [JSON_TYPE, ['content-encoding', 'identity-of-theirs']], body: text }],
  ['is an image', { headers: [['content-type', 'image/png']], body: text }],
  ['cannot be made smaller', { headers: [JSON_TYPE], body: randomBytes(2000) }],
];
test.each(AS_IT_IS)('a body that %s is kept as it is', async (_, different) => {
  const record = await encodeEntry(entry(different), 1024);
  expect(record.subarray(-100)).toEqual(Buffer.from(different?.body ?? []).subarray(-100));
  expect((await decodeEntry(record))?.body).toEqual(different?.body);
});

test.each([
  ['gzip', gzipSync(long)],
  ['gzip', gzipSync(long).subarray(0, -8)],
  ['br', brotliCompressSync(long)],
] as const)('a body that came as %s is kept as it came, also one that came cut short', async (coding, bytes) => {
  const body = Buffer.from(await decodeBuffer(bytes, [coding], 1 << 20));
  const record = await encodeEntry(
    entry({ headers: [['content-type', 'image/png']], body, coded: { coding, bytes } }),
    1024,
  );
  expect(record.subarray(-bytes.byteLength)).toEqual(Buffer.from(bytes));
  const read = await decodeEntry(record);
  expect(body.equals(read?.body ?? Buffer.of())).toBe(true);
  expect(read).not.toHaveProperty('coded');
});

test('a body that its coding did not make smaller is kept without it, and so is a short one', async () => {
  const random = randomBytes(2000);
  for (const body of [random, Buffer.alloc(1023, text)]) {
    const coded = { coding: 'gzip', bytes: gzipSync(body) } as const;
    const record = await encodeEntry(entry({ headers: [JSON_TYPE], body, coded }), 1024);
    expect(record.subarray(-body.byteLength)).toEqual(body);
  }
});

/** The record with its head written anew, and a checksum that fits. */
function withHead(record: Buffer, rewrite: (head: string) => string): Buffer {
  const bodyAt = 9 + record.readUInt32LE(5);
  const head = Buffer.from(rewrite(record.toString('utf8', 9, bodyAt)));
  const changed = Buffer.concat([record.subarray(0, 9), head, record.subarray(bodyAt)]);
  changed.writeUInt32LE(head.byteLength, 5);
  changed.writeUInt32LE(crc32(changed.subarray(5)), 1);
  return changed;
}

test.each([
  ['a coding that this Node cannot read', (head: string) => head.replace(/"coded":\["\w+"/, '"coded":["lzma"')],
  ['another length than it says', (head: string) => head.replace(/("coded":\["\w+",)\d+/, '$12001')],
])('an entry with %s is a miss', async (_, rewrite) => {
  const record = await encodeEntry(entry({ headers: [JSON_TYPE], body: Buffer.alloc(2000, text) }), 1024);
  expect(await decodeEntry(withHead(record, (head) => head))).toBeDefined();
  expect(await decodeEntry(withHead(record, rewrite))).toBeUndefined();
});
