import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RequestDefaults } from '../../src/config/options.js';
import type { SecretsFile } from '../../src/config/secrets-file.js';
import { openEnvironment } from '../../src/embedded/environment.js';
import { embeddedSessions } from '../../src/session/embedded-sessions.js';
import { Session } from '../../src/session/session.js';
import { ProxyManager } from '../../src/proxy-manager.js';
import type { Request } from '../../src/request.js';
import { startOrigin } from '../servers/origin.js';
import type { Origin } from '../servers/origin.js';

interface Hit {
  readonly key: string;
  readonly userAgent: string;
  readonly cookie: string | undefined;
}

const SECRETS: SecretsFile = {
  key_based: {
    shop: {
      keys: ['key-number-one', 'key-number-two', 'key-number-three'],
      apply: { headers: { 'x-api-key': '{key}' } },
    },
  },
};

let dataDir = '';
let hits: Hit[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => unknown;
let origin: Origin;
let manager: ProxyManager;
let nowMs = 0;

function open(secrets: SecretsFile = SECRETS): void {
  manager = new ProxyManager({ secrets, dataDir, clock: { now: () => nowMs } });
}

/** All bytes of all files below a directory. */
function everyByteBelow(dir: string): Buffer {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
}

const request = (options: RequestDefaults = {}): Request =>
  manager.request('shop', { validateStatus: () => true, retry: { attempts: 1 }, ...options });

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'session-'));
  nowMs = Date.now();
  hits = [];
  answer = (_, response) => response.end('ok');
  origin = await startOrigin((incoming, response) => {
    const { 'x-api-key': key, 'user-agent': userAgent = '', cookie } = incoming.headers;
    hits.push({ key: String(key), userAgent, cookie });
    return answer(incoming, response);
  });
  open();
});
afterEach(async () => {
  await manager.close();
  await origin[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

const keys = (): Set<string> => new Set(hits.map(({ key }) => key));
const agents = (): Set<string> => new Set(hits.map(({ userAgent }) => userAgent));

test('one name is one key and one user agent, in every Request and from the first requests on', async () => {
  const [one, two] = [request({ session: 'ann' }), request({ session: 'ann' })];
  await Promise.all(Array.from({ length: 12 }, (_, n) => (n % 2 === 0 ? one : two).send(origin.url)));
  expect([keys().size, agents().size]).toEqual([1, 1]);
  const counted = await manager.usage('shop');
  expect(counted.map(({ windows }) => windows[0]?.used).filter(Boolean)).toHaveLength(0);
  await request({ session: 'ben' }).send(origin.url);
  expect(keys().size).toBe(2);
});

test('it keeps cookies, by host and path, beside those of the caller, and survives a restart', async () => {
  answer = ({ url }, response) => {
    if (url === '/login') response.setHeader('set-cookie', ['sid=s1; HttpOnly', 'theme=dark; Path=/shop']);
    response.end('ok');
  };
  await request({ session: 'ann' }).send(`${origin.url}/login`);
  await request({ session: 'ann' }).send(`${origin.url}/shop`, { headers: { cookie: 'mine=1' } });
  await request().send(`${origin.url}/shop`);
  await manager.close();
  open();
  await request({ session: 'ann' }).send(`${origin.url}/other`);
  expect(hits.map(({ cookie }) => cookie)).toEqual([undefined, 'mine=1; theme=dark; sid=s1', undefined, 'sid=s1']);
  expect(new Set([hits[0], hits[1], hits[3]].map((hit) => `${hit?.key} ${hit?.userAgent}`)).size).toBe(1);
});

test('a cookie that a server has put the key into is sent back, and lies in no file', async () => {
  const values = (key: unknown): string[] => [`id=${encodeURIComponent(`of ${String(key)}`)}`, 'theme=dark'];
  answer = ({ url, headers }, response) => {
    if (url === '/echo') response.setHeader('set-cookie', values(headers['x-api-key']));
    if (url === '/clean') response.setHeader('set-cookie', 'id=7');
    response.end();
  };
  const everyFile = (): string => everyByteBelow(dataDir).toString('latin1');
  const ann = request({ session: 'ann' });
  await ann.send(`${origin.url}/echo`);
  await ann.send(`${origin.url}/page`);
  expect(hits.at(-1)?.cookie).toBe(values(hits[0]?.key).join('; '));
  await manager.close();
  expect(everyFile()).toContain('theme');
  expect(everyFile()).not.toContain(hits[0]?.key);

  open();
  const next = request({ session: 'ann' });
  await next.send(`${origin.url}/clean`);
  expect(hits.at(-1)?.cookie).toBe('theme=dark');
  await manager.close();
  open();
  await request({ session: 'ann' }).send(`${origin.url}/page`);
  expect(hits.at(-1)?.cookie?.split('; ').toSorted()).toStrictEqual(['id=7', 'theme=dark']);
});

test('it keeps no more cookies of a site, and no longer ones, than browsers do: the oldest go', async () => {
  answer = ({ url }, response) => {
    const first = Number(url?.slice(1));
    const many = Array.from({ length: 50 }, (_, n) => `n${first + n}=v`);
    response.writeHead(200, { 'set-cookie': first === 0 ? [`big=${'x'.repeat(5000)}`, ...many] : many }).end();
  };
  const ann = request({ session: 'ann' });
  for (let first = 0; first < 250; first += 50) await ann.send(`${origin.url}/${first}`);
  answer = (_, response) => response.end();
  await ann.send(origin.url);
  const names =
    hits
      .at(-1)
      ?.cookie?.split('; ')
      .map((pair) => pair.split('=')[0]) ?? [];
  expect(names).toHaveLength(180);
  expect(names).not.toContain('big');
  expect(names).toContain('n249');
  expect(names).not.toContain('n0');
});

test('cookies set by a redirect go with the next hop, and none to another site', async () => {
  const seen: (string | undefined)[] = [];
  await using other = await startOrigin((incoming, response): void => {
    seen.push(incoming.headers.cookie);
    response.end('there');
  });
  const elsewhere: string = other.url.replace('127.0.0.1', 'localhost');
  answer = ({ url }, response) => {
    if (url === '/one') response.writeHead(302, { location: '/two', 'set-cookie': 'sid=s1' }).end();
    else if (url === '/two') response.writeHead(302, { location: elsewhere }).end();
    else response.end('ok');
  };
  const ann = request({ session: 'ann' });
  await ann.send(`${origin.url}/one`);
  expect(hits.map(({ cookie }) => cookie)).toEqual([undefined, 'sid=s1']);
  expect(seen).toEqual([undefined]);
});

test.each([
  ['too old', { maxAgeMs: 60_000 }, async () => void (nowMs += 60_000)],
  ['used up', { maxUses: 2 }, async (ann: Request): Promise<void> => void (await ann.send(origin.url))],
  [
    'throttled too often',
    { maxErrors: 1 },
    async (ann: Request) => {
      answer = (_, response) => response.writeHead(429, { 'retry-after': '0' }).end();
      await ann.send(origin.url);
      answer = (_, response) => response.end('ok');
    },
  ],
  [
    'refused',
    {},
    async (ann: Request) => {
      answer = (_, response) => response.writeHead(401).end();
      await ann.send(origin.url);
      answer = (_, response) => response.end('ok');
    },
  ],
])('one that is %s is followed by another, without its cookies', async (_, rules, spoil) => {
  const ann = request({ session: { name: 'ann', ...rules } });
  answer = (__, response) => response.writeHead(200, { 'set-cookie': 'sid=s1' }).end();
  await ann.send(origin.url);
  answer = (__, response) => response.end('ok');
  await spoil(ann);
  const before = hits.at(-1);
  await ann.send(origin.url);
  const after = hits.at(-1);
  expect(after?.key).not.toBe(before?.key);
  expect(after?.cookie).toBeUndefined();
});

test('Requests with different rules for one name each go by their own, and whoever begins another does it for all', async () => {
  const hasty = request({ session: { name: 'ann', maxAgeMs: 60_000 } });
  const patient = request({ session: 'ann' });
  await hasty.send(origin.url);
  nowMs += 60_000;
  await patient.send(origin.url);
  await hasty.send(origin.url);
  await patient.send(origin.url);
  const [first, second, third, fourth] = hits.map(({ key }) => key);
  expect([second === first, third === first, fourth === third]).toEqual([true, false, true]);
});

test('what is kept of it tells when it has ended, or will', async () => {
  const endsAt = async (name: string, rules: object): Promise<number | undefined> => {
    await request({ session: { name, ...rules } }).send(origin.url);
    await manager.close();
    const environment = await openEnvironment(dataDir);
    const store = embeddedSessions(async () => environment);
    const saved = await store.read(`key\nshop\n${name}`);
    await environment.close();
    open();
    return saved?.endsAtMs;
  };
  expect(await endsAt('lasting', {})).toBe(Infinity);
  expect(await endsAt('ageing', { maxAgeMs: 60_000 })).toBe(nowMs + 60_000);
  expect(await endsAt('used up', { maxUses: 1 })).toBe(nowMs);
  answer = (_, response) => response.writeHead(401).end();
  expect(await endsAt('refused', { maxAgeMs: 60_000 })).toBe(nowMs);
});

test('getKeyProxy gives the key of the session', async () => {
  const ann = request({ session: 'ann' });
  await ann.send(origin.url);
  const { key } = await request({ session: 'ann' }).getKeyProxy();
  expect(key).toBe(hits[0]?.key);
});

test('what getKeyProxy gave keeps its user agent and cookies when others begin the session anew', async () => {
  answer = (_, response) => response.writeHead(200, { 'set-cookie': `sid=s${hits.length}` }).end();
  const kept = request({ session: 'ann' });
  await kept.getKeyProxy();
  await kept.send(origin.url);
  const others = request({ session: { name: 'ann', maxUses: 1 } });
  await others.send(origin.url);
  await kept.send(origin.url);
  const [first, second, third] = hits;
  expect(second?.key).not.toBe(first?.key);
  expect(third).toEqual({ key: first?.key, userAgent: first?.userAgent, cookie: 'sid=s1' });
});

test('one that was turned away stays so, whatever was under way', async () => {
  const late = new Promise<ServerResponse>((resolve) => {
    answer = ({ url }, response) => {
      if (url === '/slow') resolve(response);
      else response.writeHead(url === '/bad' ? 401 : 200).end();
    };
  });
  const ann = request({ session: 'ann' });
  const slow = ann.send(`${origin.url}/slow`);
  const held = await late;
  await ann.send(`${origin.url}/bad`);
  held.end('ok');
  await slow;
  await ann.send(origin.url);
  expect(hits[2]?.key).not.toBe(hits[0]?.key);
});

test('after a verdict that ends it the retry begins the next one', async () => {
  answer = (_, response) => response.writeHead(hits.length === 1 ? 401 : 200, { 'set-cookie': 'sid=s1' }).end();
  const ann = request({ session: 'ann', retry: { attempts: 2 } });
  expect((await ann.send(origin.url)).status).toBe(200);
  await ann.send(origin.url);
  expect(hits.map(({ cookie }) => cookie)).toEqual([undefined, undefined, 'sid=s1']);
  expect([hits[1]?.key === hits[0]?.key, hits[2]?.key === hits[1]?.key]).toEqual([false, true]);
});

test('what was never sent is no use of it', async () => {
  await manager.close();
  open({
    key_based: { shop: { ...SECRETS.key_based?.['shop'], keys: ['key-number-one'], limit: 1, refresh_rate: 60 } },
  });
  answer = (_, response) => response.writeHead(200, { 'set-cookie': 'sid=s1' }).end();
  const ann = request({ session: { name: 'ann', maxUses: 2 } });
  await ann.send(origin.url);
  await expect(ann.send(origin.url)).rejects.toThrow('are used up');
  nowMs += 3_600_000;
  await ann.send(origin.url);
  expect(hits[1]?.cookie).toBe('sid=s1');
});

test('a filtered user agent is kept over a restart too', async () => {
  const ann = { session: 'ann', userAgent: { deviceCategory: 'desktop' } } as const;
  for (let run = 0; run < 3; run += 1) {
    await request(ann).send(origin.url);
    await manager.close();
    open();
  }
  expect(agents().size).toBe(1);
});

test('explain tells of a session that is over, and of one whose key is gone, what send does', async () => {
  await request({ session: 'ann' }).send(origin.url);
  const over = request({ session: { name: 'ann', maxUses: 1 } });
  const told = await over.explain(origin.url);
  const { exchange } = await over.send(origin.url);
  expect(told.key?.id).toBe(exchange.credential?.id);
  expect(hits[1]?.key).not.toBe(hits[0]?.key);
  await manager.close();
  open({ key_based: { shop: { ...SECRETS.key_based?.['shop'], keys: ['key-number-three'] } } });
  const { waitMs, sends } = await request({ session: 'ann' }).explain(origin.url);
  expect([waitMs, sends]).toEqual([0, true]);
});

test('replies that differ by credential are cached for a session', async () => {
  const cache = { perCredential: true };
  await request({ session: 'ann', cache }).send(origin.url);
  const again = await request({ session: 'ann', cache }).send(origin.url);
  const others = await request({ session: 'ben', cache }).send(origin.url);
  expect([again.exchange.cache, others.exchange.cache]).toEqual(['hit', 'miss']);
});

test('a caller that gives up while the session begins takes nobody along', async () => {
  const gone = new AbortController();
  const first = request({ session: 'ann' }).send(origin.url, { signal: gone.signal });
  const second = request({ session: 'ann' }).send(origin.url);
  gone.abort(new Error('changed my mind'));
  await expect(first).rejects.toThrow('canceled');
  expect((await second).status).toBe(200);
});

test.each([
  [{ session: '' }, 'session: expected a name, or an object with a name'],
  [{ session: { maxUses: 3 } }, 'session.name: expected a value, found nothing'],
  [{ session: { name: 'ann', maxUses: 0 } }, 'session.maxUses: expected a positive integer or Infinity, found 0'],
])('%j is refused', (options, message) => {
  expect(() => request(options as RequestDefaults)).toThrow(message);
});

test('a session of a call is refused', async () => {
  await expect(request().send(origin.url, { session: 'ann' } as object)).rejects.toThrow(
    'session: not of a call but of a Request',
  );
});

/** Looks for what is gone as long as there is something, for it is let go when there is time. */
async function alive(of: Function, atMost: number): Promise<number> {
  let count = queryObjects(of, { format: 'count' });
  for (let looks = 0; looks < 20 && count > atMost; looks += 1) {
    await setImmediate();
    count = queryObjects(of, { format: 'count' });
  }
  return count;
}

test('a name that no Request holds any more is forgotten here, and its session is still there', async () => {
  const kept = request({ session: 'kept' });
  await kept.send(origin.url);
  const refsBefore = queryObjects(WeakRef, { format: 'count' });
  for (let n = 0; n < 200; n += 1) await request({ session: `visitor ${n}` }).send(origin.url);
  expect(await alive(Session, 10)).toBeLessThanOrEqual(10);
  expect(await alive(WeakRef, refsBefore + 20)).toBeLessThanOrEqual(refsBefore + 20);
  for (const n of [0, 199]) {
    await request({ session: `visitor ${n}` }).send(origin.url);
    expect(hits.at(-1)).toEqual(hits[n + 1]);
  }
  await request({ session: 'kept' }).send(origin.url);
  expect(hits.at(-1)).toEqual(hits[0]);
});
