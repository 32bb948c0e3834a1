export { cacheStoreContract } from './cache-contract.js';
export type { CacheContract } from './cache-contract.js';
