import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Endpoint, KeyCredential, ProxyCredential, WindowSpec } from '../../src/config/resolve.js';
import { ConfigError, PoolExhaustedError, StoreError } from '../../src/errors.js';
import type { CredentialPool, LeaseDemand } from '../../src/pool/pool.js';
import { credentialPool, poolOf } from '../../src/pool/pool.js';
import { Pools } from '../../src/pools.js';
import { Secret } from '../../src/secret.js';
import { memoryUsageStore } from '../../src/usage/memory.js';
import type { Pool, UsageStore } from '../../src/usage/usage-store.js';

const HOUR_MS = 3_600_000;
const hourly = (limit: number): WindowSpec[] => [{ limit, everyMs: HOUR_MS }];

function key(id: string, windows: readonly WindowSpec[]): KeyCredential {
  return { id, windows, secret: new Secret(`value of ${id}`, id) };
}

function proxy(id: string, windows: readonly WindowSpec[] = []): ProxyCredential {
  return { id, windows, protocol: 'http', hostname: '127.0.0.1', port: 1, userinfo: undefined };
}

function endpointOf(keys: KeyCredential[] | undefined, proxies?: ProxyCredential[]): Endpoint {
  return { name: 'shop', keys, proxies, hosts: undefined, apply: undefined, pace: undefined };
}

interface Bench {
  readonly store: UsageStore;
  readonly pool: Pool;
  readonly credentials: CredentialPool;
}

function bench(endpoint: Endpoint, store = memoryUsageStore()): Bench {
  const pool = poolOf(endpoint);
  return { store, pool, credentials: credentialPool({ store, endpoint, pool }) };
}

const once = (demand: Partial<LeaseDemand> = {}): LeaseDemand => ({ cost: 1, waitMs: 0, ...demand });

async function totals({ store, pool }: Bench): Promise<number[]> {
  return (await store.read(pool)).map(({ total }) => total);
}

describe('poolOf', () => {
  const full = endpointOf([key('a', [])], [proxy('p')]);

  test('puts the keys before the proxies, or only those asked for', () => {
    const kinds = (secretType?: 'ip' | 'key'): string[] => poolOf(full, secretType).sections.map(({ kind }) => kind);
    expect(kinds()).toEqual(['key', 'proxy']);
    expect(kinds('key')).toEqual(['key']);
    expect(kinds('ip')).toEqual(['proxy']);
    expect(poolOf(endpointOf(undefined, [proxy('p')])).sections.map(({ kind }) => kind)).toEqual(['proxy']);
  });

  test('is frozen', () => {
    const pool = poolOf(full);
    expect(Object.isFrozen(pool) && Object.isFrozen(pool.sections) && Object.isFrozen(pool.sections[0])).toBe(true);
  });
});

describe('an exhausted pool', () => {
  const refusal = async ({ credentials }: Bench, demand: Partial<LeaseDemand> = {}): Promise<PoolExhaustedError> =>
    (await credentials.lease(once(demand)).then(
      () => undefined,
      (error: unknown) => error,
    )) as PoolExhaustedError;
  const spent = async (size: number): Promise<{ bench: Bench; reads: () => number }> => {
    const store = memoryUsageStore();
    let reads = 0;
    const counting: UsageStore = { ...store, read: (pool) => ((reads += 1), store.read(pool)) };
    const keys = Array.from({ length: size }, (_, n) => key(`key-${n}`, hourly(1)));
    const made = bench(endpointOf(keys), counting);
    for (let n = 0; n < size; n += 1) await made.credentials.lease(once());
    return { bench: made, reads: () => reads };
  };

  test('tells of every credential why, however many there are', async () => {
    const { bench: large } = await spent(300);
    const { credentials } = await refusal(large);
    expect(credentials.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, n) => `key-${n}`));
    expect(new Set(credentials.map(({ because }) => because))).toEqual(new Set(['used 1 of 1']));
    expect((await refusal(large, { pin: ['key-299'] })).message).toContain('key key-299: used 1 of 1, until ');
    expect((await refusal(large, { shun: new Set(['key-299']) })).credentials.at(-1)).toMatchObject({
      id: 'key-299',
      because: 'refused in this exchange',
    });
  });

  test('is looked through once for all who are refused at once, where it is large', async () => {
    const [small, large] = await Promise.all([spent(3), spent(300)]);
    for (const { bench: of } of [small, large]) await Promise.all(Array.from({ length: 50 }, () => refusal(of)));
    expect(small.reads()).toBe(50);
    expect(large.reads()).toBe(1);
  });
});

describe('credentialPool', () => {
  test('leases the credentials themselves, with their counts after the take', async () => {
    const endpoint = endpointOf([key('a', hourly(5)), key('b', hourly(5))], [proxy('p')]);
    const { credentials } = bench(endpoint);
    const lease = await credentials.lease(once({ cost: 2 }));
    expect(lease.key).toBe(endpoint.keys?.[0]);
    expect(lease.proxy).toBe(endpoint.proxies?.[0]);
    expect(lease.taken.map(({ id, total }) => [id, total])).toEqual([
      ['a', 2],
      ['p', 2],
    ]);
    expect((await credentials.lease(once())).key?.id).toBe('b');
  });

  test('an exhausted pool is told with the time at which it is ready again', async () => {
    const { credentials } = bench(endpointOf([key('a', hourly(1))]));
    const beforeMs = Date.now();
    await credentials.lease(once());
    const error = await credentials.lease(once()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PoolExhaustedError);
    expect(error).toMatchObject({ endpoint: 'shop', code: 'ERR_POOL_EXHAUSTED' });
    const { retryAt } = error as PoolExhaustedError;
    expect(retryAt.getTime()).toBeGreaterThanOrEqual(beforeMs + HOUR_MS);
    expect(retryAt.getTime()).toBeLessThanOrEqual(Date.now() + HOUR_MS);
  });

  test.each([0, -1, 1.5, NaN, Infinity])('a cost of %s is refused', async (cost) => {
    await expect(bench(endpointOf([key('a', [])])).credentials.lease(once({ cost }))).rejects.toThrow(ConfigError);
  });

  test('a cost that no credential can ever hold is a ConfigError, not a wait', async () => {
    const { credentials } = bench(endpointOf([key('a', hourly(2))]));
    await expect(credentials.lease(once({ cost: 3, waitMs: Infinity }))).rejects.toThrow(ConfigError);
    await credentials.lease(once({ cost: 2 }));
    const leaving = new AbortController();
    const waiting = [1, 3, 1].map((cost) =>
      credentials.lease(once({ cost, waitMs: Infinity, signal: leaving.signal })),
    );
    const settled = Promise.allSettled(waiting);
    await delay(10);
    leaving.abort('enough');
    expect((await settled).map((one) => one.status === 'rejected' && one.reason)).toEqual([
      'enough',
      expect.any(ConfigError),
      'enough',
    ]);
  });

  test("a store's fault reaches the caller", async () => {
    const fault = new StoreError('embedded usage store', 'count a use', new Error('disk full'));
    const store: UsageStore = { ...memoryUsageStore(), take: () => Promise.reject(fault) };
    const { credentials } = bench(endpointOf([key('a', [])]), store);
    await expect(credentials.lease(once({ waitMs: 1_000 }))).rejects.toBe(fault);
  });
});

describe('a lease', () => {
  const both = (): Bench => bench(endpointOf([key('a', hourly(9))], [proxy('p')]));

  test('that was sent keeps its count', async () => {
    for (const kind of ['good', 'down'] as const) {
      const one = both();
      await (await one.credentials.lease(once())).settle({ kind }, true);
      expect(await totals(one)).toEqual([1, 1]);
    }
  });

  test('that was sent tells the arrival of the use that opened a window, and of none that did not', async () => {
    const store = memoryUsageStore();
    const arrived: number[] = [];
    const noting: UsageStore = {
      ...store,
      arrived: (ticket) => {
        arrived.push(ticket.taken[0]?.total ?? 0);
        return store.arrived(ticket);
      },
    };
    const { credentials } = bench(endpointOf([key('a', hourly(9))]), noting);
    const leases = [];
    for (let n = 0; n < 3; n += 1) leases.push(await credentials.lease(once()));
    for (const lease of leases) await lease.settle({ kind: 'good' }, true);
    expect(arrived).toEqual([1]);
    const short = bench(endpointOf([key('b', [{ limit: 9, everyMs: 30 }])]), noting);
    const [opener, other] = [await short.credentials.lease(once()), await short.credentials.lease(once())];
    await delay(40);
    await other.settle({ kind: 'good' }, true);
    await opener.settle({ kind: 'good' }, true);
    expect(arrived).toEqual([1, 2, 1]);
  });

  test('is not held up by a store that is slow to note its arrival', async () => {
    const store: UsageStore = { ...memoryUsageStore(), arrived: () => new Promise(() => {}) };
    const lease = await bench(endpointOf([key('a', hourly(9))]), store).credentials.lease(once());
    const startMs = performance.now();
    await lease.settle({ kind: 'good' }, true);
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  test('that was surely not sent is given back, with all that was charged on it', async () => {
    const one = both();
    const lease = await one.credentials.lease(once());
    await lease.charge(2);
    expect(await totals(one)).toEqual([3, 3]);
    await lease.settle(undefined, false);
    expect(await totals(one)).toEqual([0, 0]);
  });

  test('is settled once: the first call wins', async () => {
    const one = both();
    const lease = await one.credentials.lease(once());
    await lease.settle({ kind: 'good' }, true);
    await lease.settle({ kind: 'throttled', untilMs: Date.now() + HOUR_MS }, false);
    expect(await totals(one)).toEqual([1, 1]);
    expect((await one.store.read(one.pool)).map(({ restingUntilMs }) => restingUntilMs)).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('charges the credentials it holds, and no others', async () => {
    const { credentials } = bench(endpointOf([key('a', hourly(2)), key('b', hourly(9))]));
    const lease = await credentials.lease(once());
    await lease.charge(1);
    await expect(lease.charge(1)).rejects.toThrow(PoolExhaustedError);
  });

  test('that was throttled rests its key; without keys, its proxy', async () => {
    const untilMs = Date.now() + HOUR_MS;
    const resting = async (one: Bench): Promise<(number | undefined)[]> => {
      await (await one.credentials.lease(once())).settle({ kind: 'throttled', untilMs }, true);
      return (await one.store.read(one.pool)).map(({ restingUntilMs }) => restingUntilMs);
    };
    expect(await resting(both())).toEqual([untilMs, undefined]);
    expect(await resting(bench(endpointOf(undefined, [proxy('p')])))).toEqual([untilMs]);
  });

  test('whose proxy is dead rests the proxy, and is given back where nothing was sent', async () => {
    const one = both();
    const beforeMs = Date.now();
    await (await one.credentials.lease(once())).settle({ kind: 'proxy-dead', scope: 'everywhere' }, false);
    const [a, p] = await one.store.read(one.pool);
    expect(a?.restingUntilMs).toBeUndefined();
    expect(Math.floor(((p?.restingUntilMs ?? 0) - beforeMs) / 60_000)).toBe(1);
    expect([a?.total, p?.total]).toEqual([0, 0]);
  });

  test('rests whom it blames for a day at the longest, or as long as its longest window', async () => {
    const YEAR_MS = 365 * 24 * HOUR_MS;
    const restOf = async (one: Bench, untilMs: number): Promise<number> => {
      const beforeMs = Date.now();
      await (await one.credentials.lease(once())).settle({ kind: 'throttled', untilMs }, true);
      const [reading] = await one.store.read(one.pool);
      return Math.floor(((reading?.restingUntilMs ?? 0) - beforeMs) / HOUR_MS);
    };
    expect(await restOf(both(), Date.now() + YEAR_MS)).toBe(24);
    const monthly = { limit: 9, everyMs: 30 * 24 * HOUR_MS };
    expect(await restOf(bench(endpointOf([key('a', [...hourly(9), monthly])])), Date.now() + YEAR_MS)).toBe(30 * 24);
    expect(await restOf(both(), Date.now() + 2.5 * HOUR_MS)).toBe(2);
  });

  test('settles even when the store fails', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('gone'));
    const store: UsageStore = { ...memoryUsageStore(), giveBack: fail, arrived: fail, rest: fail };
    for (const sent of [false, true]) {
      const lease = await bench(endpointOf([key('a', hourly(9))]), store).credentials.lease(once());
      await expect(lease.settle({ kind: 'throttled', untilMs: Date.now() + HOUR_MS }, sent)).resolves.toBeUndefined();
    }
  });
});

describe('waiting for a lease', () => {
  const SHORT_MS = 150;
  const spent = async (limit = 1, everyMs = SHORT_MS): Promise<Bench> => {
    const one = bench(endpointOf([key('a', [{ limit, everyMs }])]));
    await one.credentials.lease(once({ cost: limit }));
    return one;
  };

  test('waits until a window opens anew', async () => {
    const { credentials } = await spent();
    const startMs = performance.now();
    expect((await credentials.lease(once({ waitMs: 10_000 }))).key?.id).toBe('a');
    expect(performance.now() - startMs).toBeGreaterThan(SHORT_MS / 2);
  });

  test('does not wait at all where the wait would be too short', async () => {
    const { credentials } = await spent(1, HOUR_MS);
    const startMs = performance.now();
    await expect(credentials.lease(once({ waitMs: 60_000 }))).rejects.toThrow(PoolExhaustedError);
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  test('serves in the order of arrival', async () => {
    const { credentials } = await spent(2);
    const served: number[] = [];
    const waiting = [1, 2, 3, 4, 5].map(async (number) => {
      await credentials.lease(once({ waitMs: Infinity }));
      served.push(number);
    });
    await Promise.all(waiting);
    expect(served).toEqual([1, 2, 3, 4, 5]);
  });

  test('a newcomer who would wait does not overtake', async () => {
    const { credentials } = bench(endpointOf([key('a', hourly(1))]));
    const lease = await credentials.lease(once());
    const first = credentials.lease(once({ waitMs: Infinity })).then(() => 'first');
    await delay(10);
    await lease.settle(undefined, false);
    await expect(credentials.lease(once({ waitMs: 60_000 }))).rejects.toThrow(PoolExhaustedError);
    expect(await first).toBe('first');
  });

  test('whoever waits for more uses than are left holds up nobody who needs fewer', async () => {
    const { credentials } = bench(endpointOf([key('a', hourly(5))]));
    await credentials.lease(once({ cost: 3 }));
    const leaving = new AbortController();
    const many = credentials.lease(once({ cost: 3, waitMs: Infinity, signal: leaving.signal }));
    await delay(10);
    await credentials.lease(once({ waitMs: 1_000 }));
    await credentials.lease(once({ waitMs: Infinity }));
    leaving.abort(new Error('enough'));
    await expect(many).rejects.toThrow('enough');
  });

  test('is refused by what was asked for the same cost', async () => {
    const DAY_MS = 24 * HOUR_MS;
    const { credentials } = bench(endpointOf([key('a', hourly(1)), key('b', [{ limit: 3, everyMs: DAY_MS }])]));
    await credentials.lease(once({ pin: ['a'] }));
    await credentials.lease(once({ cost: 3 }));
    const leaving = new AbortController();
    const { signal } = leaving;
    const first = credentials.lease(once({ waitMs: Infinity, signal }));
    await delay(10);
    const error = await credentials.lease(once({ cost: 2, waitMs: 1 })).catch((reason: unknown) => reason);
    expect((error as PoolExhaustedError).retryAt.getTime()).toBeGreaterThan(Date.now() + 2 * HOUR_MS);
    await expect(credentials.lease(once({ cost: 4, waitMs: Infinity, signal }))).rejects.toThrow(ConfigError);
    leaving.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
  });

  test('a use that is given back is passed on at once', async () => {
    const { credentials } = bench(endpointOf([key('a', hourly(1))]));
    const lease = await credentials.lease(once());
    const waiting = credentials.lease(once({ waitMs: Infinity }));
    await delay(10);
    const startMs = performance.now();
    await lease.settle(undefined, false);
    expect((await waiting).key?.id).toBe('a');
    expect(performance.now() - startMs).toBeLessThan(500);
  });

  test('ends with the reason of the signal, and lets the next one come forward', async () => {
    const { credentials } = await spent();
    const reason = new Error('changed my mind');
    const leaving = new AbortController();
    const first = credentials.lease(once({ waitMs: Infinity, signal: leaving.signal }));
    const second = credentials.lease(once({ waitMs: Infinity }));
    await delay(10);
    leaving.abort(reason);
    await expect(first).rejects.toBe(reason);
    await second;
  });

  test('an aborted signal takes nothing', async () => {
    const one = bench(endpointOf([key('a', hourly(1))]));
    const reason = new Error('too late');
    await expect(one.credentials.lease(once({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect(await totals(one)).toEqual([0]);
  });

  test('an abort while the store counts gives the use back', async () => {
    const store = memoryUsageStore();
    const slow: UsageStore = { ...store, take: (demand) => delay(20).then(() => store.take(demand)) };
    const one = bench(endpointOf([key('a', hourly(1))]), slow);
    const leaving = new AbortController();
    const lease = one.credentials.lease(once({ signal: leaving.signal }));
    leaving.abort(new Error('changed my mind'));
    await expect(lease).rejects.toThrow('changed my mind');
    expect(await totals(one)).toEqual([0]);
  });

  test.each([0, 1000])(
    'an abort in the moment in which the lease is there gives the use back, waiting %d ms',
    async (waitMs) => {
      const leaving = new AbortController();
      const store = memoryUsageStore();
      const endpoint = endpointOf([key('a', hourly(1))]);
      /** Aborts when the pool has looked at the signal for the last time, and nobody has the lease yet. */
      const watched: UsageStore = {
        ...store,
        async take(demand) {
          const { granted, ...answer } = await store.take(demand);
          const getter = { get: () => (queueMicrotask(() => leaving.abort(new Error('changed my mind'))), granted) };
          return Object.defineProperty(answer, 'granted', getter) as Awaited<ReturnType<UsageStore['take']>>;
        },
      };
      const pools = new Pools(new Map([['shop', endpoint]]), (_, pool) =>
        credentialPool({ store: watched, endpoint, pool }),
      );
      const { pool } = pools.of('shop', undefined);
      const leasing = pools.lease(pool, once({ waitMs, signal: leaving.signal }), []);
      await expect(leasing).rejects.toThrow('changed my mind');
      await expect
        .poll(() => totals({ store, pool, credentials: credentialPool({ store, endpoint, pool }) }))
        .toEqual([0]);
    },
  );

  test('whoever waits for a pinned credential keeps nobody else waiting', async () => {
    const { credentials } = bench(endpointOf([key('a', hourly(1)), key('b', [{ limit: 1, everyMs: SHORT_MS }])]));
    await credentials.lease(once({ pin: ['a'] }));
    await credentials.lease(once({ pin: ['b'] }));
    const leaving = new AbortController();
    const pinned = credentials.lease(once({ pin: ['a'], waitMs: Infinity, signal: leaving.signal }));
    expect((await credentials.lease(once({ waitMs: Infinity }))).key?.id).toBe('b');
    leaving.abort(new Error('enough'));
    await expect(pinned).rejects.toThrow('enough');
  });

  test('leaves no timer behind', async () => {
    const { credentials } = await spent(1, HOUR_MS);
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const leaving = new AbortController();
    const waiting = [1, 2].map(() => credentials.lease(once({ waitMs: Infinity, signal: leaving.signal })));
    await delay(10);
    expect(timers()).toBeGreaterThan(before);
    leaving.abort();
    await Promise.allSettled(waiting);
    expect(timers()).toBe(before);
  });
});
