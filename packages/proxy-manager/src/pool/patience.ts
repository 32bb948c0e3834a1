import type { RetryPolicy } from '../pipeline/exchange.js';
import type { Pool } from '../usage/usage-store.js';

const SILENT_PROXY_MS = 60_000;

/**
 * How long the head of a reply is waited for, in ms; undefined: the transport's own bound. A proxy that takes a request and
 * says nothing cannot be told from a slow origin: where another one could be tried, it is given half of the time there is
 * (`timeoutMs`, 0 being none, and the deadline), or a minute.
 */
export function patienceMs(pool: Pool, timeoutMs: number, retry: RetryPolicy): number | undefined {
  const proxies = pool.sections.find(({ kind }) => kind === 'proxy');
  if (proxies === undefined || proxies.meters.length < 2 || retry.attempts < 2) return undefined;
  const limits = [timeoutMs, retry.deadlineMs ?? 0].filter((limit) => limit > 0);
  return limits.length === 0 ? SILENT_PROXY_MS : Math.ceil(Math.min(...limits) / 2);
}
