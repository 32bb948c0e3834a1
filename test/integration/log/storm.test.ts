import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { LOG_DATA_STREAM } from '../../../packages/proxy-manager/src/log/assets.js';
import { elasticsearchSink } from '../../../packages/proxy-manager/src/log/elasticsearch.js';
import { openExchangeLog } from '../../../packages/proxy-manager/src/log/open-exchange-log.js';
import { startElasticsearch } from '../../services/elasticsearch.js';
import type { Service } from '../../services/service.js';
import { faultProxy } from './fault-proxy.js';
import type { FaultProxy } from './fault-proxy.js';
import { filesIn, logDirectory } from './support.js';

const EXCHANGES = 20_000;
const WRITERS = 3;
const IN_FLIGHT = 20;

let service: Service;
let client: Client;

beforeAll(async () => {
  service = await startElasticsearch();
  client = new Client({ node: service.url, maxRetries: 0 });
});

afterAll(async () => {
  await client.close();
  await service.stop();
});

/** Writers on one directory; `seen` is every exchange that one of them had the reply of. */
function writersOf(settings: Record<string, string>) {
  const script = fileURLToPath(new URL('storm-writer.mjs', import.meta.url));
  const seen: string[] = [];
  const told: string[] = [];
  const living = new Set<ChildProcess>();
  function start(): void {
    const writer = fork(script, [JSON.stringify(settings)], { silent: true });
    living.add(writer);
    let rest = '';
    writer.stdout?.on('data', (text: Buffer) => {
      const lines = (rest + String(text)).split('\n');
      rest = lines.pop() ?? '';
      seen.push(...lines);
    });
    writer.stderr?.on('data', (text: Buffer) => told.push(String(text)));
  }
  async function end(writer: ChildProcess, how: 'kill' | 'stop'): Promise<void> {
    living.delete(writer);
    const closed = once(writer, 'close');
    if (how === 'kill') writer.kill('SIGKILL');
    else writer.send('stop');
    await closed;
  }
  onTestFinished(() => living.forEach((writer) => writer.kill('SIGKILL')));
  return { seen, told, start, end, living };
}

interface Logged {
  readonly event: { readonly id: string };
  readonly http: { readonly request: { readonly id: string } };
}

async function everythingLogged(run: string): Promise<Logged[]> {
  await client.indices.refresh({ index: LOG_DATA_STREAM });
  const found: Logged[] = [];
  for (let after: string[] | undefined; ;) {
    const page = await client.search<Logged>({
      index: LOG_DATA_STREAM,
      size: 10_000,
      query: { term: { 'labels.run': run } },
      sort: ['event.id'],
      _source: ['event.id', 'http.request.id'],
      ...(after && { search_after: after }),
    });
    const { hits } = page.hits;
    found.push(...hits.flatMap(({ _source }) => (_source === undefined ? [] : [_source])));
    if (hits.length < 10_000) return found;
    after = hits.at(-1)?.sort as string[];
  }
}

/** Spoils about every third bulk request, each time in another way. */
function spoil(proxy: FaultProxy): NodeJS.Timeout {
  const faults = ['half', 'busy', 'lose-answer', 'unavailable'] as const;
  let turn = 0;
  return setInterval(() => (proxy.next = faults[turn++ % faults.length]), 150);
}

test(
  `${EXCHANGES} exchanges in processes that are killed, to an Elasticsearch that stops and stumbles: each logged once`,
  { timeout: 400_000 },
  async () => {
    let counted = 0;
    const origin = createServer((_, response) => {
      counted += 1;
      response.end('{}');
    });
    await once(origin.listen(0, '127.0.0.1'), 'listening');
    const proxy = await faultProxy(service.url);
    const directory = await logDirectory();
    const run = `storm-${process.pid}-${Date.now()}`;
    const writers = writersOf({
      dataDir: dirname(directory),
      url: `http://127.0.0.1:${(origin.address() as AddressInfo).port}/`,
      elasticsearch: proxy.url,
      run,
    });
    const spoiling = spoil(proxy);
    let kills = 0;
    let outage: Promise<void> | undefined;
    for (let n = 0; n < WRITERS; n++) writers.start();
    while (writers.seen.length < EXCHANGES) {
      await delay(1000);
      const [oldest] = writers.living;
      // One that has not begun to send teaches nothing.
      if (oldest === undefined || writers.seen.length === 0) continue;
      kills += 1;
      await writers.end(oldest, 'kill');
      writers.start();
      if (kills === 3)
        outage = service
          .kill()
          .then(() => delay(2000))
          .then(() => service.start());
    }
    await outage;
    clearInterval(spoiling);
    proxy.next = undefined;
    await Promise.all([...writers.living].map((writer) => writers.end(writer, 'stop')));

    // What the killed ones left is shipped by the next log on their directory.
    const last = openExchangeLog({
      directory,
      sinks: [elasticsearchSink({ client: async () => client })],
    });
    await expect.poll(() => filesIn(directory), { timeout: 120_000, interval: 200 }).toStrictEqual([]);
    await last.close();

    const logged = await everythingLogged(run);
    const times = new Map<string, number>();
    for (const { http } of logged) times.set(http.request.id, (times.get(http.request.id) ?? 0) + 1);
    expect(new Set(logged.map(({ event }) => event.id)).size).toBe(logged.length);
    expect(writers.seen.filter((id) => times.get(id) !== 1)).toStrictEqual([]);
    expect([...times.values()].filter((count) => count !== 1)).toStrictEqual([]);
    expect(counted - logged.length).toBeGreaterThanOrEqual(0);
    expect(counted - logged.length).toBeLessThanOrEqual(kills * IN_FLIGHT);
    expect(kills).toBeGreaterThan(3);
    await proxy.close();
    origin.close();
  },
);
