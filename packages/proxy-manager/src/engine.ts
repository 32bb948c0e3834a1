import { join, resolve } from 'node:path';
import type { HarImport } from './cache/archive.js';
import { exportHar, importHar } from './cache/archive.js';
import type { Har } from './cache/har.js';
import type { ManagedCache } from './cache/managed-cache.js';
import { managedCache } from './cache/managed-cache.js';
import { peek } from './cache/peek.js';
import type { Clock } from './clock.js';
import { systemClock } from './clock.js';
import type { ManagerOptions } from './config/options.js';
import { DEFAULT_POLICY, overPolicy } from './config/policy.js';
import type { Endpoints } from './config/resolve.js';
import type { SecretsFile } from './config/secrets.js';
import { loadSecrets } from './config/secrets.js';
import { unknownEndpoint } from './config/validate-options.js';
import type { WatchedSecrets } from './config/watched-secrets.js';
import { watchSecrets } from './config/watched-secrets.js';
import { ClosedError } from './errors.js';
import type { Asset } from './log/assets.js';
import { assets } from './log/assets.js';
import type { Explanation } from './explanation.js';
import { explanation } from './explanation.js';
import type { ExchangeLog } from './log/exchange-log.js';
import type { SpoolBounds } from './log/housekeeping.js';
import { consolePrinter } from './log/console-line.js';
import { observedLog } from './log/observed-log.js';
import { openExchangeLog } from './log/open-exchange-log.js';
import type { RecordPolicy } from './log/record-policy.js';
import { limiters } from './pace/limiters.js';
import { randomUserAgent } from './identity/user-agents.js';
import type { Exchange, ExchangePolicy, NamedSession, Pin, Reply } from './pipeline/exchange.js';
import { compose } from './pipeline/compose.js';
import { InFlight } from './pipeline/in-flight.js';
import type { Next } from './pipeline/stage.js';
import { Waits } from './pipeline/waits.js';
import type { SecretPattern } from './pipeline/secret-pattern.js';
import { patternOf } from './pipeline/secret-pattern.js';
import type { Lease } from './pool/lease.js';
import type { PinnedIdentity } from './pool/pinned-identity.js';
import { PoolHealth } from './pool/health.js';
import type { LeaseDemand } from './pool/pool.js';
import { credentialPool } from './pool/pool.js';
import { Pools, removed } from './pools.js';
import type { Secret } from './secret.js';
import { breakerStage } from './stages/breaker.js';
import { cacheStage } from './stages/cache.js';
import type { Session } from './session/session.js';
import { Sessions } from './session/sessions.js';
import { credentialStage } from './stages/credential.js';
import type { LeaseFor } from './stages/credential.js';
import { identityStage } from './stages/identity.js';
import { paceStage } from './stages/pace.js';
import { recordStage } from './stages/record.js';
import { retryStage } from './stages/retry.js';
import { wireStage } from './stages/wire.js';
import type { Stores } from './stores.js';
import { openStores } from './stores.js';
import { tracing } from './telemetry/tracing.js';
import { createTransport } from './transport/create.js';
import type { Transport } from './transport/transport.js';
import type { CredentialUsage } from './usage/credential-usage.js';
import { credentialUsage } from './usage/credential-usage.js';
import type { Pool } from './usage/usage-store.js';

/** A caller who goes through more identities than this has long put the first ones away. */
const REMEMBERED_SECRETS = 64;

/** What a ProxyManager is inside: the stores, the log, the connections and the pipeline over them. */
export class Engine {
  readonly pools: Pools;
  readonly policy: ExchangePolicy;
  readonly clock: Clock;
  /** Closing waits for it. */
  readonly inFlight: InFlight = new InFlight();
  /** Identities kept by Requests, some with a use still unspent. */
  readonly pins: Set<PinnedIdentity> = new Set();
  readonly #sessions = new Sessions();
  readonly #waits = new Waits();
  #given: readonly Secret[] = [];
  #givenPatterns: readonly SecretPattern[] = [];
  readonly #stores: Stores;
  readonly #log: ExchangeLog;
  readonly #cache: ReturnType<typeof cacheStage>;
  readonly #pace: ReturnType<typeof paceStage>;
  readonly #transport: Transport;
  readonly #health: PoolHealth;
  readonly #ownsTransport: boolean;
  readonly #retentionDays: number | undefined;
  readonly #trace: ReturnType<typeof tracing>;
  readonly #pipeline: Next;
  readonly #watch: WatchedSecrets | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ManagerOptions) {
    const { clock = systemClock, transport } = options;
    const { endpoints, watch } = secretsOf(options);
    const { service, headers, bodies, sample, console: prints } = options.log ?? {};
    // All of its own: what is read of it later may stand on a polluted `Object.prototype`.
    const record: RecordPolicy = {
      service,
      headers: headers && new Set(headers.map((name) => name.toLowerCase())),
      bodies,
      sample: sample === 1 ? undefined : sample,
    };
    this.#retentionDays = options.log?.retentionDays;
    this.#trace = tracing(options.trace);
    this.policy = overPolicy(
      { ...DEFAULT_POLICY, record },
      {
        ...(options.retry === undefined ? {} : { retry: options.retry }),
        ...(options.wait === undefined ? {} : { wait: options.wait }),
        ...(options.outcome === undefined ? {} : { outcome: options.outcome }),
      },
    );
    this.clock = clock;
    const dataDir = resolve(options.dataDir ?? '.proxy-manager');
    this.#stores = openStores({ ...options, dataDir, clock });
    this.#log = observedLog(
      openExchangeLog({
        directory: join(dataDir, 'log'),
        sinks: this.#stores.sinks,
        bounds: boundsOf(options),
        clock,
      }),
      { ...(sample === undefined ? {} : { sample }), ...(prints === true ? { print: consolePrinter() } : {}) },
    );
    this.#cache = cacheStage({ store: this.#stores.cache.cache, log: this.#log, clock });
    this.#pace = paceStage(limiters(this.#stores.redis, { standIn: options.onStoreFailure === 'local' }));
    this.#transport = transport ?? createTransport();
    this.#ownsTransport = transport === undefined;
    this.#health = new PoolHealth({
      store: this.#stores.usage,
      clock,
      probe: this.#transport.probe?.bind(this.#transport),
    });
    const [store, health] = [this.#stores.usage, this.#health];
    this.pools = new Pools(endpoints, (endpoint, pool) => credentialPool({ store, endpoint, pool, clock, health }));
    // The order of the pipeline, outermost first; docs/pipeline.md gives each line's reason.
    this.#pipeline = compose(
      [
        this.#cache.stage,
        retryStage({ clock }),
        recordStage({ log: this.#log, clock }),
        breakerStage({ clock }),
        this.#pace.stage,
        credentialStage((exchange) => this.#leaseFor(exchange)),
        identityStage(),
      ],
      wireStage({ transport: this.#transport, clock }),
    );
    this.#watch = watch;
    watch?.start((changed) => {
      this.#health.forget();
      this.pools.replace(changed);
    });
  }

  /** As the latest version of secrets.json has them. */
  get endpoints(): Endpoints {
    return this.pools.endpoints;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** A lease of `pool`, waited for among `waits` so that closing can send the waiter away. */
  lease(pool: Pool, demand: LeaseDemand, waits: Waits): Promise<Lease> {
    return this.pools.lease(pool, demand, [waits, this.#waits]);
  }

  /** Of the identity that the Request keeps, of its session, or of the least-used credentials. */
  #leaseFor(exchange: Exchange): ReturnType<LeaseFor> {
    const { pin, pool, policy, request, session, signal, avoid, shun, waits } = exchange;
    if (pin !== undefined) return this.#leaseByPin(pin, exchange);
    const { cost, waitMs } = policy;
    const demand = { cost, waitMs, signal, avoid, shun, host: request.url.host };
    if (session === undefined) return this.lease(pool, demand, waits).then(leaseAlone);
    return this.#leaseBySession(session, demand, exchange);
  }

  async #leaseByPin(pin: Pin, exchange: Exchange): ReturnType<LeaseFor> {
    const present = this.pools.present(exchange.pool);
    if (!pin.isIn(present)) {
      await pin.release();
      throw removed(exchange.pool.endpoint);
    }
    return { lease: await pin.lease(exchange), endpoint: present.endpoint, identity: pin.identity };
  }

  async #leaseBySession(
    { session, rules }: NamedSession,
    demand: LeaseDemand,
    { pool, policy: { userAgent }, waits }: Exchange,
  ): ReturnType<LeaseFor> {
    const filter = typeof userAgent === 'object' && 'filter' in userAgent ? userAgent.filter : undefined;
    const of = await session.lease(demand, rules, (one) => this.lease(pool, one, waits), filter);
    return { ...of, endpoint: of.lease.endpoint };
  }

  /** The one session of that name on these credentials. */
  session(pool: Pool, name: string): Session {
    const kinds = pool.sections.map(({ kind }) => kind).join('+');
    return this.#sessions.of({
      name: `${kinds}\n${pool.endpoint}\n${name}`,
      pool: () => this.pools.present(pool).pool,
      store: this.#stores.sessions,
      clock: this.clock,
      userAgent: randomUserAgent,
    });
  }

  /** From now on the lease's secrets are hidden wherever a caller writes them: `getKeyProxy` has given them out. */
  give({ key, proxy }: Lease): void {
    const secrets = [key?.secret, proxy?.userinfo].filter((secret) => secret !== undefined);
    this.#given = [...new Set([...secrets, ...this.#given])].slice(0, REMEMBERED_SECRETS);
    this.#givenPatterns = this.#given.map(patternOf);
  }

  get givenPatterns(): readonly SecretPattern[] {
    return this.#givenPatterns;
  }

  run(exchange: Exchange): Promise<Reply> {
    const traced = this.#trace(exchange);
    return traced instanceof Promise ? traced.then(this.#pipeline) : this.#pipeline(traced);
  }

  async explain(exchange: Exchange): Promise<Explanation> {
    const { pin, pool, request, session } = exchange;
    const [cache, readings, reasons, outlook] = await Promise.all([
      peek(this.#stores.cache.cache, exchange, this.clock),
      this.#stores.usage.read(pool),
      this.#health.reasons(pool, request.url.host),
      pin === undefined ? session?.session.outlook(session.rules) : { ids: pin.ids, lasts: true },
    ]);
    const by = pin === undefined ? 'of the session' : 'that getKeyProxy keeps';
    return explanation(exchange, cache, {
      readings,
      reasons,
      bound: outlook?.lasts === true ? { ids: outlook.ids, by } : undefined,
      avoid: outlook?.lasts === false ? outlook.ids : [],
      nowMs: this.clock.now(),
    });
  }

  async usage(name?: string): Promise<CredentialUsage[]> {
    if (this.closed) throw new ClosedError('ProxyManager');
    if (name !== undefined && !this.endpoints.has(name)) throw unknownEndpoint(name, this.endpoints);
    const endpoints = [...this.endpoints.values()].filter((endpoint) => name === undefined || endpoint.name === name);
    const readings = endpoints.map(async (endpoint) => {
      const { pool } = this.pools.of(endpoint.name, undefined);
      const [meters, reasons] = await Promise.all([
        this.#stores.usage.read(pool),
        this.#health.reasons(pool, undefined),
      ]);
      return meters.map((reading) =>
        credentialUsage(endpoint.name, reading, reasons.get(reading.id), this.clock.now()),
      );
    });
    return (await Promise.all(readings)).flat();
  }

  assets(): readonly Asset[] {
    return assets({ retentionDays: this.#retentionDays });
  }

  /** What `manager.cache` is. */
  managedCache(): ManagedCache {
    return managedCache(this.#stores.cache, () => this.#assertOpen());
  }

  async exportHar(file: string | URL | undefined): Promise<Har> {
    this.#assertOpen();
    return exportHar(this.#stores.cache.cache, file);
  }

  async importHar(source: Har | string | URL): Promise<HarImport> {
    this.#assertOpen();
    const secrets = [...this.endpoints.values()].flatMap(({ keys = [], proxies = [] }) => [
      ...keys.map(({ secret }) => secret),
      ...proxies.flatMap(({ userinfo }) => (userinfo === undefined ? [] : [userinfo])),
    ]);
    return importHar(this.#stores.cache.cache, source, {
      secrets: [...secrets.map(patternOf), ...this.#givenPatterns],
      nowMs: this.clock.now(),
    });
  }

  #assertOpen(): void {
    if (this.closed) throw new ClosedError('ProxyManager');
  }

  async flush(): Promise<void> {
    await this.#log.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#waits.end(new ClosedError('ProxyManager'));
    this.#watch?.close();
    this.#health.close();
    await this.#pace.close();
    await this.#cache.close();
    await this.inFlight.rest();
    await Promise.all([...this.pins].map((pin) => pin.release()));
    // The transport first: a streamed reply that it cuts is still logged.
    if (this.#ownsTransport) await this.#transport.close();
    await this.#log.close();
    await this.#sessions.close();
    await this.#stores.close();
  }
}

function leaseAlone(lease: Lease): Awaited<ReturnType<LeaseFor>> {
  return { lease, endpoint: lease.endpoint };
}

function boundsOf({ log: { maxBytes, maxDays } = {} }: ManagerOptions): Partial<SpoolBounds> {
  return { ...(maxBytes === undefined ? {} : { maxBytes }), ...(maxDays === undefined ? {} : { maxDays }) };
}

function secretsOf({ secrets, fingerprintKey, watch }: ManagerOptions): {
  readonly endpoints: Endpoints;
  readonly watch: WatchedSecrets | undefined;
} {
  if (watch !== true || isContent(secrets)) {
    return { endpoints: loadSecrets(secrets, { fingerprintKey }), watch: undefined };
  }
  const watched = watchSecrets(secrets, { fingerprintKey });
  return { endpoints: watched.endpoints, watch: watched };
}

function isContent(secrets: ManagerOptions['secrets']): secrets is SecretsFile {
  return typeof secrets === 'object' && !(secrets instanceof URL);
}
