import { join, relative } from 'node:path';
import type { DemoOptions } from './options.js';
import { bold } from './paint.js';

/** Where this run's records can be found. */
export type LogPlace = 'elasticsearch' | 'spool';

/** The address without its login. */
function printable(address: string): string {
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host}${pathname}`.replace(/\/$/, '');
}

const here = (path: string): string => relative(process.cwd(), path) || '.';

const item = (name: string, text: string): string => `  ${name.padEnd(8)}${text}`;

/** How the dashboards come into Kibana, and what to open there. */
function inKibana(run: string, url = 'http://localhost:5601'): string[] {
  const kibana = printable(url);
  return [
    item('Kibana', `node packages/kibana/dist/cli.js import --url ${kibana}`),
    item('', 'brings the dashboards; then open'),
    item('', `${kibana}/app/dashboards#/view/proxy-manager-overview`),
    item('', 'or Discover:  data view  logs-proxy_manager.exchange-*'),
    item('', `              KQL        labels.run : "${run}"`),
  ];
}

/** Where counts, cache and log of the run lie, and how to look at them. */
export function describePlaces(options: DemoOptions, run: string, log: LogPlace): string {
  const { dataDir, elasticsearch, redis, kibana } = options;
  const state = here(dataDir);
  const spool = join(here(join(dataDir, 'log')), '*.ndjson');
  const isAway = elasticsearch !== undefined && log === 'spool';
  const lines = [bold('Where it lies')];
  lines.push(item('counts', redis === undefined ? state : printable(redis)));
  if (isAway) lines.push(item('cache', 'in memory, for this run alone'));
  else
    lines.push(
      item('cache', elasticsearch === undefined ? state : `${printable(elasticsearch)}, behind a memory tier`),
    );
  if (elasticsearch === undefined) {
    lines.push(item('log', spool));
    lines.push(item('', `a JSON document per line; this run's hold "labels":{"run":"${run}"}`));
    lines.push(item('', 'with ELASTICSEARCH_URL set it goes there too, and Kibana shows it: docs/kibana.md'));
  } else if (!isAway) {
    lines.push(item('log', printable(elasticsearch)));
    lines.push(item('', 'data stream  logs-proxy_manager.exchange-default'));
    lines.push(...inKibana(run, kibana));
  } else {
    lines.push(item('log', `waits in ${spool}:`));
    lines.push(item('', `${printable(elasticsearch)} does not answer; the next run there ships it`));
  }
  return `${lines.join('\n')}\n`;
}
