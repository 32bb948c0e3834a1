import type { Cluster, Redis } from 'ioredis';
import type { CacheWatch } from './cache-store.js';

/** Where changes are told, whatever prefix a client gives its keys. */
export const CHANGES = 'proxy-manager:cache-v1:changes';

/**
 * Listens to what the others change, on a connection of its own that opens at the first use. While that is away, changes
 * go unnoticed; once it is back, any key could have changed.
 */
export function redisWatch(
  client: () => Promise<Redis | Cluster>,
  by: string,
  listener: (key: string | undefined) => void,
): CacheWatch {
  let opening: Promise<void> | undefined;
  let subscriber: Cluster | Redis | undefined;
  let isLive = false;
  let isClosed = false;

  async function open(): Promise<void> {
    const given = await client();
    if (isClosed) return;
    const options = { autoResubscribe: false, maxRetriesPerRequest: null, commandTimeout: undefined };
    subscriber =
      'nodes' in given
        ? given.duplicate([], { redisOptions: options })
        : given.duplicate({ ...options, lazyConnect: false });
    subscriber.on('error', () => {});
    subscriber.on('close', () => (isLive = false));
    subscriber.on('message', (_channel, message) => {
      const [who, key] = message.split(' ');
      if (who !== by) listener(key);
    });
    subscriber.on('ready', () => void subscribe());
    if (subscriber.status === 'ready') await subscribe();
  }

  async function subscribe(): Promise<void> {
    try {
      await subscriber?.subscribe(CHANGES);
      listener(undefined);
      isLive = true;
    } catch {
      // The connection was lost again; its next `ready` comes.
    }
  }

  return {
    upToDate() {
      opening ??= open().catch(() => {
        opening = undefined;
      });
      return isLive;
    },
    async close() {
      isClosed = true;
      await opening;
      subscriber?.disconnect();
    },
  };
}
