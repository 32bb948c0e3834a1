import type Bottleneck from 'bottleneck';
import type { Cluster, Redis } from 'ioredis';
import type { Pace } from '../config/resolve.js';
import type { ServerConnection } from '../connections.js';
import { StoreError } from '../errors.js';
import { maskError } from '../store-passwords.js';

/** The Bottleneck of one host. */
export interface HostLimiter {
  readonly limiter: Bottleneck;
  /** Another one in its place that knows of no start; undefined where it counts more than one line could know. */
  readonly renew: (() => Bottleneck) | undefined;
  /** What is to be said of each job. */
  readonly job: Bottleneck.JobOptions;
  /** `performance.now()` from which the shared one is worth another try; undefined: it is the right one. */
  readonly staleAtMs: number | undefined;
  /** Lets go of it. */
  close(): void;
}

/** Where the slots of hosts are counted: in this process, or in the Redis that many share. */
export interface Limiters {
  /** `onFault` is told when Redis fails, and the limiter is of no use from then on. Rejects where it cannot be reached. */
  open(host: string, pace: Pace, onFault: (error: StoreError) => void): Promise<HostLimiter>;
  /** Whether one of this process stands in where Redis fails: then whoever was sent away may ask again. */
  readonly standIn: boolean;
  close(): Promise<void>;
}

/** Where a host is left alone for so long, Redis forgets it. */
const FORGET_MS = 600_000;

/** How often a limiter tells Redis that it lives, and looks whether a reservoir has been filled. */
const HEARTBEAT_MS = 1_000;

/** So long after its start a slot is free whatever became of its process: nobody tells Redis that one was killed. */
const SLOT_MS = 300_000;

/** How long one of this process stands in before the shared one is tried again. */
const STAND_IN_MS = 10_000;

/** `redis`: asked at the first use; it stays open. `standIn`: where it fails each process keeps the pace by itself. */
export function limiters(
  redis: ServerConnection<Cluster | Redis> | undefined,
  { slotMs = SLOT_MS, standIn = false }: { readonly slotMs?: number; readonly standIn?: boolean } = {},
): Limiters {
  const own = ownLimiters();
  if (redis === undefined) return own;
  const shared = sharedLimiters(redis, slotMs);
  if (!standIn) return shared;
  return {
    ...shared,
    standIn,
    async open(host, pace, onFault) {
      try {
        return await shared.open(host, pace, onFault);
      } catch {
        return { ...(await own.open(host, pace, onFault)), staleAtMs: performance.now() + STAND_IN_MS };
      }
    },
  };
}

function ownLimiters(): Limiters {
  return {
    async open(_host, pace) {
      const { default: Limiter } = await import('bottleneck');
      const renew = (): Bottleneck => new Limiter(settingsOf(pace));
      const limiter = renew();
      return {
        limiter,
        renew: pace.reservoir === undefined ? renew : undefined,
        job: {},
        staleAtMs: undefined,
        close: () => void limiter.disconnect(false),
      };
    },
    standIn: false,
    async close() {},
  };
}

interface Line {
  readonly connection: Bottleneck.IORedisConnection;
  readonly onFault: Set<(error: StoreError) => void>;
}

function sharedLimiters(redis: ServerConnection<Cluster | Redis>, slotMs: number): Limiters {
  let line: Line | undefined;
  let closed = false;

  function connect(Limiter: typeof Bottleneck, client: Cluster | Redis): Line {
    // Its own clients, since it ends those that it is given; and ones that let no command fail, since it does not
    // catch all failures. That Redis is away is seen here.
    const own = patientDuplicate(client);
    const onFault = new Set<(error: StoreError) => void>();
    const opened: Line = { connection: new Limiter.IORedisConnection({ client: own }), onFault };
    catchUnsubscribe(opened.connection);
    own.once('close', () => {
      if (line === opened) line = undefined;
      void opened.connection.disconnect(false);
      for (const tell of onFault) tell(faultOf(new Error('the connection was lost')));
    });
    return opened;
  }

  function faultOf(cause: unknown): StoreError {
    const fault = new StoreError('pace', 'wait for a slot', cause);
    maskError(fault, redis.mask);
    return fault;
  }

  async function open(host: string, pace: Pace, onFault: (error: StoreError) => void): Promise<HostLimiter> {
    const [{ default: Limiter }, client] = await Promise.all([import('bottleneck'), redis.client()]);
    // Bottleneck would wait without end for a Redis that is away.
    await client.ping();
    if (closed) throw new Error('it is closed');
    line ??= connect(Limiter, client);
    const { connection, onFault: listeners } = line;
    // What was agreed on first stays in force in Redis, so another pace is another name. In braces for a Cluster.
    const limiter = new Limiter({
      ...settingsOf(pace),
      id: `{proxy-manager:pace:${encodeURIComponent(host)}:${paceId(pace)}}`,
      connection,
      timeout: FORGET_MS,
      heartbeatInterval: HEARTBEAT_MS,
    });
    let fail: ((error: StoreError) => void) | undefined;
    const lost = new Promise<never>((_, reject) => (fail = reject));
    const tell = (error: StoreError): void => {
      fail?.(error);
      onFault(error);
    };
    limiter.on('error', (error: unknown) => tell(faultOf(error)));
    listeners.add(tell);
    try {
      // Nor would it ever be ready where the connection is lost meanwhile.
      await Promise.race([limiter.ready(), lost]);
    } catch (error) {
      listeners.delete(tell);
      throw error;
    }
    lost.catch(() => {});
    return {
      limiter,
      renew: undefined,
      job: { expiration: slotMs },
      staleAtMs: undefined,
      close() {
        listeners.delete(tell);
        void limiter.disconnect(false);
      },
    };
  }

  return {
    open: (host, pace, onFault) =>
      open(host, pace, onFault).catch((error: unknown) => {
        throw error instanceof StoreError ? error : faultOf(error);
      }),
    standIn: false,
    async close() {
      closed = true;
      await line?.connection.disconnect(false);
    },
  };
}

/** One whose commands wait for Redis however long it is away. */
function patientDuplicate(client: Cluster | Redis): Cluster | Redis {
  const patience = { maxRetriesPerRequest: null, autoResendUnfulfilledCommands: true, commandTimeout: undefined };
  if (!('nodes' in client)) return client.duplicate(patience);
  const { replyMapping, ...rest } = { ...client.options.redisOptions, ...patience };
  const redisOptions = { ...rest, ...(replyMapping === undefined ? {} : { replyMapping }) };
  return client.duplicate(undefined, { ...client.options, enableOfflineQueue: true, redisOptions });
}

/** Bottleneck waits for nobody to unsubscribe when a limiter lets go, and does not catch what fails of it. */
function catchUnsubscribe(connection: Bottleneck.IORedisConnection): void {
  const { subscriber } = connection as unknown as {
    readonly subscriber: { unsubscribe(channel: string): Promise<unknown> };
  };
  const unsubscribe = subscriber.unsubscribe.bind(subscriber);
  subscriber.unsubscribe = (channel) => unsubscribe(channel).catch(() => {});
}

/** The same for the same pace. */
export function paceId({ concurrency = 0, minTimeMs, reservoir }: Pace): string {
  return [concurrency, minTimeMs, reservoir?.starts ?? 0, reservoir?.everyMs ?? 0].join(',');
}

function settingsOf({ concurrency, minTimeMs, reservoir }: Pace): Bottleneck.ConstructorOptions {
  return {
    maxConcurrent: concurrency ?? null,
    minTime: minTimeMs,
    ...(reservoir && {
      reservoir: reservoir.starts,
      reservoirRefreshAmount: reservoir.starts,
      reservoirRefreshInterval: reservoir.everyMs,
    }),
  };
}
