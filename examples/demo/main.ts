import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProxyManager } from 'proxy-manager';
import { catalogRequests, compareUses, throttleFaults } from './compare.js';
import { latency } from './latency.js';
import { countInElasticsearch, countInSpool } from './log-count.js';
import { readOptions, type DemoOptions } from './options.js';
import { bold, dim, green, red } from './paint.js';
import { recallPort, rememberPort } from './port-memory.js';
import { agrees, type Report } from './report.js';
import { secretsFile, startServers } from './servers.js';
import { mintSecrets, type ServerStats } from './settings.js';
import { drawTable } from './table.js';
import { describePlaces, type LogPlace } from './where.js';
import { runCache, runKeys, runProxies } from './workload.js';

/** How long a reply of the catalog is served from the cache. */
const CACHE_TTL_MS = 60 * 60 * 1000;

const print = (text: string): boolean => process.stdout.write(text);

async function serverStats(baseURL: string): Promise<ServerStats> {
  return (await (await fetch(`${baseURL}/stats`)).json()) as ServerStats;
}

async function work(manager: ProxyManager, baseURL: string, run: string): Promise<Omit<Report, 'log'>> {
  const defaults = { baseURL, labels: { run } };
  const keys = await runKeys(manager.request('demo_keys', defaults));
  const proxies = await runProxies(manager.request('demo_proxies', defaults));
  const cache = await runCache(manager.request('demo_catalog', { ...defaults, cache: { ttlMs: CACHE_TTL_MS } }));

  const stats = await serverStats(baseURL);
  const tallies = [keys, proxies, cache];
  const sum = (of: (tally: typeof keys) => number): number => tallies.reduce((total, tally) => total + of(tally), 0);
  const report = {
    run,
    keys: await compareUses(manager, 'demo_keys', keys, stats),
    proxies: await compareUses(manager, 'demo_proxies', proxies, stats),
    exhausted: sum(({ exhausted }) => exhausted),
    cache: {
      sends: cache.sends,
      hits: cache.hits,
      fetched: { name: 'fetched', library: cache.attempts, other: catalogRequests(stats) },
    },
    requests: { name: 'requests', library: sum(({ attempts }) => attempts), other: stats.requests },
    retries: sum(({ attempts, answered, hits }) => attempts - (answered - hits)),
    latencies: [
      latency('API keys, 20 at once', keys.networkMs),
      latency('proxies, 12 at once', proxies.networkMs),
      latency('cache misses, 4 at once', cache.networkMs),
      latency('cache hits, 4 at once', cache.hitMs),
    ].filter((row) => row !== undefined),
  };
  return { ...report, faults: [...tallies.flatMap(({ faults }) => faults), ...throttleFaults(stats)] };
}

async function countLog(options: DemoOptions, run: string): Promise<{ place: LogPlace; records: number }> {
  const { elasticsearch } = options;
  const documents = elasticsearch === undefined ? undefined : await countInElasticsearch(elasticsearch, run);
  if (documents !== undefined) return { place: 'elasticsearch', records: documents };
  return { place: 'spool', records: await countInSpool(join(options.dataDir, 'log'), run) };
}

async function demo(options: DemoOptions): Promise<boolean> {
  const { dataDir, elasticsearch, redis } = options;
  const run = randomBytes(4).toString('hex');
  const secrets = mintSecrets();
  const { api, proxies } = await startServers(secrets, await recallPort(dataDir));
  try {
    await rememberPort(dataDir, api.ready.port);
    await using manager = new ProxyManager({
      dataDir,
      secrets: secretsFile(secrets, proxies.ready.ports),
      ...(elasticsearch === undefined ? {} : { elasticsearch }),
      ...(redis === undefined ? {} : { redis }),
    });
    print(`${bold('Proxy Manager')}  run ${run}: a rate-limited API and three proxies on 127.0.0.1\n\n`);
    const measured = await work(manager, `http://127.0.0.1:${api.ready.port}`, run);
    await manager.flush();
    const { place, records } = await countLog(options, run);
    const library = measured.requests.library + measured.cache.hits + measured.exhausted;
    const report: Report = { ...measured, log: { name: place, library, other: records } };
    const ok = agrees(report);
    print(`\n${drawTable(report)}\n`);
    for (const fault of report.faults.slice(0, 10)) print(`${red(fault)}\n`);
    print(ok ? `${green('Both sides counted the same everywhere.')}\n\n` : `${red('The two sides do NOT agree.')}\n\n`);
    print(describePlaces(options, run, place));
    const again = report.cache.fetched.library === 0 ? '' : 'Run it again to see the cache answer alone.\n';
    print(`\n${dim(`${again}All flags: npm run demo -- --help`)}\n`);
    if (options.json !== undefined) {
      await writeFile(options.json, `${JSON.stringify({ ...report, ok }, undefined, 2)}\n`);
    }
    return ok;
  } finally {
    await Promise.all([api.stop(), proxies.stop()]);
  }
}

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options !== undefined && !(await demo(options))) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${red(error instanceof Error ? error.message : String(error))}\n`);
  process.exitCode = 1;
}
