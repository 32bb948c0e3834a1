import type { Endpoint, KeyCredential, ProxyCredential } from '../config/resolve.js';
import { ConfigError } from '../errors.js';
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import type { Demand, Pool, Refusal, Section, Ticket, UsageStore } from '../usage/usage-store.js';
import { CredentialLease } from './credential-lease.js';
import { exhaustedError } from './exhausted.js';
import { PoolHealth } from './health.js';
import type { Lease } from './lease.js';
import { Line } from './line.js';
import type { Resting } from './resting-proxies.js';
import { MAX_DATE_MS } from './retry-after.js';

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
  /** Ids that do not serve. */
  readonly shun?: ReadonlySet<string> | undefined;
  /** Where the request goes, as `URL.host`: who is blocked there is not taken. */
  readonly host?: string | undefined;
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

/** Whether `ids` name a credential of each of the pool's sections, in their order. */
export function hasIds({ sections }: Pool, ids: readonly string[]): boolean {
  return sections.length === ids.length && sections.every(({ meters }, n) => meters.some(({ id }) => id === ids[n]));
}

/** Leases credentials of `pool`, which `poolOf(endpoint)` gave, counting in `store`. */
export function credentialPool(options: {
  readonly store: UsageStore;
  readonly endpoint: Endpoint;
  readonly pool: Pool;
  readonly clock?: Clock;
  readonly health?: PoolHealth;
}): CredentialPool {
  const { store, endpoint, pool, clock = systemClock } = options;
  const health = options.health ?? new PoolHealth({ store, clock });
  health.register(pool, endpoint.proxies ?? []);
  const keys = byId<KeyCredential>(endpoint.keys);
  const proxies = byId<ProxyCredential>(endpoint.proxies);
  /** One line for all who take any credential, and one for each pinned identity. */
  const lines = new Map<string, Line>();

  const exhausted = (refusal: Refusal, { host, pin, shun }: Partial<LeaseDemand>): Promise<Error> =>
    exhaustedError(refusal, { store, health, pool, host, pin, shun });

  /** Who rests where the request goes, and is not to serve. */
  function demandOf(wanted: LeaseDemand): Demand | Promise<Demand> {
    const resting = health.restingFor(pool, wanted.host);
    return resting instanceof Promise ? resting.then((known) => without(wanted, known)) : without(wanted, resting);
  }

  function without({ cost, pin, avoid, shun }: LeaseDemand, known: Resting): Demand {
    const resting =
      shun === undefined || shun.size === 0
        ? known
        : new Map([...known, ...Array.from(shun, (id) => [id, MAX_DATE_MS] as const)]);
    const avoids = avoid !== undefined && avoid.size > 0;
    // The usual one, in a tenth of the time that spreading nothing takes.
    if (pin === undefined && !avoids && resting.size === 0) return { pool, cost };
    return { pool, cost, ...(pin && { pin }), ...(avoids && { avoid }), ...(resting.size > 0 && { resting }) };
  }

  /** Waits where nobody is ready, behind those who came before. */
  async function inLine(wanted: LeaseDemand, demand: Demand): Promise<Ticket | Refusal> {
    const { cost, waitMs, signal } = wanted;
    const ask = async (): Promise<Ticket | Refusal> => store.take(await demandOf(wanted));
    // Whoever cannot take what others can stands in a line of its own.
    const apart = demand.resting === undefined ? [] : [wanted.host, ...(wanted.shun ?? [])];
    const name = JSON.stringify([wanted.pin ?? [], apart]);
    let line = lines.get(name);
    let refusal = line?.refusalFor(cost);
    if (line === undefined || refusal === undefined) {
      const answer = await store.take(demand);
      if (answer.granted || answer.retryAtMs === Infinity) return answer;
      refusal = answer;
      line = lines.get(name) ?? new Line(clock);
      lines.set(name, line);
    }
    try {
      return await line.wait(ask, { cost, refusal }, waitMs, signal);
    } finally {
      if (line.isEmpty && lines.get(name) === line) lines.delete(name);
    }
  }

  const onFree = (): void => {
    for (const line of lines.values()) line.nudge();
  };

  return {
    async lease(wanted) {
      const { cost, signal } = wanted;
      if (!Number.isSafeInteger(cost) || cost < 1) {
        throw new ConfigError('cost', [`expected a positive integer, found ${cost}`]);
      }
      signal?.throwIfAborted();
      const demanding = demandOf(wanted);
      const demand = demanding instanceof Promise ? await demanding : demanding;
      const ticket = await (wanted.waitMs > 0 ? inLine(wanted, demand) : store.take(demand));
      if (!ticket.granted) throw await exhausted(ticket, wanted);
      const key = find('key', keys, ticket);
      const proxy = find('proxy', proxies, ticket);
      health.took([key, proxy], ticket.taken);
      const lease = new CredentialLease({
        store,
        ticket,
        endpoint,
        key,
        proxy,
        health,
        exhausted: (refusal) => exhausted(refusal, wanted),
        clock,
        onFree,
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
