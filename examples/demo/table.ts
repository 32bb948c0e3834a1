import { bar } from './bar.js';
import type { Latency } from './latency.js';
import { bold, dim, green, red } from './paint.js';
import { isEqual, type Pair, type Report } from './report.js';
import { width } from './width.js';

const SIDE_WIDTH = 8;
const LEFT_WIDTH = Math.max(32, width - 28);
/** In a narrow terminal there is no room for bars. */
const BAR_WIDTH = LEFT_WIDTH < 42 ? 0 : LEFT_WIDTH - 36;
const NAME_WIDTH = BAR_WIDTH === 0 ? LEFT_WIDTH - 12 : 22;
const NUMBER_WIDTH = width < 80 ? 7 : 8;
const LATENCY_WIDTH = width - 8 - 4 * NUMBER_WIDTH;

/** A long id, cut so that it can still be found in the log: of a proxy's address all is shown. */
function short(id: string): string {
  return id.length > NAME_WIDTH ? `${id.slice(0, id.includes(':') ? NAME_WIDTH - 1 : 12)}…` : id;
}

function heading(title: string, left: string, right: string): string {
  return `${bold(title.padEnd(LEFT_WIDTH))}${dim(`${left.padStart(SIDE_WIDTH)}   ${right}`)}`;
}

/** A note that does not fit beside what it is about stands below it. */
function row(text: string, pair: Pair, note = ''): string {
  const same = isEqual(pair);
  const sides = `${String(pair.library).padStart(SIDE_WIDTH)} ${same ? '=' : '≠'} ${pair.other}`;
  const whole = note === '' ? text : `${text} (${note})`;
  const fits = whole.length + 2 <= LEFT_WIDTH;
  const line = `${`  ${fits ? whole : text}`.padEnd(LEFT_WIDTH)}${same ? green(sides) : red(`${sides}  differs`)}`;
  return fits ? line : `${line}\n${dim(`    ${note}`)}`;
}

function quotaRow(pair: Pair): string {
  const { name, library, limit = 0 } = pair;
  const drawn = BAR_WIDTH === 0 ? '' : ` ${bar(library, limit, BAR_WIDTH)} `;
  return row(`${short(name).padEnd(NAME_WIDTH)}${drawn} ${library} of ${limit}`, pair);
}

function milliseconds(value: number): string {
  return (value < 10 ? value.toFixed(2) : value.toFixed(0)).padStart(NUMBER_WIDTH);
}

function latencyRow({ name, count, p50, p95, p99, max }: Latency): string {
  const numbers = [p50, p95, p99, max].map(milliseconds).join('');
  return `${`  ${name}`.padEnd(LATENCY_WIDTH)}${String(count).padStart(6)}${numbers}`;
}

/** The numbers of a run as a person reads them. */
export function drawTable(report: Report): string {
  const { keys, proxies, cache, requests, log } = report;
  const columns = ['p50', 'p95', 'p99', 'max'].map((name) => name.padStart(NUMBER_WIDTH)).join('');
  return [
    heading('API keys: uses of their limit', 'library', 'server'),
    ...keys.map(quotaRow),
    dim(`  ${report.exhausted} more sends were held back here: ERR_POOL_EXHAUSTED`),
    '',
    heading('Proxies: uses of their limit', 'library', 'server'),
    ...proxies.map(quotaRow),
    '',
    heading('Requests', 'library', 'server'),
    row('fetched for the cache', cache.fetched, `${cache.hits} of ${cache.sends} sends were hits`),
    row('in all', requests, `${report.retries} retries among them`),
    '',
    heading('Exchange log', 'callers', log.name),
    row('records', log, 'one per attempt, cache hit and refusal'),
    '',
    `${bold('Latency in ms'.padEnd(LATENCY_WIDTH))}${dim(`${'sends'.padStart(6)}${columns}`)}`,
    ...report.latencies.map(latencyRow),
    '',
  ].join('\n');
}
