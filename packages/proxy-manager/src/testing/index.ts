export { cacheStoreContract } from './cache-contract.js';
export type { CacheContract } from './cache-contract.js';
export { leaseStoreContract } from './lease-contract.js';
export type { LeaseContract } from './lease-contract.js';
export { sinkContract } from './sink-contract.js';
export type { SinkContract } from './sink-contract.js';
export { usageStoreContract } from './usage-contract.js';
export type { UsageContract } from './usage-contract.js';
export type {
  CacheEntry,
  CacheListing,
  CacheSelector,
  CacheStore,
  CacheStoreStats,
  CacheVariant,
  CacheWatch,
} from '../cache/cache-store.js';
export type { Landing, LeaseStore, Take } from '../cache/lease-store.js';
export type { Clock } from '../clock.js';
export type { BatchContext, ExchangeSink } from '../log/exchange-log.js';
export type {
  Demand,
  MeterReading,
  Pool,
  Refusal,
  Section,
  Ticket,
  UsageStore,
  WindowReading,
} from '../usage/usage-store.js';
export type { LearnedLimit, LearningStore } from '../usage/learning-store.js';
export type { StandingStore } from '../usage/standing-store.js';
export type { Noted, Standing, StandingEvent } from '../pool/standing.js';
export type {
  Account,
  CalendarPeriod,
  CalendarWindow,
  FixedWindow,
  Meter,
  Quota,
  SlidingWindow,
  WindowSpec,
} from '../config/resolve.js';
export type { HeaderList } from '../pipeline/headers.js';
