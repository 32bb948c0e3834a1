import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cached } from '../../services/cache.js';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'proxy-manager-cache-test-'));
  vi.stubEnv('PROXY_MANAGER_CACHE', dir);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

test('of two builds at once both get the one whole folder', async () => {
  const build = (text: string) => (target: string) => writeFile(join(target, 'file'), text);
  const [one, other] = await Promise.all([cached('engine', build('one')), cached('engine', build('other'))]);
  expect(one).toBe(other);
  expect(await readFile(join(one, 'file'), 'utf8')).toMatch(/^(one|other)$/);
  expect(await readdir(dir)).toEqual(['engine']);
});

test('a build that fails half-way leaves nothing that counts', async () => {
  const half = cached('engine', async (target) => {
    await writeFile(join(target, 'file'), 'half');
    throw new Error('the network is down');
  });
  await expect(half).rejects.toThrow('the network is down');
  expect(await readdir(dir)).toEqual([]);
  const whole = await cached('engine', (target) => writeFile(join(target, 'file'), 'whole'));
  expect(await readFile(join(whole, 'file'), 'utf8')).toBe('whole');
});
