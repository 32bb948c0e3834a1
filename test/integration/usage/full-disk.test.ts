import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { openCounts } from '../../../packages/proxy-manager/src/embedded/environment.js';
import { embeddedUsageStore } from '../../../packages/proxy-manager/src/usage/embedded.js';
import type { Pool } from '../../../packages/proxy-manager/src/usage/usage-store.js';

const FILLER = fileURLToPath(new URL('filler.mjs', import.meta.url));
const SHORT_WRITER = fileURLToPath(new URL('short-writer.mjs', import.meta.url));
/** As large as a file may become in there, in blocks of 512 bytes: what is written beyond fails, as on a full disk. */
const BLOCKS = 100;
const TAKES = 1_000;

test('a disk that is full is an ERR_STORE for each take that has no room, and all others are counted', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'proxy-manager-full-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const meters = Array.from({ length: 3 }, (_, n) => ({
    id: `key-${n}`,
    windows: [{ limit: TAKES, everyMs: 3_600_000 }],
  }));
  const pool: Pool = { endpoint: 'full', sections: [{ kind: 'key', meters }] };
  const stdout = await limited([FILLER, dataDir, JSON.stringify(pool), String(TAKES)]);
  const lines = stdout.trimEnd().split('\n');
  const granted = lines.filter((line) => line.startsWith('granted '));
  expect(granted.length).toBeGreaterThan(0);
  expect(new Set(lines.slice(granted.length))).toEqual(new Set(['failed ERR_STORE']));

  const environment = await openCounts(dataDir);
  onTestFinished(() => environment.close());
  const store = embeddedUsageStore({ environment: async () => environment });
  const usesOf = (id: string): number => granted.filter((line) => line === `granted ${id}`).length;
  const counted = (await store.read(pool)).map(({ id, total }) => [id, total]);
  expect(counted).toEqual(meters.map(({ id }) => [id, usesOf(id)]));
  expect((await store.take({ pool, cost: 1 })).granted).toBe(true);
  const after = (await store.read(pool)).reduce((sum, { total }) => sum + total, 0);
  expect(after).toBe(granted.length + 1);
});

test('a journal that no other can follow for want of room fails each take, and leaves nothing behind', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'proxy-manager-full-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const meters = Array.from({ length: 1_000 }, (_, n) => ({
    id: `key-${n}`,
    windows: [{ limit: TAKES, everyMs: 3_600_000 }],
  }));
  const pool: Pool = { endpoint: 'full', sections: [{ kind: 'key', meters }] };
  const environment = await openCounts(dataDir);
  onTestFinished(() => environment.close());
  const store = embeddedUsageStore({ environment: async () => environment });
  await Promise.all(meters.map(() => store.take({ pool, cost: 1 })));
  const journal = await journalIn(dataDir);
  await appendFile(journal, `\n[${(await stat(journal)).size},"sealed by another"]`);

  const stdout = await limited([FILLER, dataDir, JSON.stringify(pool), '3']);
  expect(stdout.trimEnd().split('\n')).toEqual(Array.from({ length: 3 }, () => 'failed ERR_STORE'));
  expect(await readdir(dirname(journal))).toEqual(['1.ndjson']);
  expect((await store.take({ pool, cost: 1 })).granted).toBe(true);
  expect((await store.read(pool)).reduce((sum, { total }) => sum + total, 0)).toBe(1_001);
});

test('a use that is written in part is not counted, though others write just as much as is missing', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'proxy-manager-full-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const pool: Pool = { endpoint: 'full', sections: [{ kind: 'key', meters: [{ id: 'a', windows: [] }] }] };
  const environment = await openCounts(dataDir);
  onTestFinished(() => environment.close());
  const store = embeddedUsageStore({ environment: async () => environment });
  await store.take({ pool, cost: 1 });
  const journal = await journalIn(dataDir);
  const room = BLOCKS * 512 - (await stat(journal)).size;
  await appendFile(journal, `\n${'x'.repeat(room - 21)}`);

  expect(await limited([SHORT_WRITER, dataDir, JSON.stringify(pool), journal])).toBe('failed ERR_STORE\n');
  expect((await store.read(pool)).map(({ total }) => total)).toEqual([1]);
});

async function journalIn(dataDir: string): Promise<string> {
  const journals = join(dataDir, 'counts', 'usage-v2');
  return join(journals, String((await readdir(journals))[0]), '1.ndjson');
}

/** What the script says in a process that may write no larger file. */
async function limited(script: readonly string[]): Promise<string> {
  const command = `ulimit -S -f ${BLOCKS}; exec "$0" "$@"`;
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, ...script]);
  return stdout;
}
