// Both clients are optional peers. Whoever has not installed one must still be able to compile against our types without
// `skipLibCheck`: there its types are unknown, and the option's other forms remain. As a doc comment the directive
// reaches the declaration file, where it is needed; here it suppresses nothing.

/** @ts-ignore The package may be absent. */
import type { Client, ClientOptions } from '@elastic/elasticsearch';
/** @ts-ignore The package may be absent. */
import type { Cluster, ClusterNode, ClusterOptions, Redis, RedisOptions } from 'ioredis';

export type ElasticsearchClient = Client;
export type ElasticsearchOptions = ClientOptions;
export type RedisClient = Cluster | Redis;
export type RedisSettings = RedisOptions;
/** The nodes to begin with (`host:port` urls, ports or `{ host, port }`), and any option of an ioredis `Cluster`. */
export type RedisClusterSettings = ClusterOptions & { readonly nodes: readonly ClusterNode[] };
