import type { Endpoint, Endpoints } from './config/resolve.js';
import { unknownEndpoint } from './config/validate-options.js';
import { ConfigError } from './errors.js';
import { canFire, exchangeAbort, unlessAborted } from './pipeline/abort.js';
import { Waits } from './pipeline/waits.js';
import type { Lease } from './pool/lease.js';
import type { CredentialPool, LeaseDemand } from './pool/pool.js';
import { hasIds, poolOf } from './pool/pool.js';
import type { Pool } from './usage/usage-store.js';

/** An endpoint and its pool, by one version of secrets.json. */
export interface PoolOfEndpoint {
  readonly endpoint: Endpoint;
  readonly pool: Pool;
}

interface Held extends PoolOfEndpoint {
  readonly secretType: 'ip' | 'key' | undefined;
  readonly credentials: CredentialPool;
  /** The version. */
  readonly endpoints: Endpoints;
}

/** Sends those who wait for a pool that is no longer in force on to the one that is. */
const REPLACED = new Error('secrets.json has changed');

/**
 * The pools of secrets.json, by the version of it that is in force. Leases of an earlier one are settled as they were
 * taken; whoever comes with an earlier pool takes from the present one.
 */
export class Pools {
  readonly #open: (endpoint: Endpoint, pool: Pool) => CredentialPool;
  readonly #held = new Map<string, Held>();
  readonly #byPool = new WeakMap<Pool, Held>();
  #endpoints: Endpoints;
  #waits = new Waits();

  constructor(endpoints: Endpoints, open: (endpoint: Endpoint, pool: Pool) => CredentialPool) {
    this.#endpoints = endpoints;
    this.#open = open;
  }

  get endpoints(): Endpoints {
    return this.#endpoints;
  }

  /** From now on these are in force. */
  replace(endpoints: Endpoints): void {
    this.#endpoints = endpoints;
    this.#held.clear();
    const waiting = this.#waits;
    this.#waits = new Waits();
    waiting.end(REPLACED);
  }

  /** The one pool of an endpoint's keys, proxies, or both: Requests that take from the same credentials share it. */
  of(name: string, secretType: 'ip' | 'key' | undefined): PoolOfEndpoint {
    return this.#of(name, secretType);
  }

  /** What is in force in place of `pool`, which may be of an earlier version. */
  present(pool: Pool): PoolOfEndpoint {
    return this.#present(pool);
  }

  /** A lease of what is in force in place of `pool`, waited for among `waits` so that closing can send the waiter away. */
  lease(pool: Pool, demand: LeaseDemand, waits: readonly Waits[]): Promise<Lease> {
    if (demand.waitMs > 0) return this.#leaseInTime(pool, demand, waits);
    const leasing = this.#serving(pool, demand).lease(demand);
    return demand.signal === undefined ? leasing : inTime(leasing, demand.signal);
  }

  async #leaseInTime(pool: Pool, demand: LeaseDemand, waits: readonly Waits[]): Promise<Lease> {
    const untilMs = performance.now() + demand.waitMs;
    for (;;) {
      const credentials = this.#serving(pool, demand);
      const wait = exchangeAbort({ signal: demand.signal, timeoutMs: 0, deadlineMs: undefined });
      const sets = [...waits, this.#waits];
      for (const set of sets) set.add(wait);
      try {
        const waitMs = Math.max(0, untilMs - performance.now());
        return await inTime(credentials.lease({ ...demand, waitMs, signal: wait.signal }), wait.signal);
      } catch (error) {
        if (error !== REPLACED) throw error;
      } finally {
        for (const set of sets) set.delete(wait);
        wait.dispose();
      }
    }
  }

  #of(name: string, secretType: 'ip' | 'key' | undefined): Held {
    const id = `${secretType ?? 'both'}:${name}`;
    const known = this.#held.get(id);
    if (known !== undefined) return known;
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) throw unknownEndpoint(name, this.#endpoints);
    const pool = poolOf(endpoint, secretType);
    if (pool.sections.length === 0) {
      const [has, asked] = secretType === 'ip' ? ['key_based', 'ip_based'] : ['ip_based', 'key_based'];
      throw new ConfigError('Request', [
        `secretType: endpoint "${name}" stands in ${has} only, not in ${asked}; leave secretType out`,
      ]);
    }
    const held = { endpoint, pool, secretType, credentials: this.#open(endpoint, pool), endpoints: this.#endpoints };
    this.#held.set(id, held);
    this.#byPool.set(pool, held);
    return held;
  }

  #present(pool: Pool): Held {
    const held = this.#byPool.get(pool);
    if (held === undefined) throw new TypeError(`the pool of endpoint "${pool.endpoint}" is not of this manager`);
    return held.endpoints === this.#endpoints ? held : this.#of(held.endpoint.name, held.secretType);
  }

  #serving(pool: Pool, { pin }: LeaseDemand): CredentialPool {
    const present = this.#present(pool);
    if (present.pool !== pool && pin !== undefined && !hasIds(present.pool, pin)) throw removed(pool.endpoint);
    return present.credentials;
  }
}

/** The lease, unless the signal fires: one that comes all the same is given back. */
function inTime(leasing: Promise<Lease>, signal: AbortSignal): Promise<Lease> {
  if (!canFire(signal)) return leasing;
  return unlessAborted(leasing, signal).catch((error: unknown) => {
    leasing.then((late) => late.settle(undefined, false)).catch(() => {});
    throw error;
  });
}

/** The error for a key or proxy that somebody keeps, and that secrets.json no longer has. */
export function removed(endpoint: string): ConfigError {
  return new ConfigError(`endpoint "${endpoint}"`, [
    'the key or proxy that is kept is no longer in secrets.json; call getKeyProxy() again',
  ]);
}
