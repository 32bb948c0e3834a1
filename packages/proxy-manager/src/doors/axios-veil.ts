import { inspect } from 'node:util';
import type { InternalAxiosRequestConfig } from 'axios';
import type { Exchange } from '../pipeline/exchange.js';
import { maskedConfig } from './response.js';

/**
 * The config of one dispatch, fit to be printed. It stays the very object, since axios puts it on errors of its own, and
 * interceptors look for what they have left there.
 *
 * A key that the caller wrote by hand after `getKeyProxy()` is taken out of it; agents keep their sockets, and these
 * the headers of other exchanges, to themselves.
 */
export function veiled(exchange: Exchange, config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  for (const agent of [config.httpAgent, config.httpsAgent] as readonly unknown[]) {
    if (typeof agent === 'object' && agent !== null) veil(agent);
  }
  // Those of the exchange are without the keys that were given out.
  if (exchange.trace.given?.length && 'labels' in config) Object.assign(config, { labels: exchange.policy.labels });
  if (exchange.request.asWritten === undefined) return config;
  const { auth, data, headers, url } = maskedConfig(exchange, config);
  const hidden = { baseURL: undefined, params: undefined, data, headers, url };
  return Object.assign(config, hidden, config.auth === undefined ? {} : { auth });
}

const veiledAgents = new WeakSet<object>();

function veil(agent: object): void {
  if (veiledAgents.has(agent)) return;
  veiledAgents.add(agent);
  const name = `[${agent.constructor.name}]`;
  for (const key of ['toJSON', inspect.custom]) {
    Object.defineProperty(agent, key, { value: () => name, configurable: true, enumerable: false });
  }
}
