import { bar } from './bar.js';
import type { Latency } from './latency.js';
import { bold, dim, green, red } from './paint.js';
import { isEqual, type Pair, type Report } from './report.js';

const NAME_WIDTH = 22;
const BAR_WIDTH = 16;
const LEFT_WIDTH = 52;
const SIDE_WIDTH = 8;

/** A long id, cut so that it can still be found in the log: of a proxy's address all is shown. */
function short(id: string): string {
  return id.length > NAME_WIDTH ? `${id.slice(0, id.includes(':') ? NAME_WIDTH - 1 : 12)}…` : id;
}

function heading(title: string, left: string, right: string): string {
  return `${bold(title.padEnd(LEFT_WIDTH))}${dim(`${left.padStart(SIDE_WIDTH)}   ${right}`)}`;
}

function row(text: string, pair: Pair): string {
  const same = isEqual(pair);
  const sides = `${String(pair.library).padStart(SIDE_WIDTH)} ${same ? '=' : '≠'} ${pair.other}`;
  return `${`  ${text}`.padEnd(LEFT_WIDTH)}${same ? green(sides) : red(`${sides}  differs`)}`;
}

function quotaRow(pair: Pair): string {
  const { name, library, limit = 0 } = pair;
  return row(`${short(name).padEnd(NAME_WIDTH)} ${bar(library, limit, BAR_WIDTH)}  ${library} of ${limit}`, pair);
}

function milliseconds(value: number): string {
  return (value < 10 ? value.toFixed(2) : value.toFixed(0)).padStart(8);
}

function latencyRow({ name, count, p50, p95, p99, max }: Latency): string {
  return `  ${name.padEnd(36)}${String(count).padStart(6)} ${[p50, p95, p99, max].map(milliseconds).join('')}`;
}

/** The numbers of a run as a person reads them, 80 columns wide. */
export function drawTable(report: Report): string {
  const { keys, proxies, cache, requests, log } = report;
  const columns = ['p50', 'p95', 'p99', 'max'].map((name) => name.padStart(8)).join('');
  return [
    heading('Uses of each API key, against its limit', 'library', 'server'),
    ...keys.map(quotaRow),
    dim(`  ${report.exhausted} more sends were held back here: ERR_POOL_EXHAUSTED`),
    '',
    heading('Uses of each proxy, against its limit', 'library', 'server'),
    ...proxies.map(quotaRow),
    '',
    heading('Requests', 'library', 'server'),
    row(`fetched for the cache (${cache.hits} of ${cache.sends} sends were hits)`, cache.fetched),
    row(`in all, ${report.retries} retries among them`, requests),
    '',
    heading('Exchange log', 'callers', log.name),
    row('a record per attempt, cache hit and refusal', log),
    '',
    `${bold('Latency in ms'.padEnd(38))}${dim(`${'sends'.padStart(6)} ${columns}`)}`,
    ...report.latencies.map(latencyRow),
    '',
  ].join('\n');
}
