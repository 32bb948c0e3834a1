import { Redis } from 'ioredis';
import { startDaemon, type Daemon } from './daemon.js';
import { newDataDir, removeDir } from './data-dir.js';
import { freePort } from './ports.js';
import { redisServer } from './redis.js';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One `redis-server` of a topology. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
  /** A client for administration; it is closed with the node. */
  readonly admin: Redis;
  /** As `kill -9` does, and for good. */
  kill(): Promise<void>;
}

/** Several `redis-server` processes; always processes of our own, whatever `REDIS_URL` says. */
export interface RedisTopology {
  readonly nodes: readonly RedisNode[];
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const SLOTS = 16_384;

/** A Redis Cluster of three masters with no replicas; resolves when it answers for all slots. */
export async function startRedisCluster(): Promise<RedisTopology> {
  const nodes = await Promise.all([0, 1, 2].map(() => startClusterNode()));
  const [first, ...others] = nodes.map(({ admin }) => admin);
  for (const [n, { admin }] of nodes.entries()) {
    const [from, to] = [Math.ceil((SLOTS * n) / nodes.length), Math.ceil((SLOTS * (n + 1)) / nodes.length) - 1];
    await admin.cluster('ADDSLOTSRANGE' as 'ADDSLOTS', from, to).catch(() =>
      // Redis older than 7.
      admin.cluster('ADDSLOTS', ...Array.from({ length: to - from + 1 }, (_, slot) => from + slot)),
    );
  }
  for (const other of others) await first?.cluster('MEET', HOST, other.options.port ?? 0);
  for (const { admin } of nodes) await until(async () => (await admin.cluster('INFO')).includes('cluster_state:ok'));
  return topology(nodes);
}

/** A node also listens 10,000 ports further on, where somebody may be already: then it is another port's turn. */
async function startClusterNode(tries = 5): Promise<RedisNode> {
  try {
    return await startNode(['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']);
  } catch (error) {
    if (tries === 1) throw error;
    return startClusterNode(tries - 1);
  }
}

/** A master, its replica and a Sentinel that promotes the replica when the master has been away for half a second. */
export interface RedisSentinel extends RedisTopology {
  readonly name: string;
  readonly sentinel: { readonly host: string; readonly port: number };
  readonly master: RedisNode;
  readonly replica: RedisNode;
}

export async function startRedisSentinel(): Promise<RedisSentinel> {
  const name = 'proxy-manager-tests';
  const master = await startNode([]);
  const replica = await startNode(['--replicaof', HOST, String(master.port), '--repl-diskless-sync-delay', '0']);
  await until(async () => (await replica.admin.info('replication')).includes('master_link_status:up'));
  const sentinel = await startNode(
    [],
    [
      `sentinel monitor ${name} ${HOST} ${master.port} 1`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 5000`,
    ],
  );
  await until(async () =>
    String(await sentinel.admin.call('SENTINEL', 'replicas', name)).includes(String(replica.port)),
  );
  return { ...topology([master, replica, sentinel]), name, sentinel, master, replica };
}

function topology(nodes: readonly RedisNode[]): RedisTopology {
  return { nodes, stop: async () => void (await Promise.all(nodes.map((node) => node.kill()))) };
}

/** With `sentinel`, the lines of its configuration, the node is a Sentinel. */
async function startNode(args: readonly string[], sentinel?: readonly string[]): Promise<RedisNode> {
  const { command } = await redisServer();
  const dataDir = await newDataDir('redis');
  const port = await freePort();
  const config = join(dataDir, 'redis.conf');
  await writeFile(config, (sentinel ?? []).join('\n'));
  const daemon: Daemon = await startDaemon({
    name: sentinel === undefined ? 'Redis' : 'Redis Sentinel',
    command,
    args: [
      config,
      '--bind',
      HOST,
      '--port',
      String(port),
      '--dir',
      dataDir,
      '--save',
      '',
      ...args,
      ...(sentinel === undefined ? [] : ['--sentinel']),
    ],
    dataDir,
    ready: /Ready to accept connections|Sentinel ID is/i,
  });
  const admin = new Redis({ host: HOST, port, maxRetriesPerRequest: null });
  admin.on('error', () => {});
  let gone: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    admin.disconnect();
    await daemon.kill();
    await removeDir(dataDir);
  };
  return { host: HOST, port, admin, kill: () => (gone ??= end()) };
}

/** Redis tells nobody when its parts have found each other. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}
