// CPU per cache hit of `send()` beside other caches, interleaved in one run: npm run bench -- cache
import { mkdtempSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axios from 'axios';
import { buildMemoryStorage, setupCache } from 'axios-cache-interceptor';
import { Cacheable } from 'cacheable';
import { Keyv } from 'keyv';
import { ProxyManager } from 'proxy-manager';
import type { Request } from 'proxy-manager';
import { Agent, cacheStores, interceptors, request } from 'undici';
import type { Dispatcher } from 'undici';
import { forkReplies } from './support/replies.js';

const ROUNDS = 9;
/** About how long one candidate runs in one round, in ms of CPU. */
const SLICE_MS = 60;
const SIZES = [1_000, 10_000, 100_000];
const KINDS = ['json', 'arraybuffer'] as const;

type Kind = (typeof KINDS)[number];

interface Candidate {
  readonly name: string;
  hit(url: string, kind: Kind): Promise<unknown>;
}

const state = mkdtempSync(join(tmpdir(), 'proxy-manager-bench-'));
const origin = await forkReplies();
const secrets = { key_based: { bench: { keys: ['one'], apply: { headers: { 'x-api-key': '{key}' } } } } };
const near = new ProxyManager({ dataDir: join(state, 'near'), secrets, cache: { store: 'memory' } });
const far = new ProxyManager({ dataDir: join(state, 'far'), secrets, cache: { store: 'embedded', memoryMaxBytes: 1 } });
const axiosCache = setupCache(axios.create(), { storage: buildMemoryStorage(true) });
const dispatchers: [name: string, dispatcher: Dispatcher][] = [
  ['memory', intercepting(new cacheStores.MemoryCacheStore())],
];
// From Node 22 on, where it needs no flag.
if (isBuiltin('node:sqlite')) {
  const store = new cacheStores.SqliteCacheStore({ location: join(state, 'undici.sqlite') });
  dispatchers.push(['sqlite', intercepting(store)]);
}
const keyv = new Keyv();
const cacheable = new Cacheable();

function intercepting(store: InstanceType<(typeof cacheStores)['MemoryCacheStore' | 'SqliteCacheStore']>): Dispatcher {
  return new Agent().compose(interceptors.cache({ store }));
}

const sent = (name: string, req: Request): Candidate => ({
  name,
  hit: async (url, kind) => (await req.send(url, { responseType: kind })).data,
});

/** A cache of values, filled by hand as its users do. */
const kept = (
  name: string,
  cache: { get(key: string): Promise<unknown>; set(key: string, value: unknown): Promise<unknown> },
): Candidate => ({
  name,
  async hit(url, kind) {
    const found = await cache.get(`${kind} ${url}`);
    if (found !== undefined) return found;
    const { data } = await axios.get<unknown>(url, { responseType: kind });
    await cache.set(`${kind} ${url}`, data);
    return data;
  },
});

const candidates: readonly Candidate[] = [
  {
    name: 'axios-cache-interceptor, cloneData',
    hit: async (url, kind) => (await axiosCache.get<unknown>(url, { responseType: kind, id: `${kind} ${url}` })).data,
  },
  ...dispatchers.map(([name, dispatcher]): Candidate => ({
    name: `undici's cache interceptor, ${name}`,
    async hit(url, kind) {
      const { body } = await request(url, { dispatcher });
      return kind === 'json' ? body.json() : body.arrayBuffer();
    },
  })),
  kept('keyv', keyv),
  kept('cacheable', cacheable),
  sent('send(), memory', near.request('bench', { cache: true })),
  sent('send(), lmdb', far.request('bench', { cache: true })),
];

async function cpuPerHitUs({ hit }: Candidate, url: string, kind: Kind, hits: number): Promise<number> {
  const before = process.cpuUsage();
  for (let left = hits; left > 0; left--) await hit(url, kind);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / hits;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

console.log(`CPU per cache hit, median of ${ROUNDS} rounds, one at a time, Node ${process.version}\n`);
for (const kind of KINDS) {
  for (const size of SIZES) {
    const url = `${origin.url}/${size}/${kind}`;
    const rounds = candidates.map((): number[] => []);
    const hits: number[] = [];
    for (const candidate of candidates) {
      for (let warm = 0; warm < 3; warm++) await candidate.hit(url, kind);
      const requests = await origin.requests();
      const us = await cpuPerHitUs(candidate, url, kind, 200);
      hits.push(Math.max(20, Math.round((SLICE_MS * 1000) / us)));
      if ((await origin.requests()) !== requests) throw new Error(`${candidate.name} went to the origin`);
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, candidate] of candidates.entries()) {
        rounds[index]?.push(await cpuPerHitUs(candidate, url, kind, hits[index] ?? 1));
      }
    }
    const base = median(rounds[0] ?? []);
    const memory = median(rounds[candidates.length - 2] ?? []);
    console.log(`${kind}, ${size / 1000} kB`);
    console.table(
      candidates.map(({ name }, index) => {
        const us = median(rounds[index] ?? []);
        return {
          cache: name,
          'µs per hit': Math.round(us),
          'of axios-cache-interceptor': (us / base).toFixed(2),
          'of send(), memory': (us / memory).toFixed(2),
        };
      }),
    );
  }
}
await Promise.all([
  near.close(),
  far.close(),
  ...dispatchers.map(([, dispatcher]) => dispatcher.close()),
  cacheable.disconnect(),
]);
origin.stop();
rmSync(state, { recursive: true });
