import type { Client } from '@elastic/elasticsearch';
import type { Cluster, Redis } from 'ioredis';
import type { CacheStore } from './cache/cache-store.js';
import { elasticsearchCacheStore } from './cache/elasticsearch.js';
import { lmdbCacheStore } from './cache/lmdb.js';
import type { CacheTiers } from './cache/managed-cache.js';
import { memoryCacheStore } from './cache/memory.js';
import { redisCacheStore } from './cache/redis.js';
import { tieredCacheStore } from './cache/tiered.js';
import type { Clock } from './clock.js';
import type { ManagerOptions } from './config/options.js';
import type { Connection, ServerConnection } from './connections.js';
import { closeAll, elasticsearchConnection, owned } from './connections.js';
import type { Environment } from './embedded/environment.js';
import { openCache, openCounts, openEnvironment } from './embedded/environment.js';
import { ConfigError } from './errors.js';
import { elasticsearchSink } from './log/elasticsearch.js';
import type { ExchangeSink } from './log/exchange-log.js';
import { ensureAssets } from './log/install-assets.js';
import { redisConnection } from './redis-connection.js';
import type { SessionStore } from './session/session-store.js';
import { embeddedSessions } from './session/embedded-sessions.js';
import { withMaskedErrors } from './store-passwords.js';
import { elasticsearchUsageStore } from './usage/elasticsearch.js';
import { embeddedUsageStore } from './usage/embedded.js';
import { memoryUsageStore } from './usage/memory.js';
import { redisUsageStore } from './usage/redis.js';
import type { UsageStore } from './usage/usage-store.js';
import { withFallback } from './usage/with-fallback.js';

/**
 * The stores of one manager; `close` closes those that were made here, and the connections after them. It takes 5 s at
 * most for each, and one that could not be opened does not trouble it.
 */
export interface Stores {
  readonly usage: UsageStore;
  readonly cache: CacheTiers;
  readonly sinks: readonly ExchangeSink[];
  readonly sessions: SessionStore;
  /** What they share with others, where it is configured. */
  readonly redis: ServerConnection<Cluster | Redis> | undefined;
  close(): Promise<void>;
}

type UsageChoice = NonNullable<ManagerOptions['usage']>;
type CacheChoice = NonNullable<NonNullable<ManagerOptions['cache']>['store']>;

/** What the stores stand on, each opened on first use and closed after them. */
interface Ground {
  readonly clock: Clock;
  readonly counts: Connection<Environment>;
  readonly replies: Connection<Environment>;
  readonly environment: Connection<Environment>;
  readonly redis: ServerConnection<Cluster | Redis> | undefined;
  readonly elasticsearch: ServerConnection<Client> | undefined;
  readonly installAssets: boolean;
  readonly retentionDays: number | undefined;
}

const DEFAULT_MEMORY_BYTES = 64 * 1024 * 1024;
const DEFAULT_MEMORY_AGE_MS = 30_000;

/** How long a cached reply waits for its index to be made; and the first use, which can do without it no more than later ones. */
const ASSETS_BUDGET_MS = { cache: 10_000, usage: 30_000 };

/** Chooses each store by what is configured. Nothing is opened or connected before its first use. */
export function openStores(options: ManagerOptions & { readonly dataDir: string; readonly clock: Clock }): Stores {
  const { clock, dataDir, redis, elasticsearch, installAssets = true } = options;
  const retentionDays = options.log?.retentionDays;
  const ground: Ground = {
    clock,
    installAssets,
    retentionDays,
    counts: owned(
      () => openCounts(dataDir),
      (environment) => environment.close(),
    ),
    replies: owned(
      () => openCache(dataDir),
      (environment) => environment.close(),
    ),
    environment: owned(
      () => openEnvironment(dataDir),
      (environment) => environment.close(),
    ),
    redis: redis === undefined ? undefined : redisConnection(redis),
    elasticsearch: elasticsearch === undefined ? undefined : elasticsearchConnection(elasticsearch),
  };
  const usageChoice = options.usage ?? (ground.redis === undefined ? 'embedded' : 'redis');
  const cacheChoice = options.cache?.store ?? defaultCache(ground);
  const memory = memoryCacheStore({ maxBytes: options.cache?.memoryMaxBytes ?? DEFAULT_MEMORY_BYTES, clock });
  const shared = usageStore(usageChoice, ground);
  const isShared = typeof usageChoice === 'object' || usageChoice === 'redis' || usageChoice === 'elasticsearch';
  const standsIn = options.onStoreFailure === 'local' && isShared;
  const local = standsIn ? usageStore('embedded', ground) : undefined;
  const usage = local === undefined ? shared : withFallback(shared, local);
  const store = cacheStore(cacheChoice, ground, options.cache?.maxBytes);
  const sinks =
    ground.elasticsearch === undefined
      ? []
      : [elasticsearchSink({ ...ground.elasticsearch, installAssets, retentionDays })];
  const cache =
    store === undefined
      ? memory
      : tieredCacheStore({
          memory,
          store,
          clock,
          memoryMaxAgeMs: options.cache?.memoryMaxAgeMs ?? DEFAULT_MEMORY_AGE_MS,
        });
  // In this order: what still writes, what it writes to, and the connections at last.
  const made = [
    ...(typeof usageChoice === 'object' ? [] : [shared]),
    ...(local === undefined ? [] : [local]),
    cache,
    ...(typeof cacheChoice === 'object' || store === undefined ? [] : [store]),
    ...(store === undefined ? [] : [memory]),
    ...sinks,
    ground.counts,
    ground.replies,
    ground.environment,
    ...(ground.redis === undefined ? [] : [ground.redis]),
    ...(ground.elasticsearch === undefined ? [] : [ground.elasticsearch]),
  ];
  return {
    usage,
    cache: { cache, memory, store: store ?? memory },
    sinks: [...sinks, ...(options.log?.sinks ?? [])],
    sessions: embeddedSessions(ground.environment.client),
    redis: ground.redis,
    close: () => closeAll(made),
  };
}

function usageStore(choice: UsageChoice, ground: Ground): UsageStore {
  const { clock, counts } = ground;
  switch (choice) {
    case 'memory':
      return memoryUsageStore({ clock });
    case 'embedded':
      return embeddedUsageStore({ environment: counts.client, clock });
    case 'redis': {
      const { client, mask } = needed(ground.redis, 'usage', 'redis');
      return withMaskedErrors(redisUsageStore({ client }), mask);
    }
    case 'elasticsearch': {
      const { client, mask } = needed(ground.elasticsearch, 'usage', 'elasticsearch');
      return withMaskedErrors(elasticsearchUsageStore({ client, clock, prepare: assetsOf(ground, 'usage') }), mask);
    }
    default:
      return choice;
  }
}

function defaultCache({ elasticsearch, redis }: Ground): CacheChoice {
  if (elasticsearch !== undefined) return 'elasticsearch';
  return redis === undefined ? 'embedded' : 'redis';
}

/** Undefined: the memory tier alone. */
function cacheStore(choice: CacheChoice, ground: Ground, maxBytes: number | undefined): CacheStore | undefined {
  const { clock, replies } = ground;
  switch (choice) {
    case 'memory':
      return undefined;
    case 'embedded':
      return lmdbCacheStore({
        environment: replies.client,
        clock,
        ...(maxBytes === undefined ? {} : { maxBytes }),
      });
    case 'redis':
      return redisCacheStore({
        client: needed(ground.redis, 'cache.store', 'redis').client,
        clock,
        ...(maxBytes === undefined ? {} : { maxBytes }),
      });
    case 'elasticsearch':
      return elasticsearchCacheStore({
        client: needed(ground.elasticsearch, 'cache.store', 'elasticsearch').client,
        clock,
        beforeWrite: assetsOf(ground, 'cache'),
      });
    default:
      return choice;
  }
}

/** Undefined: they are not ours to install. */
function assetsOf(
  { installAssets, retentionDays }: Ground,
  store: 'cache' | 'usage',
): ((client: Client) => Promise<void>) | undefined {
  if (!installAssets) return undefined;
  return (client) => ensureAssets(client, AbortSignal.timeout(ASSETS_BUDGET_MS[store]), { retentionDays });
}

function needed<C>(
  connection: ServerConnection<C> | undefined,
  option: string,
  name: 'elasticsearch' | 'redis',
): ServerConnection<C> {
  if (connection === undefined)
    throw new ConfigError('ProxyManager', [`${option}: '${name}' needs the option ${name} too`]);
  return connection;
}
