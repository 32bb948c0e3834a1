import type { Cluster, Redis } from 'ioredis';
import { ConfigError } from '../errors.js';

/**
 * Rejects with a `ConfigError` when Redis may evict keys: an evicted counter is a quota exceeded. A server that does
 * not let us ask is trusted.
 */
export async function assertKeepsKeys(client: Redis | Cluster): Promise<void> {
  // A cluster knows its nodes once it is connected.
  if ('nodes' in client) await client.ping();
  const nodes = 'nodes' in client ? client.nodes('master') : [client];
  const settings = await Promise.all(nodes.map((node) => memorySettings(node)));
  for (const { maxmemory, policy } of settings) {
    if (maxmemory === '0' || policy === undefined || policy === 'noeviction') continue;
    throw new ConfigError('redis', [
      `maxmemory-policy: expected noeviction, for an evicted counter lets a quota be exceeded, found ${policy}`,
    ]);
  }
}

async function memorySettings(node: Redis): Promise<{ maxmemory: string | undefined; policy: string | undefined }> {
  try {
    const found = (await node.config('GET', 'maxmemory*')) as readonly string[];
    const value = (name: string): string | undefined => {
      const at = found.indexOf(name);
      return at === -1 ? undefined : found[at + 1];
    };
    return { maxmemory: value('maxmemory'), policy: value('maxmemory-policy') };
  } catch (error) {
    if (isReply(error)) return { maxmemory: undefined, policy: undefined };
    throw error;
  }
}

/** The server answered, and the answer was no: renamed, forbidden or unknown. */
function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
