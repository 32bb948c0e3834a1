import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/config/resolve.js';
import { ConfigError, PoolExhaustedError } from '../../src/errors.js';
import { PinnedIdentity } from '../../src/pool/pinned-identity.js';
import type { CredentialPool } from '../../src/pool/pool.js';
import { credentialPool, poolOf } from '../../src/pool/pool.js';
import { Secret } from '../../src/secret.js';
import { memoryUsageStore } from '../../src/usage/memory.js';

const HOUR_MS = 3_600_000;
const SHORT_MS = 100;

interface Bench {
  /** Ends the window. */
  readonly pass: () => void;
  readonly credentials: CredentialPool;
  readonly pinned: PinnedIdentity;
  readonly used: () => Promise<number | undefined>;
}

async function bench(limit: number, everyMs = HOUR_MS): Promise<Bench> {
  const windows = [{ limit, everyMs }];
  const endpoint: Endpoint = {
    name: 'shop',
    keys: [{ id: 'a', windows, secret: new Secret('value of a', 'a') }],
    proxies: undefined,
    hosts: undefined,
    apply: undefined,
    pace: undefined,
  };
  const time = { nowMs: Date.UTC(2026, 0, 1), now: (): number => time.nowMs };
  const store = memoryUsageStore({ clock: time });
  const pool = poolOf(endpoint);
  const credentials = credentialPool({ store, endpoint, pool, clock: time });
  const first = await credentials.lease({ cost: 1, waitMs: 0 });
  const pinned = new PinnedIdentity(first, (demand) => credentials.lease(demand), time);
  return {
    pass: () => void (time.nowMs += everyMs),
    credentials,
    pinned,
    used: async () => (await store.read(pool))[0]?.windows[0]?.used,
  };
}

const exchange = (
  cost = 1,
  waitMs = 0,
  signal?: AbortSignal,
): { policy: { cost: number; waitMs: number }; signal: AbortSignal | undefined } => ({
  policy: { cost, waitMs },
  signal,
});

describe('a pinned identity', () => {
  test('spends its reservation first, and counts each later use', async () => {
    const { pinned, used } = await bench(2);
    await pinned.lease(exchange());
    expect(await used()).toBe(1);
    await pinned.lease(exchange());
    expect(await used()).toBe(2);
    await expect(pinned.lease(exchange())).rejects.toThrow(PoolExhaustedError);
  });

  test('does not spend a reservation whose window is over', async () => {
    const { pinned, credentials, pass, used } = await bench(2);
    pass();
    await pinned.lease(exchange());
    expect(await used()).toBe(1);
    await credentials.lease({ cost: 1, waitMs: 0 });
    await expect(pinned.lease(exchange())).rejects.toThrow(PoolExhaustedError);
  });

  test('is refused where the uses of the new window are gone', async () => {
    const { pinned, credentials, pass } = await bench(2);
    pass();
    await credentials.lease({ cost: 2, waitMs: 0 });
    await expect(pinned.lease(exchange())).rejects.toThrow(PoolExhaustedError);
  });

  test('whose first use costs more takes the whole cost, or nothing', async () => {
    const { pinned, used } = await bench(3);
    await pinned.lease(exchange(3));
    expect(await used()).toBe(3);
    const poor = await bench(3);
    await expect(poor.pinned.lease(exchange(4))).rejects.toThrow(ConfigError);
    expect(await poor.used()).toBe(0);
  });

  test('whose first use costs more waits as long as it may', async () => {
    const { pinned, credentials, pass, used } = await bench(3, SHORT_MS);
    await credentials.lease({ cost: 2, waitMs: 0 });
    await expect(pinned.lease(exchange(2))).rejects.toThrow(PoolExhaustedError);
    const patient = pinned.lease(exchange(2, 10_000));
    await setImmediate();
    pass();
    await patient;
    expect(await used()).toBe(2);
    const leaving = new AbortController();
    const waiting = pinned.lease(exchange(2, Infinity, leaving.signal));
    leaving.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  test('that is released while a use is refused keeps nothing', async () => {
    const { pinned, credentials, used } = await bench(3);
    const other = await credentials.lease({ cost: 2, waitMs: 0 });
    const refusal = expect(pinned.lease(exchange(2))).rejects.toThrow(PoolExhaustedError);
    await pinned.release();
    await refusal;
    await other.settle(undefined, false);
    expect(await used()).toBe(0);
  });

  test('an aborted exchange spends nothing', async () => {
    const { pinned, used } = await bench(3);
    await expect(pinned.lease(exchange(1, 0, AbortSignal.abort(new Error('late'))))).rejects.toThrow('late');
    await pinned.release();
    expect(await used()).toBe(0);
  });
});
