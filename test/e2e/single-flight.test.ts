import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Answer, Api } from './support/api.js';
import { startApi } from './support/api.js';
import { startManager, tempDir } from './support/workspace.js';

const ASKER = fileURLToPath(new URL('support/asker.mjs', import.meta.url));
const secrets = { key_based: { test_api: { keys: ['first-secret-key'] } } };
const placed = { headers: { 'x-api-key': '{key}' } };

/** This machine may have a lot to do. */
const PATIENT = { timeout: 20_000 };

type Answers = [cache: string, data: unknown][];

/** The stores that processes and machines share; the two servers keep the cache, the machines have nothing else in common. */
const stores = {
  embedded: (): object => ({ dataDir: join(tempDir(), 'state') }),
  redis: (): object => ({ redis: process.env['REDIS_URL'], usage: 'embedded' }),
  elasticsearch: (): object => ({ elasticsearch: process.env['ELASTICSEARCH_URL'] }),
};

/** A process of its own, ready to ask. */
async function asker(api: Api, times: number, shared: object): Promise<ChildProcess> {
  const options = { dataDir: join(tempDir(), 'state'), secrets, url: api.url, times, ...shared };
  const child = fork(ASKER, [JSON.stringify(options)]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await wordOf(child);
  return child;
}

/** What it says next; one that ends instead says why on its own. */
async function wordOf(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  child.once('exit', (code) => ended.abort(new Error(`the asker ended by ${code}`)));
  const [word] = await once(child, 'message', { signal: ended.signal });
  return word;
}

async function answersOf(child: ChildProcess): Promise<Answers> {
  return (await wordOf(child)) as Answers;
}

/** An API whose reply to `/wanted` is unlike every other reply in the shared stores. */
async function anApi(wanted: Answer): Promise<Api & { wantedHits: () => number; nonce: string }> {
  const nonce = randomUUID();
  const api = await startApi((hit, res, req) => {
    if (hit.path.endsWith('/wanted')) wanted(hit, res, req);
    else res.end('{}');
  });
  const wantedHits = (): number => api.hits.filter(({ path }) => path.endsWith('/wanted')).length;
  return { ...api, url: `${api.url}/${nonce}`, wantedHits, nonce };
}

describe.each(['embedded', 'redis', 'elasticsearch'] as const)('single flight among processes, by %s', (name) => {
  it('lets a stampede of 1,000 equal requests in 4 processes reach the origin once', async () => {
    const api = await anApi((_hit, res) => void setTimeout(() => res.end('{"wanted":true}'), 500));
    const shared = stores[name]();
    const children = await Promise.all(Array.from({ length: 4 }, () => asker(api, 250, shared)));
    const answering = children.map(answersOf);
    for (const child of children) child.send('go');
    const answers = (await Promise.all(answering)).flat();
    expect(api.wantedHits()).toBe(1);
    expect(answers).toHaveLength(1000);
    expect(answers.filter(([cache]) => cache === 'miss')).toHaveLength(1);
    expect(answers.filter(([cache]) => cache === 'hit')).toHaveLength(999);
    for (const [, data] of answers) expect(data).toEqual({ wanted: true });
  });

  it('goes on in another process when the leader is killed', async () => {
    let reached = (): void => {};
    const leading = new Promise<void>((resolve) => (reached = resolve));
    const api = await anApi((_hit, res) => {
      // The first one is never answered: its asker does not live to see it.
      if (api.wantedHits() > 1) res.end('{"wanted":true}');
      else reached();
    });
    const shared = stores[name]();
    const [leader, follower] = await Promise.all([asker(api, 3, shared), asker(api, 20, shared)]);
    leader.send('go');
    await leading;
    const answering = answersOf(follower);
    follower.send('go');
    expect(await Promise.race([answering, sleep(300, 'waits')])).toBe('waits');
    leader.kill('SIGKILL');
    const answers = await answering;
    expect(api.wantedHits()).toBe(2);
    expect(answers.filter(([cache]) => cache === 'miss')).toHaveLength(1);
    expect(answers.filter(([cache]) => cache === 'hit')).toHaveLength(19);
  });
});

describe('a process that starts while another one, alone so far, is on its way', () => {
  async function late(): Promise<{
    readonly api: Awaited<ReturnType<typeof anApi>>;
    readonly leader: ChildProcess;
    readonly led: Promise<Answers>;
    readonly follower: ChildProcess;
    readonly answer: () => void;
  }> {
    let reached = (): void => {};
    let answer = (): void => {};
    const onItsWay = new Promise<void>((resolve) => (reached = resolve));
    const released = new Promise<void>((resolve) => (answer = resolve));
    const api = await anApi((_hit, res) => {
      reached();
      if (api.wantedHits() > 1) res.end('{"wanted":true}');
      else void released.then(() => res.end('{"wanted":true}'));
    });
    const shared = stores.embedded();
    const leader = await asker(api, 1, shared);
    const led = answersOf(leader);
    leader.send('go');
    await onItsWay;
    return { api, leader, led, follower: await asker(api, 20, shared), answer };
  }

  it('waits for its reply', async () => {
    const { api, led, follower, answer } = await late();
    const answering = answersOf(follower);
    follower.send('go');
    expect(await Promise.race([answering, sleep(300, 'waits')])).toBe('waits');
    answer();
    const answers = [...(await led), ...(await answering)];
    expect(api.wantedHits()).toBe(1);
    expect(answers.map(([cache]) => cache).toSorted()).toEqual([...Array<string>(20).fill('hit'), 'miss']);
  });

  it('asks the origin itself, once, when that one is killed', async () => {
    const { api, leader, led, follower } = await late();
    leader.kill('SIGKILL');
    await expect(led).rejects.toThrow('aborted');
    const answering = answersOf(follower);
    follower.send('go');
    const answers = await answering;
    expect(api.wantedHits()).toBe(2);
    expect(answers.map(([cache]) => cache).toSorted()).toEqual([...Array<string>(19).fill('hit'), 'miss']);
  });
});

describe('single flight in one process', () => {
  const gate = (): { wait: Promise<void>; open: () => void } => {
    let open = (): void => {};
    const wait = new Promise<void>((resolve) => (open = resolve));
    return { wait, open };
  };

  it('a caller who aborts leaves the others their reply, also when it was the one that asked the origin', async () => {
    const { wait, open } = gate();
    const api = await startApi((_hit, res) => void wait.then(() => res.end('{"n":1}')));
    const req = startManager({ secrets }).request('test_api', { cache: true });
    const [leader, follower] = [new AbortController(), new AbortController()];
    const first = req.send(api.url, { ...placed, signal: leader.signal });
    await expect.poll(() => api.hits.length, PATIENT).toBe(1);
    const second = req.send(api.url, { ...placed, signal: follower.signal });
    const rest = Array.from({ length: 10 }, () => req.send(api.url, placed));
    const ended = Promise.allSettled([first, second]);
    follower.abort();
    leader.abort();
    await expect.poll(() => api.hits.length, PATIENT).toBe(2);
    open();
    const replies = await Promise.all(rest);
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(replies.map(({ exchange }) => exchange.cache).toSorted()).toEqual([...Array<string>(9).fill('hit'), 'miss']);
    expect(api.hits).toHaveLength(2);
  });

  it('a reply that may not be stored is nobody else’s: each goes for itself, and not one after the other', async () => {
    const { wait, open } = gate();
    const api = await startApi((_hit, res) => void wait.then(() => res.writeHead(404).end('{}')));
    const req = startManager({ secrets }).request('test_api', { cache: true, validateStatus: null });
    const asked = Array.from({ length: 5 }, () => req.send(api.url, placed));
    await expect.poll(() => api.hits.length, PATIENT).toBe(1);
    open();
    const replies = await Promise.all(asked);
    expect(replies.map(({ exchange, status }) => `${exchange.cache} ${status}`)).toEqual(Array(5).fill('miss 404'));
    expect(api.hits).toHaveLength(5);
  });

  it('a follower’s data is its own', async () => {
    const api = await startApi((_hit, res) => void setTimeout(() => res.end('{"list":[1]}'), 50));
    const req = startManager({ secrets }).request('test_api', { cache: true });
    const replies = await Promise.all(Array.from({ length: 3 }, () => req.send<{ list: number[] }>(api.url, placed)));
    for (const { data } of replies) data.list.push(2);
    const bytes = await Promise.all(
      Array.from({ length: 2 }, () => req.send<Buffer>(api.url, { ...placed, responseType: 'arraybuffer' })),
    );
    for (const { data } of bytes) {
      expect(data.toString()).toBe('{"list":[1]}');
      data.fill(0);
    }
    expect((await req.send(api.url, placed)).data).toEqual({ list: [1] });
  });
});
