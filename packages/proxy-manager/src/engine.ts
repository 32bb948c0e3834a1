import { join, resolve } from 'node:path';
import type { Clock } from './clock.js';
import { systemClock } from './clock.js';
import type { ManagerOptions } from './config/options.js';
import { DEFAULT_POLICY, overPolicy } from './config/policy.js';
import type { Endpoint, Endpoints } from './config/resolve.js';
import { loadSecrets } from './config/secrets.js';
import { unknownEndpoint } from './config/validate-options.js';
import { ClosedError } from './errors.js';
import type { ExchangeLog } from './log/exchange-log.js';
import { openExchangeLog } from './log/open-exchange-log.js';
import type { ExchangeAbort } from './pipeline/abort.js';
import { exchangeAbort } from './pipeline/abort.js';
import type { Exchange, ExchangePolicy, Reply } from './pipeline/exchange.js';
import { compose } from './pipeline/compose.js';
import type { Next } from './pipeline/stage.js';
import type { Lease } from './pool/lease.js';
import type { PinnedIdentity } from './pool/pinned-identity.js';
import type { CredentialPool, LeaseDemand } from './pool/pool.js';
import { credentialPool, poolOf } from './pool/pool.js';
import { cacheStage } from './stages/cache.js';
import { credentialStage } from './stages/credential.js';
import { identityStage } from './stages/identity.js';
import { paceStage } from './stages/pace.js';
import { recordStage } from './stages/record.js';
import { retryStage } from './stages/retry.js';
import { wireStage } from './stages/wire.js';
import type { Stores } from './stores.js';
import { openStores } from './stores.js';
import { createTransport } from './transport/create.js';
import type { Transport } from './transport/transport.js';
import type { CredentialUsage } from './usage/credential-usage.js';
import { credentialUsage } from './usage/credential-usage.js';
import type { Pool } from './usage/usage-store.js';

/** What a ProxyManager is inside: the stores, the log, the connections and the pipeline over them. */
export class Engine {
  readonly endpoints: Endpoints;
  readonly policy: ExchangePolicy;
  readonly clock: Clock;
  /** Identities kept by Requests, some with a use still unspent. */
  readonly pins: Set<PinnedIdentity> = new Set();
  readonly #pools = new Map<string, Pool>();
  readonly #credentials = new Map<Pool, CredentialPool>();
  readonly #waiting = new Set<ExchangeAbort>();
  readonly #stores: Stores;
  readonly #log: ExchangeLog;
  readonly #pace: ReturnType<typeof paceStage>;
  readonly #transport: Transport;
  readonly #ownsTransport: boolean;
  readonly #pipeline: Next;
  readonly #inFlight = new Set<Promise<Reply>>();
  #closing: Promise<void> | undefined;

  constructor(options: ManagerOptions) {
    const { fingerprintKey, clock = systemClock, transport } = options;
    this.endpoints = loadSecrets(options.secrets, { fingerprintKey });
    this.policy = overPolicy(DEFAULT_POLICY, {
      ...(options.retry === undefined ? {} : { retry: options.retry }),
      ...(options.wait === undefined ? {} : { wait: options.wait }),
    });
    this.clock = clock;
    const dataDir = resolve(options.dataDir ?? '.proxy-manager');
    this.#stores = openStores({ ...options, dataDir, clock });
    this.#log = openExchangeLog({ directory: join(dataDir, 'log'), sinks: this.#stores.sinks, clock });
    this.#pace = paceStage();
    this.#transport = transport ?? createTransport();
    this.#ownsTransport = transport === undefined;
    // The order of the pipeline, outermost first; docs/pipeline.md gives each line's reason.
    this.#pipeline = compose(
      [
        cacheStage({ store: this.#stores.cache, log: this.#log, clock }),
        retryStage({ clock }),
        recordStage({ log: this.#log, clock }),
        this.#pace.stage,
        credentialStage(({ pool, policy, signal, avoid }) => this.lease(pool, { ...policy, signal, avoid })),
        identityStage(),
      ],
      wireStage({ transport: this.#transport, clock }),
    );
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** The one pool of an endpoint's keys, proxies, or both: Requests that take from the same credentials share it. */
  poolOf(endpoint: Endpoint, secretType: 'ip' | 'key' | undefined): Pool {
    const name = `${secretType ?? 'both'}:${endpoint.name}`;
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const pool = poolOf(endpoint, secretType);
    this.#pools.set(name, pool);
    this.#credentials.set(pool, credentialPool({ store: this.#stores.usage, endpoint, pool, clock: this.clock }));
    return pool;
  }

  async lease(pool: Pool, demand: LeaseDemand): Promise<Lease> {
    if (this.closed) throw new ClosedError('ProxyManager');
    const credentials = this.#credentials.get(pool);
    if (credentials === undefined)
      throw new TypeError(`the pool of endpoint "${pool.endpoint}" is not of this manager`);
    if (demand.waitMs === 0) return credentials.lease(demand);
    // Whoever waits for the pool has sent nothing: closing sends it away instead of waiting along.
    const waiting = exchangeAbort({ signal: demand.signal, timeoutMs: 0, deadlineMs: undefined });
    this.#waiting.add(waiting);
    try {
      return await credentials.lease({ ...demand, signal: waiting.signal });
    } finally {
      this.#waiting.delete(waiting);
      waiting.dispose();
    }
  }

  async run(exchange: Exchange): Promise<Reply> {
    if (this.closed) throw new ClosedError('ProxyManager');
    const running = this.#pipeline(exchange);
    this.#inFlight.add(running);
    try {
      return await running;
    } finally {
      this.#inFlight.delete(running);
    }
  }

  async usage(name?: string): Promise<CredentialUsage[]> {
    if (this.closed) throw new ClosedError('ProxyManager');
    if (name !== undefined && !this.endpoints.has(name)) throw unknownEndpoint(name, this.endpoints);
    const endpoints = [...this.endpoints.values()].filter((endpoint) => name === undefined || endpoint.name === name);
    const readings = endpoints.map(async (endpoint) => {
      const meters = await this.#stores.usage.read(this.poolOf(endpoint, undefined));
      return meters.map((reading) => credentialUsage(endpoint.name, reading, this.clock.now()));
    });
    return (await Promise.all(readings)).flat();
  }

  async flush(): Promise<void> {
    await this.#log.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const waiting of this.#waiting) waiting.abort(new ClosedError('ProxyManager'));
    await this.#pace.close();
    await Promise.allSettled(this.#inFlight);
    await Promise.all([...this.pins].map((pin) => pin.release()));
    await this.#log.close();
    if (this.#ownsTransport) await this.#transport.close();
    await this.#stores.close();
  }
}
