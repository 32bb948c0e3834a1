export { ConfigError, PoolExhaustedError, ProxyManagerError } from './errors.js';
