import type { Endpoint, KeyCredential, ProxyCredential } from '../config/resolve.js';
import { ConfigError, PoolExhaustedError } from '../errors.js';
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import type { Demand, Pool, Refusal, Section, Ticket, UsageStore } from '../usage/usage-store.js';
import { CredentialLease } from './credential-lease.js';
import type { Lease } from './lease.js';
import { Line } from './line.js';

/** What a lease is asked for. */
export interface LeaseDemand {
  /** Uses to count, a positive integer. */
  readonly cost: number;
  /** How long an exhausted pool is waited for, in ms, Infinity for as long as it takes; 0: not at all. */
  readonly waitMs: number;
  /** Ends the wait; the lease then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Exactly these ids, one per section of the pool, in its order. */
  readonly pin?: readonly string[] | undefined;
  /** Ids that serve only where no other is ready. */
  readonly avoid?: ReadonlySet<string> | undefined;
}

/** Gives leases on the credentials of one endpoint. */
export interface CredentialPool {
  /**
   * The least-used credentials under their limits, counted. `PoolExhaustedError` when there are none within `waitMs`,
   * `ConfigError` when no credential could ever hold `cost`, `StoreError` when the store cannot tell.
   */
  lease(demand: LeaseDemand): Promise<Lease>;
}

/** The credentials of an endpoint as a pool: keys, proxies, or both together where `secretType` is left out. */
export function poolOf(endpoint: Endpoint, secretType?: 'ip' | 'key'): Pool {
  const sections: Section[] = [];
  if (endpoint.keys !== undefined && secretType !== 'ip') sections.push({ kind: 'key', meters: endpoint.keys });
  if (endpoint.proxies !== undefined && secretType !== 'key')
    sections.push({ kind: 'proxy', meters: endpoint.proxies });
  return Object.freeze({ endpoint: endpoint.name, sections: Object.freeze(sections.map((one) => Object.freeze(one))) });
}

/** Leases credentials of `pool`, which `poolOf(endpoint)` gave, counting in `store`. */
export function credentialPool(options: {
  readonly store: UsageStore;
  readonly endpoint: Endpoint;
  readonly pool: Pool;
  readonly clock?: Clock;
}): CredentialPool {
  const { store, endpoint, pool, clock = systemClock } = options;
  const keys = byId<KeyCredential>(endpoint.keys);
  const proxies = byId<ProxyCredential>(endpoint.proxies);
  /** One line for all who take any credential, and one for each pinned identity. */
  const lines = new Map<string, Line>();

  function exhausted({ kind, retryAtMs }: Refusal): Error {
    if (retryAtMs === Infinity) {
      return new ConfigError(`endpoint "${pool.endpoint}"`, [`cost: more uses at once than any ${kind} may ever have`]);
    }
    return new PoolExhaustedError(pool.endpoint, kind, new Date(retryAtMs));
  }

  async function taken(demand: Demand, waitMs: number, signal: AbortSignal | undefined): Promise<Ticket> {
    const ask = (): Promise<Ticket | Refusal> => store.take(demand);
    const name = JSON.stringify(demand.pin ?? []);
    let line = waitMs > 0 ? lines.get(name) : undefined;
    let refusal = line?.refusalFor(demand.cost);
    if (line === undefined || refusal === undefined) {
      const answer = await ask();
      if (answer.granted) return answer;
      if (waitMs <= 0 || answer.retryAtMs === Infinity) throw exhausted(answer);
      refusal = answer;
      line = lines.get(name) ?? new Line(clock);
      lines.set(name, line);
    }
    try {
      const answer = await line.wait(ask, { cost: demand.cost, refusal }, waitMs, signal);
      if (answer.granted) return answer;
      throw exhausted(answer);
    } finally {
      if (line.isEmpty && lines.get(name) === line) lines.delete(name);
    }
  }

  return {
    async lease({ cost, pin, avoid, waitMs, signal }) {
      if (!Number.isSafeInteger(cost) || cost < 1) {
        throw new ConfigError('cost', [`expected a positive integer, found ${cost}`]);
      }
      signal?.throwIfAborted();
      const ticket = await taken({ pool, cost, ...(pin && { pin }), ...(avoid && { avoid }) }, waitMs, signal);
      const lease = new CredentialLease({
        store,
        ticket,
        key: find('key', keys, ticket),
        proxy: find('proxy', proxies, ticket),
        exhausted,
        clock,
        onFree: () => {
          for (const line of lines.values()) line.nudge();
        },
      });
      if (signal?.aborted === true) {
        await lease.settle(undefined, false);
        signal.throwIfAborted();
      }
      return lease;
    },
  };
}

function byId<Credential extends { readonly id: string }>(
  credentials: readonly Credential[] | undefined,
): ReadonlyMap<string, Credential> {
  return new Map(credentials?.map((credential) => [credential.id, credential]));
}

function find<Credential>(
  kind: 'key' | 'proxy',
  credentials: ReadonlyMap<string, Credential>,
  { taken }: Ticket,
): Credential | undefined {
  const reading = taken.find((one) => one.kind === kind);
  return reading && credentials.get(reading.id);
}
