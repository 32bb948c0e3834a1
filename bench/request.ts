// CPU per request and requests per second of `send()` beside other clients, each in a process of its own,
// interleaved in one run:
// npm run bench -- request [--json FILE] [--quick]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, platform, release, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { forkClient } from './support/client.js';
import { median, type Sample } from './support/measure.js';
import { BASE, peers } from './support/peers.js';
import { pin } from './support/pinned.js';
import { forkReplies } from './support/replies.js';

const { values } = parseArgs({ options: { json: { type: 'string' }, quick: { type: 'boolean', default: false } } });
const ROUNDS = values.quick ? 3 : 9;
const WARM_UP = 1;
/** What each client sends before anything is measured: the compiler's share. */
const COMPILING = 6_000;
const IN_FLIGHT = [1, 50];
const SIZES = [300, 10_000, 100_000];
const REQUESTS: Readonly<Record<number, number>> = { 1: 300, 50: 1_200 };

const state = mkdtempSync(join(tmpdir(), 'proxy-manager-bench-'));
const origin = await forkReplies();
const all = [...peers.keys()].map((name, index) => forkClient(name, join(state, `${index}`)));
const isPinned = pin(origin.pid, '1') && all.every(({ pid }) => pin(pid, '0'));

for (const client of all) await client.measure({ url: `${origin.url}/300/items`, inFlight: 50, requests: COMPILING });
const results = [];
for (const bytes of SIZES) {
  for (const inFlight of IN_FLIGHT) {
    const requests = REQUESTS[inFlight] ?? 100;
    const rounds = new Map(all.map(({ name }) => [name, [] as Sample[]]));
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      for (const client of all) {
        const sample = await client.measure({ url: `${origin.url}/${bytes}/items`, inFlight, requests });
        if (round >= 0) rounds.get(client.name)?.push(sample);
      }
    }
    const cpuOf = (name: string): number => median((rounds.get(name) ?? []).map(({ cpuUs }) => cpuUs));
    for (const [name, samples] of rounds) {
      results.push({
        name,
        bytes,
        inFlight,
        cpuUs: Math.round(cpuOf(name)),
        ratio: Number((cpuOf(name) / cpuOf(BASE)).toFixed(2)),
        perSecond: Math.round(median(samples.map(({ perSecond }) => perSecond))),
      });
    }
    console.log(`\n${bytes} B of JSON, ${inFlight} in flight, median of ${ROUNDS} rounds of ${requests} requests`);
    console.table(
      results
        .filter((one) => one.bytes === bytes && one.inFlight === inFlight)
        .map(({ name, cpuUs, ratio, perSecond }) => ({
          client: name,
          'µs of CPU per request': cpuUs,
          'of axios': ratio,
          'per second': perSecond,
        })),
    );
  }
}

for (const client of all) await client.close();
origin.stop();
rmSync(state, { recursive: true });

if (values.json !== undefined) {
  const [cpu] = cpus();
  const machine = {
    cpu: cpu?.model ?? 'unknown',
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    isPinned,
  };
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(
    values.json,
    `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, rounds: ROUNDS, requests: REQUESTS, results }, undefined, 2)}\n`,
  );
}
