// Puts one option after the other on Object.prototype, calls through every door meanwhile, and prints what came out
// otherwise than without it. In a process of its own: nothing in it is safe while this lasts.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { ProxyManager } from 'proxy-manager';

const [dataDir] = process.argv.slice(2);
const listen = async (handler) => {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: server.address().port, url: `http://127.0.0.1:${server.address().port}` };
};

let hits = [];
const origin = await listen((req, res) => {
  let body = '';
  req.on('data', (chunk) => (body += chunk));
  req.on('end', () => {
    const { authorization, evil } = req.headers;
    hits.push({ method: req.method, url: req.url, authorization, evil, body });
    if (req.url === '/redirect') res.writeHead(302, { location: '/items' }).end();
    else
      res.writeHead(req.url === '/refused' ? 401 : 200, { 'content-type': 'application/json' }).end('{"role":"user"}');
  });
});
const attacker = await listen((req, res) => {
  hits.push('attacker');
  res.end('{"role":"admin"}');
});

const seen =
  (name, then) =>
  (...given) => {
    hits.push(name);
    return then?.(...given);
  };
// Without `timeout` and `signal`, by which Node's own sockets fail.
const OPTIONS = {
  adapter: seen('adapter'),
  allowAbsoluteUrls: false,
  allowedSocketPaths: [],
  auth: { username: 'attacker', password: 'x' },
  baseURL: attacker.url,
  bodies: { maxBytes: 1e6 },
  beforeRedirect: seen('beforeRedirect'),
  body: 'evil',
  common: { evil: '1' },
  cost: 0,
  countRedirects: false,
  data: 'evil',
  decompress: false,
  env: {},
  family: 6,
  formDataHeaderPolicy: 'content-only',
  headers: { evil: '1' },
  http2Options: {},
  httpAgent: new http.Agent(),
  httpVersion: 2,
  insecureHTTPParser: true,
  lookup: seen('lookup', (host, options, done) => done(null, '127.0.0.1', 4)),
  maxBodyLength: 1,
  maxContentLength: 1,
  maxRate: 1,
  maxRedirects: 0,
  method: 'DELETE',
  outcome: seen('outcome'),
  params: { evil: '1' },
  paramsSerializer: seen('paramsSerializer', () => 'evil=1'),
  parseReviver: seen('parseReviver', (key, value) => value),
  password: 'x',
  proxy: { host: '127.0.0.1', port: attacker.port },
  responseEncoding: 'hex',
  responseType: 'stream',
  sample: 0.5,
  sensitiveHeaders: ['accept'],
  service: { name: 'evil' },
  socketPath: '/none.sock',
  timeoutErrorMessage: 'evil',
  transformRequest: seen('transformRequest', (data) => data),
  transformResponse: seen('transformResponse', (data) => data),
  transitional: { silentJSONParsing: false },
  transport: { request: seen('transport', http.request) },
  url: attacker.url,
  username: 'attacker',
  validateStatus: () => true,
};
// Words of fetch itself, which the platform's fetch takes from there too.
const OF_FETCH = new Set(['body', 'headers', 'method']);

const agent = new http.Agent({ keepAlive: true });
const json = JSON.stringify({ a: 1 });
const DOORS = {
  axios: (request, url, data) => (data ? request.axios.post(url, data, {}) : request.axios.get(url, {})),
  'axios, through its own adapter': (request, url, data) =>
    data ? request.axios.post(url, data, { httpAgent: agent }) : request.axios.get(url, { httpAgent: agent }),
  send: (request, url, data) => request.send(url, data ? { method: 'POST', data } : {}),
  'send of a config': (request, url, data) => request.send(data ? { url, method: 'POST', data } : { url }),
  fetch: async (request, url, data) => {
    const response = await request.fetch(url, data ? { method: 'POST', body: json } : {});
    return { status: response.status, data: await response.text() };
  },
};

const manager = new ProxyManager({
  dataDir,
  usage: 'memory',
  secrets: { key_based: { api: { keys: ['the-secret-key'], apply: { headers: { 'x-api-key': '{key}' } } } } },
});
const request = manager.request('api', { userAgent: false, retry: { attempts: 1 } });
await request.send(origin.url);

let warned = [];
process.on('warning', ({ message }) => warned.push(message));

/** What of the records since `from` the pollution could have changed. */
function recorded(from) {
  const lines = spool().slice(from).toString().split('\n').filter(Boolean);
  return lines.map((line) => {
    const record = JSON.parse(line);
    const { http: of, proxy_manager: own } = record;
    return [of.request, of.response, own, record].map((part) =>
      ['body', 'headers', 'sample_rate', 'service'].map((name) => Object.hasOwn(part ?? {}, name) && part[name]),
    );
  });
}

function spool() {
  const log = join(dataDir, 'log');
  const names = readdirSync(log).filter((name) => name.endsWith('.ndjson'));
  return Buffer.concat(names.toSorted().map((name) => readFileSync(join(log, name))));
}

async function outcome(door, path, data) {
  hits = [];
  warned = [];
  const from = spool().length;
  const end = await DOORS[door](request, `${origin.url}${path}`, data).then(
    ({ status, data: told }) => ({ status, told }),
    ({ code, message, response }) => ({ code, message, status: response?.status }),
  );
  // Warnings come a moment later.
  await new Promise(setImmediate);
  return JSON.stringify({ end, hits, records: recorded(from), warned });
}

async function polluted(name, value, work) {
  Reflect.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
  try {
    return await work();
  } finally {
    delete Object.prototype[name];
  }
}

const CALLS = [{ path: '/items' }, { path: '/items', data: { a: 1 } }, { path: '/redirect' }, { path: '/refused' }];
const differences = [];
let compared = 0;
for (const door of Object.keys(DOORS)) {
  for (const { path, data } of CALLS) {
    const clean = await outcome(door, path, data);
    for (const [name, value] of Object.entries(OPTIONS)) {
      if (door === 'fetch' && OF_FETCH.has(name)) continue;
      const found = await polluted(name, value, () => outcome(door, path, data));
      compared += 1;
      if (found !== clean) differences.push(`${name} at ${door} of ${path}: ${found} and not ${clean}`);
    }
  }
}
await manager.close();
agent.destroy();
origin.server.close();
attacker.server.close();
process.stdout.write(JSON.stringify({ compared, differences }));
