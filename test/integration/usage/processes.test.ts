import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Client } from '@elastic/elasticsearch';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCounts } from '../../../packages/proxy-manager/src/embedded/environment.js';
import { installAssets } from '../../../packages/proxy-manager/src/log/install-assets.js';
import { embeddedUsageStore } from '../../../packages/proxy-manager/src/usage/embedded.js';
import { redisUsageStore } from '../../../packages/proxy-manager/src/usage/redis.js';
import type { WindowSpec } from '../../../packages/proxy-manager/src/config/resolve.js';
import type { Pool, UsageStore } from '../../../packages/proxy-manager/src/usage/usage-store.js';
import { elasticsearchUrl, redisUrl } from '../../services/urls.js';

const TAKER = fileURLToPath(new URL('taker.mjs', import.meta.url));
const HOUR_MS = 3_600_000;
const KEYS = 4;

/** Half of the keys under windows of their own, the others under those of an account that they share, each with a proxy. */
function poolOf(limit: number): Pool {
  const windows = (uses: number): WindowSpec[] => [
    { limit: uses, everyMs: HOUR_MS },
    { limit: uses, per: 'year', timezone: 'Europe/Berlin' },
    { limit: uses + 1, withinMs: HOUR_MS },
  ];
  const account = { id: 'team', windows: windows((KEYS / 2) * limit) };
  const keys = Array.from({ length: KEYS }, (_, n) => {
    const id = `key-${n}`;
    return n < KEYS / 2 ? { id, windows: windows(limit) } : { id, windows: [], account };
  });
  const proxies = ['p', 'q'].map((id) => ({ id, windows: [{ limit: KEYS * limit, withinMs: HOUR_MS }] }));
  return {
    endpoint: randomUUID(),
    sections: [
      { kind: 'key', meters: keys },
      { kind: 'proxy', meters: proxies },
    ],
  };
}

async function usesOfKeys(store: UsageStore, pool: Pool): Promise<number[]> {
  return (await store.read(pool)).filter(({ kind }) => kind === 'key').map(({ total }) => total);
}

interface Taker {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  readonly granted: string[];
  /** For each refusal, how many uses were counted by then. */
  readonly refused: number[];
  readonly ended: Promise<unknown>;
}

/** Starts a process that takes; `onGrant` is called with how many it has been granted by now. */
function startTaker(
  engine: 'elasticsearch' | 'embedded' | 'redis',
  place: string,
  pool: Pool,
  how: { takes: number; concurrency: number; onGrant?: (taker: Taker) => void },
): Taker {
  const args = [TAKER, engine, place, JSON.stringify(pool), String(how.takes), String(how.concurrency)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const taker: Taker = { child, granted: [], refused: [], ended: once(child, 'close') };
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const [verb, what = ''] of lines.map((line) => line.split(' '))) {
      if (verb === 'granted') taker.granted.push(what);
      else taker.refused.push(Number(what));
    }
    how.onGrant?.(taker);
  });
  return taker;
}

function perKey(takers: readonly Taker[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of takers.flatMap(({ granted }) => granted)) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

const full = (limit: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: KEYS }, (_, n) => [`key-${n}`, limit]));

/** Of four takers that ask for 10,000 uses together: every use was given once, and the rest refused. */
async function expectExact(takers: readonly Taker[], limit: number): Promise<void> {
  await Promise.all(takers.map(({ ended }) => ended));
  expect(takers.map(({ child }) => child.exitCode)).toEqual([0, 0, 0, 0]);
  expect(perKey(takers)).toEqual(full(limit));
  const refused = takers.flatMap((taker) => taker.refused);
  expect(refused).toHaveLength(10_000 - KEYS * limit);
  expect(new Set(refused)).toEqual(new Set([KEYS * limit]));
}

interface OpenStore {
  readonly store: UsageStore;
  readonly close: () => Promise<unknown>;
}

async function openEmbedded(dataDir: string): Promise<OpenStore> {
  const environment = await openCounts(dataDir);
  const store = embeddedUsageStore({ environment: async () => environment });
  return { store, close: () => store.close().then(environment.close) };
}

async function openRedis(url: string): Promise<OpenStore> {
  const client = new Redis(url);
  return { store: redisUsageStore({ client: async () => client }), close: () => client.quit() };
}

describe('four processes', () => {
  let dataDir = '';
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'proxy-manager-processes-'));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  const places = { embedded: () => dataDir, redis: redisUrl };
  test.each(['embedded', 'redis'] as const)(
    '%s: 10,000 takes, none over the limit, none left unused',
    async (engine) => {
      const limit = 2_000;
      const pool = poolOf(limit);
      const takers = [50, 50, 1, 20].map((concurrency) =>
        startTaker(engine, places[engine](), pool, { takes: 2_500, concurrency }),
      );
      await expectExact(takers, limit);
    },
  );

  test('elasticsearch: 10,000 takes on one document, none over the limit, none left unused', async () => {
    const limit = 2_000;
    const pool = poolOf(limit);
    const client = new Client({ node: elasticsearchUrl() });
    const index = `proxy_manager-usage-${randomUUID()}`;
    try {
      await installAssets(client);
      const place = new URL(index, elasticsearchUrl()).href;
      const takers = [
        { concurrency: 50, takes: 4_000 },
        { concurrency: 50, takes: 4_000 },
        { concurrency: 20, takes: 1_900 },
        { concurrency: 1, takes: 100 },
      ].map((how) => startTaker('elasticsearch', place, pool, how));
      await expectExact(takers, limit);
    } finally {
      await client.indices.delete({ index }, { ignore: [404] });
      await client.close();
    }
  });

  test.each([
    ['embedded', openEmbedded],
    ['redis', openRedis],
  ] as const)('%s: processes killed at any moment lose what was in flight, and nothing else', async (engine, open) => {
    const limit = 1_000;
    const concurrency = 10;
    const pool = poolOf(limit);
    const killed: Taker[] = [];
    const killAfter = (grants: number): Taker =>
      startTaker(engine, places[engine](), pool, {
        takes: Infinity,
        concurrency,
        onGrant: ({ child, granted }) => {
          if (granted.length >= grants) child.kill('SIGKILL');
        },
      });
    for (let round = 0; round < 3; round += 1) {
      const takers = [40, 90, 160, 250].map((grants) => killAfter(grants + 7 * round));
      killed.push(...takers);
      await Promise.all(takers.map(({ ended }) => ended));
    }
    expect(new Set(killed.map(({ child }) => child.signalCode))).toEqual(new Set(['SIGKILL']));

    const { store, close } = await open(places[engine]());
    try {
      const used = await usesOfKeys(store, pool);
      const counted = used.reduce((sum, one) => sum + one);
      const acknowledged = killed.flatMap(({ granted }) => granted).length;
      expect(counted).toBeGreaterThanOrEqual(acknowledged);
      expect(counted - acknowledged).toBeLessThanOrEqual(killed.length * concurrency);
      for (const [n, one] of used.entries()) {
        expect(one).toBeGreaterThanOrEqual(perKey(killed)[`key-${n}`] ?? 0);
      }

      const last = startTaker(engine, places[engine](), pool, { takes: KEYS * limit, concurrency: 50 });
      await last.ended;
      expect(last.granted.length).toBe(KEYS * limit - counted);
      expect(await usesOfKeys(store, pool)).toEqual(Object.values(full(limit)));
    } finally {
      await close();
    }
  });
});
