export { Request } from './request.js';
export { ProxyManager } from './proxy-manager.js';
export {
  ClosedError,
  ConfigError,
  DeadlineError,
  HostNotAllowedError,
  NotCachedError,
  PoolExhaustedError,
  ProxyManagerError,
  StoreError,
} from './errors.js';
export type { ProxyManagerErrorCode, RestingCredential } from './errors.js';
export type { Outcome, OutcomeExchange, OutcomeFunction, OutcomeReply } from './pool/outcome.js';
export type { Verdict, VerdictName } from './pool/verdict.js';
export type { CacheableExchange, CacheableReply, CachePolicy, FetchCacheMode } from './config/cache-options.js';
export type {
  CallOptions,
  ExchangeOptions,
  Fetch,
  FetchOptions,
  LogOptions,
  ManagerOptions,
  RequestDefaults,
  RequestOptions,
  RetryOptions,
  SendOptions,
  SessionOptions,
  UserAgentFilter,
} from './config/options.js';
export type {
  ApplyEntry,
  EndpointEntry,
  KeyEndpointEntry,
  KeyEntry,
  LimitEntry,
  OutcomeEntry,
  PaceEntry,
  ProxyEndpointEntry,
  SecretsFile,
  TlsEntry,
} from './config/secrets-file.js';
export type {
  ElasticsearchClient,
  ElasticsearchOptions,
  RedisClient,
  RedisClusterSettings,
  RedisSettings,
} from './config/peers.js';
export type { CachePeek } from './cache/peek.js';
export type { Clock } from './clock.js';
export type { SendAllProgress } from './doors/progress.js';
export type { ExchangeInfo, ExchangeResponse } from './doors/response.js';
export type { SendAllInput, SendAllOptions, SendAllResult } from './doors/send-all.js';
export type { Candidate, Explanation } from './explanation.js';
export type { KeyProxy } from './pool/pinned-identity.js';
export type { CredentialUsage } from './usage/credential-usage.js';
export type {
  CacheEntry,
  CacheListing,
  CacheSelector,
  CacheStore,
  CacheStoreStats,
  CacheVariant,
  CacheWatch,
} from './cache/cache-store.js';
export type { CacheStats, ManagedCache } from './cache/managed-cache.js';
export type { HarImport } from './cache/archive.js';
export type { Har, HarCookie, HarEntry, HarExtra, HarPair } from './cache/har.js';
export type { Landing, LeaseStore, Take } from './cache/lease-store.js';
export type { Asset } from './log/assets.js';
export type { BatchContext, ExchangeSink } from './log/exchange-log.js';
export type { BodyPolicy, ServiceIdentity, StatusClass } from './log/record-policy.js';
export type { TraceOptions } from './telemetry/tracing.js';
export { TransportFault } from './transport/fault.js';
export type { FaultPhase, ReceivedHead } from './transport/fault.js';
export { followRedirects } from './transport/redirects.js';
export type {
  CodedBody,
  RedirectHop,
  Transport,
  WireObservation,
  WireOptions,
  WireReply,
  WireRequest,
} from './transport/transport.js';
export type {
  Demand,
  MeterReading,
  Pool,
  Refusal,
  Section,
  Ticket,
  UsageStore,
  WindowReading,
} from './usage/usage-store.js';
export type { LearnedLimit, LearningStore } from './usage/learning-store.js';
export type { StandingStore } from './usage/standing-store.js';
export type { Noted, Standing, StandingEvent } from './pool/standing.js';
export type {
  Account,
  CalendarPeriod,
  CalendarWindow,
  FixedWindow,
  Meter,
  ProxyCredential,
  Quota,
  SlidingWindow,
  TlsIdentity,
  WindowSpec,
} from './config/resolve.js';
export type { CacheStatus } from './pipeline/exchange.js';
export type { HeaderList } from './pipeline/headers.js';
export type { Secret } from './secret.js';
