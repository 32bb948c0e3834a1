import type { Attempt, CacheStatus, Exchange } from '../pipeline/exchange.js';
import { andJson, andNumber, andObject, andText, numeral, quoted } from './json-text.js';
import { accountOf, andRateLimit } from './line-rate-limit.js';

/** `proxy_manager.*`: what is ours. */
export function andOwn(
  { endpoint, pool, policy, session, trace }: Exchange,
  /** As JSON. */
  route: string,
  attempt: Attempt | undefined,
  cache: CacheStatus,
  sampleRate: number | undefined,
): string {
  let text = `,"proxy_manager":{"endpoint":${quoted(endpoint.name)}`;
  text += `,"route":${route}`;
  text += `,"cache":{"status":"${cache}"`;
  // 64 hex digits.
  if (trace.cacheKey !== undefined) text += `,"key":"${trace.cacheKey}"`;
  if (trace.cacheAgeMs !== undefined) text += andNumber('age_ms', Math.round(trace.cacheAgeMs));
  if (policy.cache?.ttlMs !== undefined) text += andNumber('ttl_s', Math.round(policy.cache.ttlMs / 1000));
  text += '}';
  if (session !== undefined) text += andText('session', given(session.name, trace));
  if (attempt !== undefined) text += attemptMembers(attempt, policy.retry.attempts, pool, endpoint);
  return `${text}${andNumber('sample_rate', sampleRate)}}`;
}

/** What the caller named, without the keys that `getKeyProxy()` has given out. */
function given(name: string, { given: patterns = [] }: Exchange['trace']): string {
  return patterns.reduce((shown, pattern) => pattern.hide(shown), name);
}

function attemptMembers(
  attempt: Attempt,
  mostAttempts: number,
  pool: Exchange['pool'],
  endpoint: Exchange['endpoint'],
): string {
  const { retry, taken, hops, redirects } = attempt;
  let text = `,"attempt":{"number":${attempt.number},"max":${numeral(mostAttempts)}}`;
  if (retry !== undefined) {
    text += `,"retry":{"reason":${quoted(retry.reason)}${andNumber('delay_ms', Math.round(retry.delayMs))}}`;
  }
  for (const { kind, id } of taken) text += `,"${kind === 'key' ? 'credential' : 'proxy'}":{"id":${quoted(id)}}`;
  text += andObject('account', andText('id', accountOf(pool, taken)));
  text += andRateLimit(pool, taken);
  if (attempt.isCountedLocally === true) text += ',"usage":{"local":true}';
  text += andText('verdict', attempt.verdict?.kind);
  if (redirects > 0) text += `,"redirect":{"count":${redirects}${andJson('hops', hops)}}`;
  return text + andTiming(attempt, endpoint.pace !== undefined);
}

function andTiming(attempt: Attempt, isPaced: boolean): string {
  let text = andMs('pool_ms', attempt.poolMs);
  if (isPaced) text += andMs('pace_ms', attempt.paceMs);
  text += andMs('dns_ms', attempt.dnsMs);
  text += andMs('connect_ms', attempt.connectMs);
  text += andMs('tls_ms', attempt.tlsMs);
  text += andMs('ttfb_ms', attempt.ttfbMs);
  text += andMs('download_ms', attempt.downloadMs);
  return andObject('timing', text);
}

/** Milliseconds rounded to whole microseconds. */
function andMs(name: string, ms: number | undefined): string {
  return ms === undefined ? '' : andNumber(name, Math.round(ms * 1000) / 1000);
}
