import type { Client as ElasticsearchClient } from '@elastic/elasticsearch';
import type { Cluster, Redis } from 'ioredis';
import type { ManagerOptions } from './config/options.js';
import { ConfigError } from './errors.js';

/** A client that is made on first use and closed only where it was made here: what the caller injected stays open. */
export interface Connection<C> {
  readonly client: () => Promise<C>;
  readonly close: () => Promise<void>;
}

export function redisConnection(setting: NonNullable<ManagerOptions['redis']>): Connection<Redis | Cluster> {
  if (isRedisClient(setting)) return borrowed(setting);
  return owned(
    async () => {
      const { Redis } = await load('redis', 'ioredis', () => import('ioredis'));
      // A take must fail soon when Redis is away, so that the caller gets ERR_STORE and not a hanging send.
      // What was on its way when a connection broke may have been counted: it fails at once and is not sent again.
      const options = {
        maxRetriesPerRequest: 0,
        connectTimeout: 5_000,
        commandTimeout: 5_000,
        autoResendUnfulfilledCommands: false,
      };
      if (typeof setting === 'string') return listening(new Redis(setting, options));
      const { replyMapping, ...rest } = setting;
      return listening(new Redis({ ...options, ...rest, ...(replyMapping === undefined ? {} : { replyMapping }) }));
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
}

/** How long Redis may take to say goodbye. */
const QUIT_BUDGET_MS = 1_500;

/** Without a listener a lost connection would end the process; each command rejects by itself anyway. */
function listening(client: Redis): Redis {
  return client.on('error', () => {});
}

export function elasticsearchConnection(
  setting: NonNullable<ManagerOptions['elasticsearch']>,
): Connection<ElasticsearchClient> {
  if (isElasticsearchClient(setting)) return borrowed(setting);
  return owned(
    async () => {
      const { Client } = await load('elasticsearch', '@elastic/elasticsearch', () => import('@elastic/elasticsearch'));
      return new Client({
        maxRetries: 0,
        requestTimeout: 30_000,
        ...(typeof setting === 'string' ? { node: setting } : setting),
      });
    },
    (client) => client.close(),
  );
}

function isRedisClient(setting: NonNullable<ManagerOptions['redis']>): setting is Cluster | Redis {
  return typeof setting === 'object' && 'evalsha' in setting;
}

function isElasticsearchClient(setting: NonNullable<ManagerOptions['elasticsearch']>): setting is ElasticsearchClient {
  return typeof setting === 'object' && 'bulk' in setting;
}

function borrowed<C>(client: C): Connection<C> {
  return { client: async () => client, close: async () => {} };
}

/** Opens on first use, and again on the next one where that failed; closes what was opened. */
export function owned<C>(open: () => Promise<C>, close: (client: C) => Promise<void>): Connection<C> {
  let opened: Promise<C> | undefined;
  return {
    client() {
      opened ??= open().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    async close() {
      // Whoever asked for a client that cannot be opened was told so: there is nothing to close.
      const client = await opened?.catch(() => undefined);
      if (client !== undefined) await close(client);
    },
  };
}

/** How long one of them may take to close. */
const CLOSE_BUDGET_MS = 5_000;

/**
 * Closes one after the other. One that fails or takes longer than `eachMs` keeps no other open; the first failure
 * rejects when all had their turn.
 */
export async function closeAll(
  ones: readonly { close(): Promise<void> }[],
  eachMs: number = CLOSE_BUDGET_MS,
): Promise<void> {
  const failures: unknown[] = [];
  for (const one of ones) {
    await within(eachMs, one.close()).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** Settles as `work` does; resolves when that takes longer. */
async function within(budgetMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, budgetMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Both clients are optional peers: whoever configures one is told to install it. */
async function load<M>(option: string, name: string, importer: () => Promise<M>): Promise<M> {
  try {
    return await importer();
  } catch (cause) {
    throw new ConfigError(`option ${option}`, [`needs the package ${name}: npm install ${name}`], { cause });
  }
}
