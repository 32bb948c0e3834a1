// Where the CPU of the full pipeline goes, by part: npm run bench -- profile [--json FILE]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { measure } from './support/measure.js';
import { peers } from './support/peers.js';
import { forkReplies } from './support/replies.js';

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const REQUESTS = 4_000;
const PEER = 'send(): everything on';

const state = mkdtempSync(join(tmpdir(), 'proxy-manager-bench-'));
const origin = await forkReplies();
const all = peers((name) => join(state, name));
const peer = all.find(({ name }) => name === PEER);
if (peer === undefined) throw new Error(`no peer ${PEER}`);
await measure(peer, `${origin.url}/300/items`, 50, REQUESTS);

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: 200 });
await session.post('Profiler.start');
await measure(peer, `${origin.url}/300/items`, 50, REQUESTS);
const { profile } = await session.post('Profiler.stop');
const parts = shares(profile);
console.table(parts);
if (values.json !== undefined) {
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify({ peer: PEER, parts }, undefined, 2)}\n`);
}
for (const one of all) await one.close?.();
origin.stop();
rmSync(state, { recursive: true });

/** Each sample belongs to the nearest caller that is ours or a package's; the rest is Node's own. */
function shares({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): { part: string; percent: number }[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    if (byId.get(id)?.callFrame.functionName === '(idle)') continue;
    const part = partOf(id, byId, parents);
    times.set(part, (times.get(part) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .map(([part, time]) => ({ part, percent: Number(((100 * time) / total).toFixed(1)) }))
    .filter(({ percent }) => percent >= 0.5)
    .toSorted((a, b) => b.percent - a.percent);
}

function partOf(
  sample: number,
  byId: ReadonlyMap<number, Profiler.ProfileNode>,
  parents: ReadonlyMap<number, number>,
): string {
  if (byId.get(sample)?.callFrame.functionName === '(garbage collector)') return 'garbage collector';
  for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
    const url = byId.get(id)?.callFrame.url ?? '';
    const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
    if (name !== undefined && name !== 'proxy-manager') return `${name} (npm)`;
    const [, folder] = /(?:proxy-manager|node_modules\/proxy-manager)\/dist\/([^/]+)/.exec(url) ?? [];
    if (folder !== undefined) return `src/${folder.replace(/\.js$/, '.ts')}`;
  }
  return 'Node.js itself';
}
