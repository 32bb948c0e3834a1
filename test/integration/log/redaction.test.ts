import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Client } from '@elastic/elasticsearch';
import { afterAll, expect, test } from 'vitest';
import { lmdbCacheStore } from '../../../packages/proxy-manager/src/cache/lmdb.js';
import { openCache } from '../../../packages/proxy-manager/src/embedded/environment.js';
import { CACHE_INDEX, LOG_DATA_STREAM } from '../../../packages/proxy-manager/src/log/assets.js';
import { elasticsearchUrl } from '../../services/urls.js';
import { logDirectory } from './support.js';

const EXCHANGES = 1000;
const SIGNS = `abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+/=%&"'\\<>;,?#@!$^~[]|`;

const client = new Client({ node: elasticsearchUrl(), maxRetries: 0 });

afterAll(() => client.close());

/** Random ones as providers give them, and as nobody should. */
function secretsOf(count: number, random: () => number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const signs = n % 2 === 0 ? SIGNS.slice(0, 62) : SIGNS;
    return Array.from(
      { length: 12 + Math.floor(random() * 30) },
      () => signs[Math.floor(random() * signs.length)],
    ).join('');
  });
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** Gives back what it was sent, in the way that the path asks for. */
async function misbehave(request: IncomingMessage, response: ServerResponse, elsewhere: string): Promise<void> {
  const body = String(await buffer(request));
  const { 'x-api-key': apiKey, authorization = '', cookie = '' } = request.headers;
  const [, behaviour = ''] = /^\/(\w+)/.exec(request.url ?? '') ?? [];
  const seen = `${request.url} ${String(apiKey)} ${authorization} ${cookie} ${body}`;
  const oneLine = seen.replaceAll(/[^ -~]/g, ' ').slice(0, 2000);
  response.setHeader('content-type', 'text/plain');
  switch (behaviour) {
    case 'headers':
      return void response.writeHead(200, oneLine.slice(0, 200), { 'x-echo': oneLine }).end('ok');
    case 'redirect':
      return void response.writeHead(302, { location: `/echo${(request.url ?? '').slice('/redirect'.length)}` }).end();
    case 'elsewhere':
      return void response
        .writeHead(307, { location: `${elsewhere}/echo?was=${encodeURIComponent(seen.slice(0, 300))}` })
        .end();
    case 'cookie':
      return void response.setHeader('set-cookie', [`a=${encodeURIComponent(seen.slice(0, 300))}`]).end('ok');
    case 'loop':
      return void response.writeHead(302, { location: request.url ?? '' }).end();
    case 'large':
      return void response.end(seen.repeat(50));
    case 'gzip':
      return void response.setHeader('content-encoding', 'gzip').end(gzipSync(seen));
    case 'hex':
      return void response.end(Buffer.from(String(apiKey ?? request.url)).toString('hex'));
    case 'base64':
      return void response.end(Buffer.from(seen).toString('base64'));
    case 'json':
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify({ seen, authorization }));
    case 'reset':
      return void request.socket.destroy();
    case 'cut':
      return void response.writeHead(200, { 'content-length': 10_000 }).write(seen, () => request.socket.destroy());
    case 'hang':
      return;
    case 'garbage':
      return void request.socket.end(`HTTP/1.1 ${oneLine}\r\n\r\n`);
    default:
      return void response.writeHead(/^[1-5]\d\d$/.test(behaviour) ? Number(behaviour) : 200).end(seen);
  }
}

async function origin(elsewhere = ''): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    misbehave(request, response, elsewhere).catch(() => request.socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What of a secret may stand nowhere: raw, as urls, forms and JSON in JSON write it, in hex, and in Base64 at any alignment. */
function formsOf(secret: string): string[] {
  const json: string[] = [];
  for (let level = 0; level < 4; level++) json.push(JSON.stringify(json.at(-1) ?? secret).slice(1, -1));
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.from('x'.repeat(shift) + secret).toString('base64');
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + secret.length) * 8) / 6));
  });
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  return [secret, encodeURIComponent(secret), form, ...json, Buffer.from(secret).toString('hex'), ...base64];
}

interface Place {
  readonly name: string;
  readonly text: string;
}

/** Where a secret stands, with what is around it. */
function leaksOf(secrets: readonly string[], places: readonly Place[]): string[] {
  const found: string[] = [];
  for (const form of secrets.flatMap(formsOf)) {
    for (const { name, text } of places) {
      const at = text.indexOf(form);
      if (at !== -1) found.push(`${name}: ...${text.slice(Math.max(0, at - 200), at + 100)}`);
    }
  }
  return found;
}

function filesBelow(directory: string): Place[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const bytes = readFileSync(path);
      return { name: entry.name, text: (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1') };
    });
}

/** Every entry of the embedded cache, decoded. */
async function cachedIn(dataDir: string): Promise<string[]> {
  const environment = await openCache(dataDir);
  const store = lmdbCacheStore({ environment: async () => environment, clock: { now: () => Date.now() } });
  const found: string[] = [];
  for await (const { key } of store.list()) {
    const entry = await store.get(key);
    if (entry !== undefined) found.push(`${JSON.stringify(entry)} ${Buffer.from(entry.body).toString('latin1')}`);
  }
  await store.close();
  await environment.close();
  return found;
}

async function storedIn(index: string, query: object): Promise<string[]> {
  await client.indices.refresh({ index });
  const found = await client.search({ index, size: 10_000, query });
  return found.hits.hits.map(({ _source }) => {
    const { body } = _source as { body?: string };
    return `${JSON.stringify(_source)} ${Buffer.from(body ?? '', 'base64').toString('latin1')}`;
  });
}

test.each(['embedded', 'elasticsearch'] as const)(
  `${EXCHANGES} exchanges with random secrets in every place, through every failure, leave none behind: %s`,
  { timeout: 300_000 },
  async (kept) => {
    const seed = Date.now() % 2 ** 31;
    const random = seeded(seed);
    const [userSecret = '', proxyPassword = '', ...keys] = secretsOf(14, random);
    const other = await origin();
    const { url, close } = await origin(other.url);
    const dataDir = dirname(await logDirectory());
    const run = `fuzz-${process.pid}-${seed}`;
    const settings = {
      dataDir,
      run,
      url,
      seed,
      userSecret,
      exchanges: EXCHANGES,
      ...(kept === 'elasticsearch' ? { elasticsearch: elasticsearchUrl() } : {}),
      secrets: {
        key_based: {
          placed: { keys: keys.slice(0, 3) },
          applied: { keys: keys.slice(3, 6), apply: 'Bearer {key}' },
          queried: { keys: keys.slice(6, 9), apply: { query: { appid: '{key}' } } },
          both: { keys: keys.slice(9) },
        },
        ip_based: { both: { proxies: [`http://us3r:${encodeURIComponent(proxyPassword)}@127.0.0.1:9`] } },
      },
    };
    const sender = fileURLToPath(new URL('fuzz-sender.mjs', import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [sender, JSON.stringify(settings)], {
      maxBuffer: 2 ** 30,
      timeout: 120_000,
    });
    close();
    other.close();

    const printed = [stdout, stderr].map((text, index) => ({ name: `output ${index + 1}`, text }));
    const places = [...printed, ...filesBelow(dataDir)];
    if (kept === 'embedded') {
      places.push(...(await cachedIn(dataDir)).map((text) => ({ name: 'embedded cache', text })));
    } else {
      const logged = await storedIn(LOG_DATA_STREAM, { term: { 'labels.run': run } });
      places.push(...logged.map((text) => ({ name: 'log', text })));
      places.push(...(await storedIn(CACHE_INDEX, { match_all: {} })).map((text) => ({ name: 'cache', text })));
    }
    expect(stderr.split('\n').length).toBeGreaterThan(EXCHANGES / 2);
    expect(places.length).toBeGreaterThan(20);
    // What the caller wrote into an url stays in the `config` of the caller's own errors, as axios has it, and goes no further.
    const leaks = [
      ...leaksOf([proxyPassword, ...keys], places),
      ...leaksOf(
        [userSecret],
        places.filter(({ name }) => name !== 'output 1'),
      ),
    ];
    expect([`seed ${seed}`, ...leaks.slice(0, 5)]).toStrictEqual([`seed ${seed}`]);
  },
);
