import { filterName } from '../identity/user-agents.js';
import type { ExchangePolicy } from '../pipeline/exchange.js';
import { overCachePolicy } from './cache-policy.js';
import type { CallOptions, ExchangeOptions, RetryOptions } from './options.js';

/** setTimeout's own bound, about 24.8 days: as good as for ever. */
const FOR_EVER_MS = 2 ** 31 - 1;

/** How an exchange is treated unless the manager, the Request or the call say otherwise. */
export const DEFAULT_POLICY: ExchangePolicy = {
  cache: undefined,
  retry: { attempts: 3, unsafe: false, deadlineMs: undefined },
  cost: 1,
  waitMs: 0,
  labels: {},
  outcome: undefined,
  record: undefined,
  userAgent: 'auto',
  countRedirects: true,
};

/** All that `overPolicy` reads: a call says little beside its url, and to ask for each of these would take longer. */
const WORDS: ReadonlySet<string> = new Set([
  'cache',
  'cost',
  'countRedirects',
  'labels',
  'outcome',
  'retry',
  'userAgent',
  'wait',
] satisfies (keyof CallOptions)[]);

/** The policy with the words of `options` over it; what they leave out stays. */
export function overPolicy(policy: ExchangePolicy, options: CallOptions): ExchangePolicy {
  if (!Object.keys(options).some((name) => WORDS.has(name))) return policy;
  const { cache, retry, wait, labels, userAgent, cost, outcome, countRedirects } = options;
  return {
    ...policy,
    cache: cache === undefined ? policy.cache : overCachePolicy(policy.cache, cache),
    retry: retry === undefined ? policy.retry : overRetry(policy.retry, retry),
    cost: cost ?? policy.cost,
    outcome: outcome ?? policy.outcome,
    waitMs: wait === undefined ? policy.waitMs : waitMs(wait),
    labels: labels === undefined ? policy.labels : { ...policy.labels, ...labels },
    userAgent: userAgent === undefined ? policy.userAgent : userAgentPolicy(userAgent),
    ...(countRedirects === undefined ? {} : { countRedirects }),
  };
}

function overRetry(
  policy: ExchangePolicy['retry'],
  { attempts, unsafe, deadlineMs }: RetryOptions,
): ExchangePolicy['retry'] {
  return {
    attempts: attempts ?? policy.attempts,
    unsafe: unsafe ?? policy.unsafe,
    deadlineMs: deadlineMs ?? policy.deadlineMs,
  };
}

function waitMs(wait: boolean | number): number {
  if (typeof wait === 'number') return wait;
  return wait ? FOR_EVER_MS : 0;
}

function userAgentPolicy(userAgent: NonNullable<ExchangeOptions['userAgent']>): ExchangePolicy['userAgent'] {
  if (typeof userAgent === 'string') return { value: userAgent };
  if (typeof userAgent === 'object') return { filter: userAgent, name: filterName(userAgent) };
  return userAgent ? 'auto' : 'off';
}
