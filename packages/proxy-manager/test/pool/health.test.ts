import { describe, expect, onTestFinished, test } from 'vitest';
import type { KeyCredential, ProxyCredential } from '../../src/config/resolve.js';
import type { PoolExhaustedError } from '../../src/errors.js';
import { PoolHealth } from '../../src/pool/health.js';
import type { Probe } from '../../src/pool/health.js';
import type { Lease } from '../../src/pool/lease.js';
import type { CredentialPool, LeaseDemand } from '../../src/pool/pool.js';
import { credentialPool, poolOf } from '../../src/pool/pool.js';
import type { Verdict } from '../../src/pool/verdict.js';
import { Secret } from '../../src/secret.js';
import { memoryUsageStore } from '../../src/usage/memory.js';
import type { Pool, UsageStore } from '../../src/usage/usage-store.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const HOST = 'shop.example';

const key = (id: string): KeyCredential => ({ id, windows: [], secret: new Secret(`value of ${id}`, id) });
const proxy = (id: string): ProxyCredential => ({
  id,
  windows: [],
  protocol: 'http',
  hostname: '127.0.0.1',
  port: 1,
  userinfo: undefined,
});

interface Bench {
  readonly clock: { nowMs: number; now(): number };
  readonly store: UsageStore;
  readonly health: PoolHealth;
  readonly pool: Pool;
  readonly credentials: CredentialPool;
  /** Another endpoint with the same proxies. */
  readonly other: CredentialPool;
}

function bench({ keys = 0, proxies = 0, probe }: { keys?: number; proxies?: number; probe?: Probe }): Bench {
  const clock = { nowMs: Date.UTC(2026, 0, 1), now: (): number => clock.nowMs };
  const store = memoryUsageStore({ clock });
  const health = new PoolHealth({ store, clock, probe });
  onTestFinished(() => health.close());
  const names = ['a', 'b', 'c'];
  const credentialsOf = (name: string): { pool: Pool; credentials: CredentialPool } => {
    const endpoint = {
      name,
      keys: keys === 0 ? undefined : names.slice(0, keys).map((id) => key(`key-${id}`)),
      proxies: proxies === 0 ? undefined : names.slice(0, proxies).map((id) => proxy(`proxy-${id}`)),
      hosts: undefined,
      apply: undefined,
      pace: undefined,
    };
    const pool = poolOf(endpoint);
    return { pool, credentials: credentialPool({ store, endpoint, pool, clock, health }) };
  };
  return { clock, store, health, ...credentialsOf('shop'), other: credentialsOf('other').credentials };
}

const once = (demand: Partial<LeaseDemand> = {}): LeaseDemand => ({ cost: 1, waitMs: 0, host: HOST, ...demand });
const idOf = ({ key: taken, proxy: through }: Lease): string | undefined => (taken ?? through)?.id;

/** Takes one, or the pinned one, and says how it went. */
async function used(
  credentials: CredentialPool,
  verdict: Verdict,
  { host = HOST, pin }: { host?: string; pin?: string } = {},
): Promise<string | undefined> {
  const lease = await credentials.lease(once({ host, ...(pin === undefined ? {} : { pin: [pin] }) }));
  await lease.settle(verdict, true, { host });
  return idOf(lease);
}

const refusalOf = async (credentials: CredentialPool, demand: Partial<LeaseDemand> = {}): Promise<PoolExhaustedError> =>
  (await credentials.lease(once(demand)).then(
    () => undefined,
    (error: unknown) => error,
  )) as PoolExhaustedError;

const good: Verdict = { kind: 'good' };
const throttled: Verdict = { kind: 'throttled', why: 'status 429' };
const refused: Verdict = { kind: 'refused', why: 'status 401' };
const blocked: Verdict = { kind: 'blocked', why: 'status 403' };
const unreached: Verdict = { kind: 'proxy-dead', scope: 'host', why: 'ERR_PROXY_TUNNEL' };
const dead: Verdict = { kind: 'proxy-dead', scope: 'everywhere', why: 'ECONNREFUSED' };

describe('throttled', () => {
  test('rests the key for 1 m, 10 m, 1 h, and success calms', async () => {
    const { clock, credentials } = bench({ keys: 1 });
    const rests: number[] = [];
    const throttle = async (): Promise<void> => {
      await used(credentials, throttled);
      const { retryAt } = await refusalOf(credentials);
      rests.push((retryAt.getTime() - clock.nowMs) / MINUTE_MS);
      clock.nowMs = retryAt.getTime();
    };
    for (let n = 0; n < 4; n++) await throttle();
    expect(rests).toEqual([1, 10, 60, 60]);
    await used(credentials, good);
    await throttle();
    expect(rests.at(-1)).toBe(60);
    for (let n = 0; n < 3; n++) await used(credentials, good);
    await throttle();
    expect(rests.at(-1)).toBe(1);
  });

  test('many at once are one', async () => {
    const { clock, credentials } = bench({ keys: 1 });
    const leases = await Promise.all([1, 2, 3, 4].map(() => credentials.lease(once())));
    await Promise.all(leases.map(async (lease) => lease.settle(throttled, true, { host: HOST })));
    expect((await refusalOf(credentials)).retryAt.getTime()).toBe(clock.nowMs + MINUTE_MS);
  });
});

test('spent rests at least until the next window opens', async () => {
  const clock = { now: (): number => Date.UTC(2026, 0, 1) };
  const store = memoryUsageStore({ clock });
  const endpoint = {
    name: 'shop',
    keys: [{ ...key('key-a'), windows: [{ limit: 9, everyMs: HOUR_MS }] }],
    proxies: undefined,
    hosts: undefined,
    apply: undefined,
    pace: undefined,
  };
  const credentials = credentialPool({ store, endpoint, pool: poolOf(endpoint), clock });
  await used(credentials, { kind: 'spent', why: 'status 402' });
  const error = await refusalOf(credentials);
  expect(error.retryAt.getTime()).toBe(clock.now() + HOUR_MS);
  expect(error.message).toContain(`key key-a: spent (status 402), until ${error.retryAt.toISOString()}`);
});

describe('refused', () => {
  test('three times while another key is accepted is dead, for a day', async () => {
    const { clock, credentials } = bench({ keys: 2 });
    for (let n = 0; n < 3; n++) {
      await used(credentials, refused, { pin: 'key-a' });
      await used(credentials, good, { pin: 'key-b' });
    }
    const error = await refusalOf(credentials, { pin: ['key-a'] });
    expect(error.retryAt.getTime()).toBe(clock.nowMs + 24 * HOUR_MS);
    expect(error.message).toContain('key key-a: dead: refused (status 401) while other keys were accepted');
    expect(await used(credentials, good)).toBe('key-b');
  });

  test('once counts once, however often others are accepted afterwards', async () => {
    const { credentials } = bench({ keys: 2 });
    await used(credentials, refused, { pin: 'key-a' });
    for (let n = 0; n < 5; n++) await used(credentials, good, { pin: 'key-b' });
    expect(await used(credentials, good, { pin: 'key-a' })).toBe('key-a');
  });

  test('by all keys empties no pool, and one success in between counts from the start', async () => {
    const { credentials } = bench({ keys: 2 });
    for (let n = 0; n < 20; n++) await used(credentials, refused);
    // The header is right now: what was refused before, once, counts once.
    for (let n = 0; n < 2; n++) {
      await used(credentials, good, { pin: 'key-b' });
      await used(credentials, refused, { pin: 'key-a' });
    }
    await used(credentials, good, { pin: 'key-a' });
    for (let n = 0; n < 2; n++) {
      await used(credentials, refused, { pin: 'key-a' });
      await used(credentials, good, { pin: 'key-b' });
    }
    expect(await used(credentials, good, { pin: 'key-a' })).toBe('key-a');
  });
});

describe('blocked', () => {
  test('rests the proxy for this host, on all endpoints, and for no other host', async () => {
    const { clock, credentials, other } = bench({ proxies: 1 });
    await used(credentials, blocked);
    for (const pool of [credentials, other]) {
      const { retryAt, message } = await refusalOf(pool);
      expect(retryAt.getTime()).toBe(clock.nowMs + MINUTE_MS);
      expect(message).toContain(
        'proxy proxy-a: blocked (status 403) for host shop.example, until 2026-01-01T00:01:00.000Z',
      );
      expect(await used(pool, good, { host: 'another.example' })).toBe('proxy-a');
    }
    clock.nowMs += MINUTE_MS;
    expect(await used(credentials, good)).toBe('proxy-a');
  });

  test('keeps nobody waiting who goes elsewhere', async () => {
    const { credentials } = bench({ proxies: 1 });
    await used(credentials, blocked);
    const signal = AbortSignal.timeout(5_000);
    const waiting = credentials.lease(once({ waitMs: 3_600_000, signal }));
    waiting.catch(() => {});
    const elsewhere = await credentials.lease(once({ host: 'another.example', waitMs: 1_000 }));
    expect(idOf(elsewhere)).toBe('proxy-a');
  });
});

describe('a proxy', () => {
  test('that is dead rests on every endpoint', async () => {
    const { clock, credentials, other } = bench({ proxies: 2 });
    expect(await used(credentials, dead)).toBe('proxy-a');
    for (const pool of [credentials, other]) {
      for (let n = 0; n < 3; n++) expect(await used(pool, good)).toBe('proxy-b');
      const { retryAt } = await refusalOf(pool, { pin: ['proxy-a'] });
      expect(retryAt.getTime()).toBe(clock.nowMs + MINUTE_MS);
    }
  });

  test('that did not reach a host rests for that host, and everywhere once a second host fails too', async () => {
    const { clock, credentials } = bench({ proxies: 2 });
    await used(credentials, unreached, { pin: 'proxy-a' });
    expect((await refusalOf(credentials, { pin: ['proxy-a'] })).retryAt.getTime()).toBe(clock.nowMs + 10_000);
    await used(credentials, unreached, { pin: 'proxy-a', host: 'second.example' });
    const { retryAt } = await refusalOf(credentials, { pin: ['proxy-a'], host: 'third.example' });
    expect(retryAt.getTime()).toBe(clock.nowMs + MINUTE_MS);
  });

  test('keeps its place where hosts are dead: they fail through the others as well', async () => {
    const { credentials } = bench({ proxies: 3 });
    const ids = ['proxy-a', 'proxy-b', 'proxy-c'];
    for (const host of ['dead-1.example', 'dead-2.example', 'dead-3.example']) {
      for (const pin of ids) await used(credentials, unreached, { pin, host });
    }
    for (const pin of ids) expect(await used(credentials, good, { pin, host: 'alive.example' })).toBe(pin);
  });

  test('comes back only by a probe, and rests longer where that fails', async () => {
    const answers = [false, true];
    const probed: unknown[] = [];
    const { clock, credentials, health, pool } = bench({
      proxies: 1,
      probe: async ({ id }, target) => {
        probed.push([id, target]);
        return answers.shift() ?? false;
      },
    });
    await used(credentials, dead);
    clock.nowMs += MINUTE_MS;
    expect((await refusalOf(credentials)).message).toContain('a probe brings it back');
    // The timer of the rest runs by real time; a new look at the book finds the rest over.
    health.close();
    expect(probed).toEqual([]);
    expect(await health.tryNow('proxy-a')).toBe(clock.nowMs + 10 * MINUTE_MS);
    clock.nowMs += 10 * MINUTE_MS;
    expect((await refusalOf(credentials)).code).toBe('ERR_POOL_EXHAUSTED');
    expect(await health.tryNow('proxy-a')).toBeUndefined();
    expect(probed).toEqual([
      ['proxy-a', HOST],
      ['proxy-a', HOST],
    ]);
    expect(await used(credentials, good)).toBe('proxy-a');
    expect((await health.reasons(pool, HOST)).size).toBe(0);
  });
});

test('what another process notes is seen', async () => {
  const one = bench({ proxies: 1 });
  await used(one.credentials, good);
  await one.store.note(`host ${HOST}`, 'proxy-a', { kind: 'strike', ladderMs: [MINUTE_MS], why: 'blocked' });
  await expect.poll(() => refusalOf(one.credentials), { timeout: 3_000 }).toMatchObject({ code: 'ERR_POOL_EXHAUSTED' });
});
