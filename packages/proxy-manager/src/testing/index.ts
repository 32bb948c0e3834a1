export { cacheStoreContract } from './cache-contract.js';
export type { CacheContract } from './cache-contract.js';
export { sinkContract } from './sink-contract.js';
export type { SinkContract } from './sink-contract.js';
export { usageStoreContract } from './usage-contract.js';
export type { UsageContract } from './usage-contract.js';
