// Opens the cache, takes a lease, and stays until it is terminated.
import { workerData } from 'node:worker_threads';
import { lmdbCacheStore } from '../../../packages/proxy-manager/dist/cache/lmdb.js';
import { openCache } from '../../../packages/proxy-manager/dist/embedded/environment.js';

const { dataDir, key } = workerData;
const store = lmdbCacheStore({ environment: () => openCache(dataDir), clock: Date });
const { state } = await store.leases.take(key, 60_000, false);
process.stdout.write(state);
setInterval(() => {}, 1_000);
