// Takes per second of each usage store: npm run bench -- pool. Redis too where REDIS_URL says where it is.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Load, StoreName } from './support/takers.js';
import { forkTakers } from './support/takers.js';

const ROUNDS = 3;
const SLICE_MS = 700;
const COUNTS = [10, 1_000, 10_000] as const;

interface Cell {
  readonly store: StoreName;
  readonly processes: number;
  readonly load: Load;
  readonly perSecond: number[];
}

const dataDir = mkdtempSync(join(tmpdir(), 'proxy-manager-bench-'));
const redisUrl = process.env['REDIS_URL'];
const takers = await forkTakers(4, redisUrl === undefined ? [dataDir] : [dataDir, redisUrl]);

const cells: Cell[] = [];
const cell = (store: StoreName, processes: number, load: Load): Cell => {
  const known = cells.find(
    (one) => one.store === store && one.processes === processes && JSON.stringify(one.load) === JSON.stringify(load),
  );
  if (known !== undefined) return known;
  const made = { store, processes, load, perSecond: [] };
  cells.push(made);
  return made;
};
const loads = (windows: Load['windows'], inFlight: number): Load[] =>
  COUNTS.map((credentials) => ({ credentials, windows, inFlight }));
const ways: readonly (readonly [StoreName, number, number])[] = [
  ['memory', 1, 50],
  ['embedded', 1, 1],
  ['embedded', 1, 50],
  ['embedded', 4, 1],
  ['embedded', 4, 50],
];
const redisWays: readonly (readonly [StoreName, number, number])[] = [
  ['redis', 1, 1],
  ['redis', 1, 50],
  ['redis', 4, 1],
  ['redis', 4, 50],
];
const all = redisUrl === undefined ? ways : [...ways, ...redisWays];
const stores = [...new Set(all.map(([store]) => store))];

const rows = all.map(([store, processes, inFlight]) => ({
  store,
  processes,
  inFlight,
  cells: loads('fixed', inFlight).map((load) => cell(store, processes, load)),
  empty:
    store === 'redis' ? cell('empty script', processes, { credentials: 10, windows: 'fixed', inFlight }) : undefined,
}));
const kinds = stores.flatMap((store) =>
  (['fixed', 'sliding', 'resting'] as const).map((windows) => ({
    store,
    windows,
    cells: loads(windows, 50).map((load) => cell(store, 1, load)),
  })),
);

for (let round = -1; round < ROUNDS; round++) {
  for (const { store, processes, load, perSecond } of cells) {
    const taken = await Promise.all(takers.slice(0, processes).map((taker) => taker.run(store, load, SLICE_MS)));
    const total = taken.reduce((sum, one) => sum + one, 0);
    // The first round fills stores and caches.
    if (round >= 0) perSecond.push(total / (SLICE_MS / 1_000));
  }
}

const median = ({ perSecond }: Cell): number =>
  perSecond.toSorted((a, b) => a - b)[Math.floor(perSecond.length / 2)] ?? Number.NaN;
const figures = (list: readonly Cell[]): Record<string, number | string> => {
  const [first = Number.NaN, ...others] = list.map(median);
  const last = others.at(-1) ?? first;
  return {
    ...Object.fromEntries(list.map((one) => [`${one.load.credentials} credentials`, Math.round(median(one))])),
    'cost at most / at 10': (first / last).toFixed(2),
  };
};

console.log(
  `Takes per second, each awaiting its count, median of ${ROUNDS} rounds of ${SLICE_MS} ms, Node ${process.version}\n`,
);
console.table(
  rows.map(({ store, processes, inFlight, cells: list, empty }) => ({
    store,
    processes,
    'in flight each': inFlight,
    ...figures(list),
    ...(empty !== undefined && { 'of an empty script': (median(list[0] ?? empty) / median(empty)).toFixed(2) }),
  })),
);
console.log(
  '\nBy windows: one process, 50 in flight; sliding: each use frees itself after a second; resting: 99 % of the credentials rest\n',
);
console.table(kinds.map(({ store, windows, cells: list }) => ({ store, windows, ...figures(list) })));
if (redisUrl === undefined) console.log('\nRedis: set REDIS_URL.');

for (const taker of takers) taker.stop();
rmSync(dataDir, { recursive: true });
