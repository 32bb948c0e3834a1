export { Request } from './request.js';
export { ProxyManager } from './proxy-manager.js';
export {
  ClosedError,
  ConfigError,
  DeadlineError,
  HostNotAllowedError,
  PoolExhaustedError,
  ProxyManagerError,
  StoreError,
} from './errors.js';
export type { ProxyManagerErrorCode } from './errors.js';
export type {
  CachePolicy,
  ExchangeOptions,
  ManagerOptions,
  RequestDefaults,
  RequestOptions,
  RetryOptions,
  SendOptions,
} from './config/options.js';
export type { SecretsFile } from './config/secrets.js';
export type { Clock } from './clock.js';
export type { ExchangeInfo, ExchangeResponse } from './doors/response.js';
export type { KeyProxy } from './pool/pinned-identity.js';
export type { CredentialUsage } from './usage/credential-usage.js';
export type { CacheEntry, CacheStore } from './cache/cache-store.js';
export type { ExchangeSink } from './log/exchange-log.js';
export type { Transport } from './transport/transport.js';
export type { UsageStore } from './usage/usage-store.js';
