import type { Client as ElasticsearchClient } from '@elastic/elasticsearch';
import type { ManagerOptions } from './config/options.js';
import { ConfigError } from './errors.js';
import { checkElasticsearchUrls } from './store-address.js';
import type { Mask } from './store-passwords.js';
import { elasticsearchMask } from './store-passwords.js';

/** A client that is made on first use and closed only where it was made here: what the caller injected stays open. */
export interface Connection<C> {
  readonly client: () => Promise<C>;
  readonly close: () => Promise<void>;
}

/** A connection to a server that may want a password. */
export interface ServerConnection<C> extends Connection<C> {
  /** What the client says, fit to be told: without the passwords that are known here. */
  readonly mask: Mask;
}

/** A `ConfigError` at once where the setting holds an url that cannot be read. */
export function elasticsearchConnection(
  setting: NonNullable<ManagerOptions['elasticsearch']>,
): ServerConnection<ElasticsearchClient> {
  if (isElasticsearchClient(setting)) return borrowed(setting, (text) => text);
  assertInstalled('elasticsearch', '@elastic/elasticsearch');
  checkElasticsearchUrls(setting);
  const connection = owned(
    async () => {
      const { Client } = await import('@elastic/elasticsearch');
      return new Client({
        maxRetries: 0,
        requestTimeout: 30_000,
        ...(typeof setting === 'string' ? { node: setting } : setting),
      });
    },
    (client) => client.close(),
  );
  return { ...connection, mask: elasticsearchMask(setting) };
}

function isElasticsearchClient(setting: NonNullable<ManagerOptions['elasticsearch']>): setting is ElasticsearchClient {
  return typeof setting === 'object' && 'bulk' in setting;
}

/** What the caller made and goes on using. */
export function borrowed<C>(client: C, mask: Mask): ServerConnection<C> {
  return { client: async () => client, close: async () => {}, mask };
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
export async function within(budgetMs: number, work: Promise<unknown>): Promise<void> {
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

/** Both clients are optional peers: whoever configures one is told at once to install it. */
export function assertInstalled(option: string, name: string): void {
  try {
    import.meta.resolve(name);
  } catch (cause) {
    throw new ConfigError(`option ${option}`, [`needs the package ${name}: npm install ${name}`], { cause });
  }
}
