// Import plus the first request of a process, in time and memory, beside axios: npm run bench -- start
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type * as Published from 'proxy-manager';
import { forkReplies } from './support/replies.js';

const ROUNDS = 15;
/** What is installed, made by scripts/bundle.mjs. */
const PUBLISHED = new URL('../../packages/proxy-manager/dist/bundle/index.js', import.meta.url).href;
const CLIENTS = ['axios', 'nothing on', 'default'] as const;

type Client = (typeof CLIENTS)[number];
interface Cost {
  readonly ms: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

const [client, url] = process.argv.slice(2) as [Client | undefined, string];
if (client === undefined) await compare();
else console.log(JSON.stringify(await costOf(client, url)));

/** In a process of its own: nothing is loaded yet. */
async function costOf(name: Client, to: string): Promise<Cost> {
  const dataDir = mkdtempSync(join(tmpdir(), 'proxy-manager-bench-'));
  const before = process.memoryUsage();
  const startedMs = performance.now();
  const close = name === 'axios' ? await firstGet(to) : await firstSend(to, dataDir, name === 'default');
  const ms = performance.now() - startedMs;
  const after = process.memoryUsage();
  await close();
  rmSync(dataDir, { recursive: true, force: true });
  return { ms, rssBytes: after.rss - before.rss, heapBytes: after.heapUsed - before.heapUsed };
}

async function firstGet(to: string): Promise<() => Promise<void>> {
  const { default: axios } = await import('axios');
  await axios.get(to);
  return async () => {};
}

async function firstSend(to: string, dataDir: string, isDefault: boolean): Promise<() => Promise<void>> {
  const { Request } = (await import(PUBLISHED)) as typeof Published;
  const secrets = { key_based: { bench: { keys: ['one'], apply: { headers: { 'x-api-key': '{key}' } } } } };
  const options = isDefault ? {} : ({ userAgent: false, usage: 'memory' } as const);
  const request = new Request({ endpoint: 'bench', secrets, dataDir, ...options });
  await request.send(to);
  return () => request.close();
}

async function compare(): Promise<void> {
  const origin = await forkReplies();
  const run = promisify(execFile);
  const costs = CLIENTS.map((): Cost[] => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, name] of CLIENTS.entries()) {
      const { stdout } = await run(process.execPath, [fileURLToPath(import.meta.url), name, `${origin.url}/300`]);
      if (round >= 0) costs[index]?.push(JSON.parse(stdout) as Cost);
    }
  }
  const median = (index: number, of: keyof Cost): number =>
    (costs[index] ?? []).map((cost) => cost[of]).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
  console.log(`Import plus first request, median of ${ROUNDS} processes each, interleaved, Node ${process.version}\n`);
  console.table(
    CLIENTS.map((name, index) => {
      const ratio = (of: keyof Cost): string => (median(index, of) / median(0, of)).toFixed(2);
      return {
        client: name === 'axios' ? 'axios' : `send(), ${name}`,
        ms: Math.round(median(index, 'ms')),
        'of axios': ratio('ms'),
        'RSS in MB': Math.round(median(index, 'rssBytes') / 1e6),
        'RSS of axios': ratio('rssBytes'),
        'heap of axios': ratio('heapBytes'),
      };
    }),
  );
  origin.stop();
}
