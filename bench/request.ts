// CPU per request of `send()` with everything on, beside bare axios, interleaved in one run: npm run bench -- request
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axios from 'axios';
import { ProxyManager } from 'proxy-manager';
import { forkOrigin } from './support/origin.js';

const REQUESTS = 1_000;
const ROUNDS = 7;
const IN_FLIGHT = 50;

interface Candidate {
  readonly name: string;
  send(url: string): Promise<unknown>;
}

const dataDir = mkdtempSync(join(tmpdir(), 'proxy-manager-bench-'));
const origin = await forkOrigin(300);
const keys = ['one', 'two', 'three', 'four'];
const manager = new ProxyManager({
  dataDir,
  secrets: {
    key_based: {
      bench: { limit: 100_000_000, refresh_rate: 1440, keys, apply: { headers: { 'x-api-key': '{key}' } } },
    },
  },
});
const plain = manager.request('bench', { userAgent: false });
const full = manager.request('bench', { cache: true });
const client = axios.create({ httpAgent: new Agent({ keepAlive: true }) });
let nonce = 0;
const candidates: readonly Candidate[] = [
  { name: 'axios, keep-alive', send: (url) => client.get(url) },
  { name: 'send(): key, log', send: (url) => plain.send(url) },
  { name: 'send(): key, user agent, cache miss written, log', send: (url) => full.send(`${url}/?n=${nonce++}`) },
  { name: 'send(): cache hit', send: (url) => full.send(`${url}/hit`) },
];

async function cpuPerRequestUs({ send }: Candidate): Promise<number> {
  let left = REQUESTS;
  const before = process.cpuUsage();
  const worker = async (): Promise<void> => {
    while (left-- > 0) await send(origin.url);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REQUESTS;
}

const rounds = candidates.map((): number[] => []);
for (let round = -1; round < ROUNDS; round++) {
  for (const [index, candidate] of candidates.entries()) {
    const us = await cpuPerRequestUs(candidate);
    if (round >= 0) rounds[index]?.push(us);
  }
}
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const base = median(rounds[0] ?? []);
console.log(
  `CPU per request, median of ${ROUNDS} rounds of ${REQUESTS}, ${IN_FLIGHT} in flight, 300 B of JSON, Node ${process.version}\n`,
);
console.table(
  candidates.map(({ name }, index) => {
    const us = median(rounds[index] ?? []);
    return { client: name, 'µs per request': Math.round(us), 'of axios': (us / base).toFixed(2) };
  }),
);
await manager.close();
origin.stop();
rmSync(dataDir, { recursive: true });
