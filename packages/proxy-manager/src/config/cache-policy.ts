import type { CachePolicy, FetchCacheMode } from './cache-options.js';

/** A `CachePolicy` with its defaults, as the cache stage reads it. */
export interface ResolvedCachePolicy {
  /** `refresh`: as `no-cache`, on the cache's own behalf. */
  readonly use: Exclude<FetchCacheMode, 'no-store'> | 'refresh';
  readonly mode: 'http' | 'ttl';
  /** Undefined only in http mode: the origin decides. */
  readonly ttlMs: number | undefined;
  readonly ttlMsByUrl: readonly { readonly url: RegExp; readonly ttlMs: number }[];
  readonly ttlMsByStatus: ReadonlyMap<number, number>;
  readonly methods: ReadonlySet<string>;
  /** Undefined only in http mode: those that the origin allows. */
  readonly statuses: ReadonlySet<number> | undefined;
  readonly maxEntryBytes: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Lower case, sorted. */
  readonly varyBy: readonly string[];
  readonly sortQuery: boolean;
  readonly perCredential: boolean;
  readonly tags: readonly string[];
  readonly shouldStore: CachePolicy['shouldStore'];
  /** What it was made of: the words of a call go over these. */
  readonly given: CachePolicy;
}

const DEFAULT_TTL_MS = 24 * 60 * 60 * 1000;
const DEFAULT_MAX_ENTRY_BYTES = 10 * 1024 * 1024;
const DEFAULT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * The successes that RFC 9110 §15.1 calls cacheable by default, without 206, which is only a part. 201, 202 and the
 * like tell of a moment: whoever polls a job must not read "accepted" for a day.
 */
const DEFAULT_STATUSES: readonly number[] = [200, 203, 204];

/** What `cache` of a call, or of a Request, makes of the policy before it; undefined: past the cache. */
export function overCachePolicy(
  before: ResolvedCachePolicy | undefined,
  cache: boolean | CachePolicy | FetchCacheMode,
): ResolvedCachePolicy | undefined {
  if (cache === false || cache === 'no-store') return undefined;
  if (typeof cache === 'object') return resolved({ ...before?.given, ...cache }, before?.use ?? 'default');
  const use = cache === true ? 'default' : cache;
  return before === undefined ? resolved({}, use) : { ...before, use };
}

function resolved(given: CachePolicy, use: ResolvedCachePolicy['use']): ResolvedCachePolicy {
  const mode = given.mode ?? 'ttl';
  const byStatus = new Map(Object.entries(given.ttlMsByStatus ?? {}).map(([status, ttlMs]) => [Number(status), ttlMs]));
  const statuses = given.statuses ?? (mode === 'ttl' ? DEFAULT_STATUSES : undefined);
  return {
    use,
    mode,
    ttlMs: given.ttlMs ?? (mode === 'ttl' ? DEFAULT_TTL_MS : undefined),
    ttlMsByUrl: (given.ttlMsByUrl ?? []).map(({ url, ttlMs }) => ({ url: pattern(url), ttlMs })),
    ttlMsByStatus: byStatus,
    methods: given.methods === undefined ? DEFAULT_METHODS : new Set(given.methods),
    statuses: statuses && new Set([...statuses, ...byStatus.keys()]),
    maxEntryBytes: given.maxEntryBytes ?? DEFAULT_MAX_ENTRY_BYTES,
    staleWhileRevalidateMs: given.staleWhileRevalidateMs ?? 0,
    staleIfErrorMs: given.staleIfErrorMs ?? 0,
    varyBy: [...new Set((given.varyBy ?? []).map((name) => name.toLowerCase()))].toSorted(),
    sortQuery: given.sortQuery ?? false,
    perCredential: given.perCredential ?? false,
    tags: given.tags ?? [],
    shouldStore: given.shouldStore,
    given,
  };
}

/** A whole url with `*` for any text; a given expression without `g` and `y`, which would remember where they were. */
function pattern(url: RegExp | string): RegExp {
  if (url instanceof RegExp) return new RegExp(url.source, url.flags.replaceAll(/[gy]/g, ''));
  const parts = url.split('*').map((part) => part.replaceAll(/[$()+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

/** The time that the policy gives a reply of `status` to `url`, in ms; undefined: the origin decides. */
export function ttlMsFor(policy: ResolvedCachePolicy, url: string, status: number): number | undefined {
  const { ttlMs, ttlMsByStatus, ttlMsByUrl } = policy;
  if (ttlMsByStatus.size + ttlMsByUrl.length === 0) return ttlMs;
  const byUrl = ttlMsByUrl.find((entry) => entry.url.test(url))?.ttlMs;
  const byStatus = ttlMsByStatus.get(status);
  if (byUrl === undefined) return byStatus ?? ttlMs;
  return Math.min(byUrl, byStatus ?? byUrl);
}
