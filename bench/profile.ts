// Where the CPU of the full pipeline goes, by part, and as a flame graph: npm run bench -- profile [--json FILE] [--svg FILE]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { flameGraph } from './support/flame-graph.js';
import { flameTree } from './support/flame-tree.js';
import { measure } from './support/measure.js';
import { partOf, samplesOf } from './support/parts.js';
import type { Sample } from './support/parts.js';
import { EVERYTHING_ON, peers } from './support/peers.js';
import { forkReplies } from './support/replies.js';

const { values } = parseArgs({ options: { json: { type: 'string' }, svg: { type: 'string' } } });
const REQUESTS = 4_000;

const state = mkdtempSync(join(tmpdir(), 'proxy-manager-bench-'));
const origin = await forkReplies();
const peer = peers.get(EVERYTHING_ON)?.(state);
if (peer === undefined) throw new Error(`no client ${EVERYTHING_ON}`);
const load = { url: `${origin.url}/300/items`, inFlight: 50, requests: REQUESTS };
await measure(peer, load);

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: 200 });
await session.post('Profiler.start');
await measure(peer, load);
const { profile } = await session.post('Profiler.stop');
const profiled = samplesOf(profile);
const parts = shares(profiled);
console.table(parts);
if (values.json !== undefined) write(values.json, `${JSON.stringify({ peer: EVERYTHING_ON, parts }, undefined, 2)}\n`);
if (values.svg !== undefined) write(values.svg, flameGraph(flameTree(profiled)));
await peer.close?.();
origin.stop();
rmSync(state, { recursive: true });

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Each sample belongs to the nearest caller that is ours or a package's; the rest is Node's own. */
function shares(samples: readonly Sample[]): { part: string; percent: number }[] {
  const times = new Map<string, number>();
  for (const { stack, us } of samples) {
    const part = stack.map(partOf).findLast((each) => each !== undefined) ?? 'Node.js itself';
    times.set(part, (times.get(part) ?? 0) + us);
  }
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .map(([part, time]) => ({ part, percent: Number(((100 * time) / total).toFixed(1)) }))
    .filter(({ percent }) => percent >= 0.5)
    .toSorted((a, b) => b.percent - a.percent);
}
