// Sends exchanges with secrets in every place, through every failure, and prints all that it is given.
import { inspect } from 'node:util';
import { ProxyManager } from 'proxy-manager';

const { secrets, dataDir, elasticsearch, run, url, exchanges, seed, userSecret } = JSON.parse(process.argv[2]);
// Time flies, so that no key rests for long.
let flownMs = 0;
const manager = new ProxyManager({
  clock: { now: () => Date.now() + flownMs },
  secrets,
  dataDir,
  elasticsearch,
  log: {
    headers: [
      'x-echo',
      'x-trace',
      'authorization',
      'cookie',
      'set-cookie',
      'location',
      'x-api-key',
      'x-placed',
      'content-type',
    ],
    bodies: { maxBytes: 300 },
    console: true,
    maxDays: 3650,
  },
});

let state = seed;
/** A number below `limit`, the same ones in every run of a seed. */
function random(limit) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

function show(value) {
  console.log(inspect(value, { depth: 10, showHidden: true, maxStringLength: 2000, maxArrayLength: 50 }));
  try {
    console.log(JSON.stringify(value));
  } catch {
    console.log(String(value));
  }
}

const BEHAVIOURS = [
  'echo',
  'headers',
  'redirect',
  'elsewhere',
  'cookie',
  'status',
  'gzip',
  'hex',
  'base64',
  'json',
  'reset',
  'cut',
  'hang',
  'garbage',
  'loop',
  'large',
  '403',
  '429',
  '500',
  '503',
];
const pick = (list) => list[random(list.length)];

/** The ways in which a key may be placed: `key` is {key}, or one that was given out. */
const PLACES = [
  (key) => ({ path: `?k=${key === '{key}' ? key : encodeURIComponent(key)}` }),
  (key) => ({ path: `/${key === '{key}' ? key : encodeURIComponent(key)}/x` }),
  (key) => ({ params: { token: key } }),
  (key) => ({ headers: { 'x-api-key': key } }),
  (key) => ({ headers: { 'x-placed': `a ${key} b`, cookie: `session=${encodeURIComponent(key)}` } }),
  (key) => ({ headers: { 'x-api-key': key }, auth: { username: key, password: 'x' } }),
  (key) => ({ method: 'POST', data: { nested: [key] }, headers: { 'x-api-key': key } }),
  (key) => ({ method: 'PUT', data: new URLSearchParams({ key }), headers: { 'x-api-key': key } }),
  (key) => ({ method: 'POST', data: `plain ${key}`, headers: { 'content-type': 'text/plain', 'x-api-key': key } }),
];

/** Where nobody answers, in one way or another: no port, no such name, no TLS. */
const NOWHERE = ['http://127.0.0.1:9', 'http://nowhere.invalid', url.replace('http:', 'https:')];

/** Words that end an exchange before its time. */
const ENDINGS = [
  () => ({ signal: AbortSignal.timeout(random(20)) }),
  () => ({ retry: { attempts: 3, deadlineMs: 50, unsafe: true } }),
  () => ({ maxContentLength: 100 }),
  () => ({ maxRedirects: 0 }),
];

/** Each door in its own words; what is given back is shown without the body, which is the caller's. */
const DOORS = [
  async (req, { base, path }, words) => {
    const { data, ...rest } = await req.send(`${base}${path}`, words);
    if (typeof data === 'object') await data?.toArray?.();
    return rest;
  },
  async (req, { base, path }, words) => {
    const { data, ...rest } = await req.send(path, { ...words, baseURL: base });
    if (typeof data === 'object') await data?.toArray?.();
    return rest;
  },
  async (req, { base, path }, words) => {
    const { data, ...rest } = await req.axios({ ...words, baseURL: base, url: path });
    if (typeof data === 'object') await data?.toArray?.();
    return rest;
  },
  async (req, { base, path }, { labels, cache, retry, signal, method, headers, params, data, userAgent }) => {
    const query = params === undefined ? '' : `?${new URLSearchParams(params)}`;
    const body = typeof data === 'object' && !(data instanceof URLSearchParams) ? JSON.stringify(data) : data;
    const words = { labels, cache, retry, signal: signal ?? AbortSignal.timeout(300), headers };
    const res = await req.fetch(`${base}${path}${query}`, {
      ...words,
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
      ...(userAgent === undefined ? {} : { userAgent }),
    });
    await res.text();
    return res;
  },
];

/** What has not ended yet, to be told where the test has waited too long. */
const underWay = new Set();
process.on('SIGTERM', () => {
  console.error('under way:', [...underWay]);
  process.exit(1);
});

async function exchange(req, key, extras) {
  flownMs += 1_800_000;
  const { path = '', ...words } = pick(PLACES)(key);
  // What a server puts of a login into a session's cookies is the site's, and comes back where nobody knows it.
  const withUser = req !== visitor && random(8) === 0;
  const origin = withUser ? url.replace('//', `//user:${encodeURIComponent(userSecret)}@`) : url;
  const base = random(15) === 0 ? pick(NOWHERE) : origin;
  const behaviour = pick(BEHAVIOURS);
  const door = pick(DOORS);
  const name = Symbol(`door ${DOORS.indexOf(door)}, ${base === origin ? behaviour : 'nowhere'}`);
  underWay.add(name);
  try {
    const rest = await door(
      req,
      { base, path: `/${behaviour}${path}` },
      {
        labels: { run, given: key },
        timeout: 300,
        cache: random(2) === 0,
        responseType: random(5) === 0 ? 'stream' : 'text',
        decompress: random(4) !== 0,
        retry: { attempts: 1 + random(2), unsafe: true },
        ...(random(6) === 0 ? pick(ENDINGS)() : {}),
        ...words,
        ...extras,
      },
    );
    show(rest);
  } catch (error) {
    // A body is the caller's, as the server sent it.
    if (error.response) delete error.response.data;
    show(error);
  } finally {
    underWay.delete(name);
  }
}

const requests = ['placed', 'applied', 'queried', 'both'].map((name) => manager.request(name));
const visitor = manager.request('placed', { session: 'ann' });
requests.push(visitor);
const pinned = manager.request('placed');
let key;
async function sender(count) {
  for (let n = 0; n < count; n++) {
    if (random(4) > 0) await exchange(pick(requests), '{key}', {});
    else {
      if (key === undefined || random(10) === 0) ({ key } = await pinned.getKeyProxy().catch(() => ({ key })));
      // Its place may also be one where no key belongs: that is refused, and tells nothing.
      if (key === undefined) continue;
      const extras = random(20) === 0 ? pick([{ userAgent: `agent ${key}` }, { method: key }]) : {};
      await exchange(pinned, key, extras);
    }
  }
}
await Promise.all(Array.from({ length: 10 }, () => sender(exchanges / 10)));
show(manager);
show(await manager.usage());
await manager.close();
