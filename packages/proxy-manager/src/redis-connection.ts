import { once } from 'node:events';
import type { Cluster, Redis } from 'ioredis';
import type { ManagerOptions } from './config/options.js';
import type { ServerConnection } from './connections.js';
import { assertInstalled, borrowed, owned, within } from './connections.js';
import { ConfigError } from './errors.js';
import { checkRedisUrl } from './store-address.js';
import { redisMask } from './store-passwords.js';

type Setting = NonNullable<ManagerOptions['redis']>;

/** A `ConfigError` at once where the setting is an url that cannot be read. */
export function redisConnection(setting: Setting): ServerConnection<Redis | Cluster> {
  if (isClient(setting)) return borrowed(setting, redisMask('nodes' in setting ? {} : setting.options));
  assertInstalled('redis', 'ioredis');
  if (typeof setting === 'string') checkRedisUrl(setting);
  else if ('nodes' in setting) checkNodes(setting.nodes);
  let fault: string | undefined;
  const connection = owned(
    async () => {
      const client = await clientOf(setting);
      // Without a listener a lost connection would end the process; each command rejects by itself anyway.
      client.on('error', ({ message }: Error) => (fault = message)).on('ready', () => (fault = undefined));
      if (client.isCluster) await reached(client);
      return client;
    },
    async (client) => {
      // In this order: a server that is silent would never let a quit go.
      await within(
        QUIT_BUDGET_MS,
        client.quit().catch(() => {}),
      );
      client.disconnect();
    },
  );
  const mask = redisMask(setting);
  // ioredis tells which of its limits was reached, and not why.
  return { ...connection, mask: (text) => mask(text.replaceAll(GIVEN_UP, () => fault ?? 'the connection was lost')) };
}

const GIVEN_UP = /Reached the max retries per request limit .*? for details\./g;

/** How long Redis may take to say goodbye. */
const QUIT_BUDGET_MS = 1_500;

// A take must fail soon when Redis is away, so that the caller gets ERR_STORE and not a hanging send.
// What was on its way when a connection broke may have been counted: it fails at once and is not sent again.
const SOON = {
  maxRetriesPerRequest: 0,
  connectTimeout: 5_000,
  commandTimeout: 5_000,
  autoResendUnfulfilledCommands: false,
};

function checkNodes(nodes: unknown): void {
  if (Array.isArray(nodes) && nodes.length > 0) return;
  const found = Array.isArray(nodes) ? 'an empty one' : typeof nodes;
  throw new ConfigError('ProxyManager', [`redis.nodes: expected a list of the Cluster's nodes, found ${found}`]);
}

async function clientOf(setting: Exclude<Setting, Cluster | Redis>): Promise<Redis | Cluster> {
  const { Cluster, Redis } = await import('ioredis');
  if (typeof setting === 'string') return new Redis(setting, SOON);
  const { replyMapping, ...rest } = { ...SOON, ...('nodes' in setting ? setting.redisOptions : setting) };
  const redisOptions = { ...rest, ...(replyMapping === undefined ? {} : { replyMapping }) };
  if (!('nodes' in setting)) return new Redis(redisOptions);
  const { nodes, ...options } = setting;
  // Its queue, unlike that of a single server, knows no limit of time.
  return new Cluster([...nodes], { ...options, redisOptions, enableOfflineQueue: false, lazyConnect: false });
}

/** A Cluster that is reached for the first time; from then on it finds its way back by itself. */
async function reached(client: Redis | Cluster): Promise<void> {
  try {
    await once(client, 'ready');
  } catch (error) {
    client.disconnect();
    throw error;
  }
}

function isClient(setting: Setting): setting is Cluster | Redis {
  return typeof setting === 'object' && 'evalsha' in setting;
}
