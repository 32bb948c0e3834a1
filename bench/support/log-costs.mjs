// What the log costs, measured below its surface: prints one line of JSON. Elasticsearch is met where ELASTICSEARCH_URL says.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toLine } from '../../packages/proxy-manager/dist/log/exchange-line.js';
import { elasticsearchSink } from '../../packages/proxy-manager/dist/log/elasticsearch.js';
import { installAssets } from '../../packages/proxy-manager/dist/log/install-assets.js';
import { openExchangeLog } from '../../packages/proxy-manager/dist/log/open-exchange-log.js';
import { openAttempt, openTrace } from '../../packages/proxy-manager/dist/pipeline/exchange.js';

const ROUNDS = 7;
const EXCHANGES = 5_000;
const IN_FLIGHT = 50;
const DOCUMENTS = 5_000;
const BATCH = 500;

const now = Date.now();
const meter = { id: 'key-1', windows: [{ limit: 1000, everyMs: 86_400_000 }] };
const taken = [
  { id: 'key-1', kind: 'key', total: 1, windows: [{ limit: 1000, used: 1, resetsAtMs: now + 86_400_000 }] },
];
const headers = [
  ['accept', 'application/json'],
  ['accept-language', 'en-US,en;q=0.9'],
  ['x-api-key', '{key}'],
  ['content-type', 'application/json'],
];
const reply = {
  status: 200,
  statusText: 'OK',
  headers: [
    ['content-type', 'application/json; charset=utf-8'],
    ['date', new Date(now).toUTCString()],
  ],
  body: new Uint8Array(300),
  url: new URL('https://api.example.com/v1/items/42?page=1'),
  httpVersion: '1.1',
  verdict: { kind: 'good' },
};

function exchangeOf(number) {
  const attempt = {
    ...openAttempt(1, now),
    taken,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
    verdict: { kind: 'good' },
    sent: true,
    bytesSent: 312,
    bytesReceived: 2048,
    ttfbMs: 12.5,
    downloadMs: 0.4,
  };
  return {
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    endpoint: { name: 'bench', pace: undefined },
    pool,
    request: {
      method: 'GET',
      url: new URL(`https://api.example.com/v1/items/${number}?page=1`),
      headers,
      body: undefined,
    },
    policy: { cache: { ttlMs: 60_000 }, retry: { attempts: 3 }, labels: { run: 'bench' } },
    attempt,
    trace: { ...openTrace(now), cache: 'miss', cacheKey: 'a'.repeat(64), last: attempt },
  };
}
const pool = { endpoint: 'bench', sections: [{ kind: 'key', meters: [meter] }] };

const state = mkdtempSync(join(tmpdir(), 'proxy-manager-bench-'));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** CPU per exchange of making its record and bringing it to the operating system, in µs. */
async function costs(inFlight) {
  const log = openExchangeLog({ directory: join(state, `costs-${inFlight}`), sinks: [] });
  const rounds = [];
  for (let round = -2; round < ROUNDS; round++) {
    const exchanges = Array.from({ length: EXCHANGES }, (_, number) => exchangeOf(number));
    const before = process.cpuUsage();
    for (let from = 0; from < EXCHANGES; from += inFlight) {
      const turn = exchanges.slice(from, from + inFlight);
      await Promise.all(turn.map((exchange) => log.gather(toLine(exchange, { reply }, now, 12))));
    }
    const { user, system } = process.cpuUsage(before);
    if (round >= 0) rounds.push((user + system) / EXCHANGES);
  }
  await log.close();
  return median(rounds);
}

/** Documents per second, of the log and of a loop over `client.bulk`, round by round in turn. */
async function rates(node) {
  const { Client } = await import('@elastic/elasticsearch');
  const client = new Client({ node, maxRetries: 0 });
  // Before the loop, which would make an index of another kind.
  await installAssets(client);
  const log = openExchangeLog({
    directory: join(state, 'rates'),
    sinks: [elasticsearchSink({ client: async () => client })],
  });
  const records = () =>
    Array.from({ length: DOCUMENTS }, (_, number) => toLine(exchangeOf(number), { reply }, Date.now(), 12));
  const ways = {
    async log(documents) {
      for (let from = 0; from < documents.length; from += IN_FLIGHT) {
        await Promise.all(documents.slice(from, from + IN_FLIGHT).map((document) => log.gather(document)));
      }
      if (!(await log.flush(60_000))) throw new Error('not all of it was shipped');
    },
    async bulk(documents) {
      for (let from = 0; from < documents.length; from += BATCH) {
        const operations = documents
          .slice(from, from + BATCH)
          .flatMap((document) => [{ create: { _id: document.event.id } }, document]);
        const { errors } = await client.bulk({ index: 'logs-proxy_manager.exchange-default', operations });
        if (errors) throw new Error('a document was refused');
      }
    },
  };
  const found = { log: [], bulk: [] };
  for (let round = -1; round < ROUNDS; round++) {
    const turns = Object.entries(ways);
    for (const [name, ship] of round % 2 === 0 ? turns : turns.toReversed()) {
      const lines = records();
      const documents = name === 'log' ? lines : lines.map(({ text }) => JSON.parse(text));
      const startedMs = performance.now();
      await ship(documents);
      if (round >= 0) found[name].push(DOCUMENTS / ((performance.now() - startedMs) / 1000));
    }
  }
  await log.close();
  await client.close();
  return {
    log: median(found.log),
    bulk: median(found.bulk),
    ratio: median(found.log.map((rate, n) => rate / found.bulk[n])),
  };
}

const cost = { alone: await costs(1), together: await costs(IN_FLIGHT) };
const node = process.env.ELASTICSEARCH_URL;
console.log(JSON.stringify({ cost, rate: node ? await rates(node) : undefined }));
rmSync(state, { recursive: true });
