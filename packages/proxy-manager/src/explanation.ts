import type { CachePeek } from './cache/peek.js';
import type { Exchange } from './pipeline/exchange.js';
import type { Reason } from './pool/reasons.js';
import type { CredentialUsage } from './usage/credential-usage.js';
import { credentialUsage } from './usage/credential-usage.js';
import type { MeterReading } from './usage/usage-store.js';

/** A key or proxy of the endpoint, and why it would be used or not. */
export interface Candidate extends CredentialUsage {
  readonly chosen: boolean;
  readonly because: string;
}

/** What a `send` would do now. */
export interface Explanation {
  readonly endpoint: string;
  readonly method: string;
  /** As the caller wrote it: `{key}` where a key goes. */
  readonly url: string;
  readonly cache: CachePeek;
  /** Whether the network would be asked at once; false: the cache answers, or no credential is ready. */
  readonly sends: boolean;
  /** The one that would be used; undefined where the endpoint has no keys, or none is ready. */
  readonly key: Candidate | undefined;
  /** The same of proxies. */
  readonly proxy: Candidate | undefined;
  /** All of the endpoint: of each kind the next one first, then who is ready, then who rests. */
  readonly candidates: readonly Candidate[];
  /** How long the pool would have to be waited for, in ms: 0 where it is ready, Infinity where it never will be. */
  readonly waitMs: number;
}

/** What is known of the pool. */
export interface PoolFacts {
  readonly readings: readonly MeterReading[];
  readonly reasons: ReadonlyMap<string, Reason>;
  /** The only ids that may serve, and why. */
  readonly bound: { readonly ids: readonly string[]; readonly by: string } | undefined;
  /** Ids that would be used only where no other is ready: of a session that is over. */
  readonly avoid: readonly string[];
  readonly nowMs: number;
}

export function explanation(exchange: Exchange, cache: CachePeek, facts: PoolFacts): Explanation {
  const { endpoint, pool, request } = exchange;
  const sections = pool.sections.map(({ kind }) => {
    const own = facts.readings.filter((reading) => reading.kind === kind);
    return inOrder(own, exchange, facts);
  });
  const candidates = sections.flat();
  const ofKind = (secretType: 'ip' | 'key'): Candidate | undefined =>
    candidates.find((one) => one.chosen && one.secretType === secretType);
  const waitMs = Math.max(0, ...sections.map((section) => waitOf(section, exchange.policy.cost, facts)));
  const isStored = cache.status === 'hit' || cache.status === 'stale';
  return {
    endpoint: endpoint.name,
    method: request.method,
    url: request.url.href,
    cache,
    sends: !isStored && waitMs === 0,
    key: ofKind('key'),
    proxy: ofKind('ip'),
    candidates,
    waitMs,
  };
}

/** The rule of choice of every `UsageStore`: fewest uses, then least recently used, then the order of the file. */
function inOrder(readings: readonly MeterReading[], { endpoint, policy }: Exchange, facts: PoolFacts): Candidate[] {
  const { avoid, bound, nowMs, reasons } = facts;
  const isAvoided = ({ reading }: { readonly reading: MeterReading }): boolean => avoid.includes(reading.id);
  const told = readings.map((reading) => {
    const reason = reasons.get(reading.id);
    const usage = credentialUsage(endpoint.name, reading, reason, nowMs);
    const tooDear = reading.windows.find(({ limit, used }) => used + policy.cost > limit);
    const isBound = bound === undefined || bound.ids.includes(reading.id);
    return { reading, usage, tooDear, isBound, isReady: isBound && usage.state === 'ready' && tooDear === undefined };
  });
  const ready = told
    .filter(({ isReady }) => isReady)
    .toSorted(
      (a, b) =>
        Number(isAvoided(a)) - Number(isAvoided(b)) ||
        usesOf(a.reading) - usesOf(b.reading) ||
        a.reading.lastTake - b.reading.lastTake,
    );
  const [first, second] = ready;
  const rest = told.filter(({ isReady }) => !isReady);
  return [...ready, ...rest].map((one): Candidate => {
    const { usage } = one;
    if (one === first) {
      const isTie = second !== undefined && usesOf(second.reading) === usesOf(one.reading);
      const least = isTie ? 'as few uses as others, and the least recently used' : 'the fewest uses';
      const because =
        avoid.length === 0 || isAvoided(one) ? least : `${least}, of those that the ended session left alone`;
      return { ...usage, chosen: true, because: bound === undefined ? because : bound.by };
    }
    if (one.isReady) return { ...usage, chosen: false, because: `ready, behind ${first?.usage.id}` };
    if (!one.isBound) return { ...usage, chosen: false, because: `not the one ${bound?.by}` };
    return { ...usage, chosen: false, because: usage.because ?? spentBy(one.tooDear, policy.cost) };
  });
}

function usesOf({ total, windows }: MeterReading): number {
  return windows.length === 0 ? total : Math.max(...windows.map(({ used }) => used));
}

function spentBy(window: MeterReading['windows'][number] | undefined, cost: number): string {
  if (window === undefined) return 'told to rest';
  const left = window.limit - window.used;
  return left <= 0
    ? `used ${window.used} of ${window.limit}`
    : `${left} of ${window.limit} left, and this costs ${cost}`;
}

function waitOf(section: readonly Candidate[], cost: number, { bound, nowMs }: PoolFacts): number {
  if (section.some(({ chosen }) => chosen)) return 0;
  const mayServe = section.filter(({ id }) => bound === undefined || bound.ids.includes(id));
  const untilMs = mayServe.map(({ restingUntil, windows }) => {
    if (restingUntil !== undefined) return restingUntil.getTime();
    const full = windows.filter(({ limit, used }) => used + cost > limit);
    return Math.max(...full.map(({ resetsAt }) => resetsAt?.getTime() ?? Infinity));
  });
  return Math.max(0, Math.min(Infinity, ...untilMs) - nowMs);
}
