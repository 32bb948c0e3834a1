import type { HeaderList } from '../pipeline/headers.js';
import { MAX_DATE_MS } from './retry-after.js';

/** One quota as the provider tells it in a reply; what it does not tell is undefined. */
export interface ToldLimit {
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  /** Epoch ms at which more of it is there. */
  readonly resetAtMs: number | undefined;
  readonly windowMs: number | undefined;
}

const FIRST_LETTERS = 'rRxX';

/** Above these a reset is a date and no delay: epoch ms, epoch seconds (since September 2001). */
const EPOCH_MS = 1e11;
const EPOCH_S = 1e9;

/**
 * The quotas in the head of a reply: `RateLimit` with `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10 and
 * its older form `limit=…, remaining=…, reset=…`), else `RateLimit-Limit`, `-Remaining`, `-Reset`, else the same with
 * `X-RateLimit-` or `X-Rate-Limit-`.
 */
export function toldLimits(headers: HeaderList, nowMs: number): readonly ToldLimit[] {
  let fields: Map<string, string> | undefined;
  for (const [name, value] of headers) {
    // Most replies have none of them.
    if (!FIRST_LETTERS.includes(name.charAt(0))) continue;
    const lower = name.toLowerCase();
    if (!/^(?:x-)?rate-?limit/.test(lower)) continue;
    fields ??= new Map();
    const before = fields.get(lower);
    fields.set(lower, before === undefined ? value : `${before}, ${value}`);
  }
  if (fields === undefined) return NONE;
  const structured = fields.get('ratelimit');
  if (structured !== undefined) return ofStructured(structured, fields.get('ratelimit-policy') ?? '', nowMs);
  for (const prefix of ['ratelimit-', 'x-ratelimit-', 'x-rate-limit-']) {
    const three = ofThree(fields, prefix, nowMs);
    if (three !== undefined) return [three];
  }
  return NONE;
}

const NONE: readonly ToldLimit[] = Object.freeze([]);

function ofStructured(quotas: string, policies: string, nowMs: number): readonly ToldLimit[] {
  if (/^\s*(?:limit|remaining|reset)=/.test(quotas)) {
    const { limit, remaining, reset } = parameters(quotas.split(','));
    return [told(limit, remaining, atMs(reset, nowMs), undefined)];
  }
  const byName = new Map(items(policies).map(({ name, params }) => [name, params]));
  return items(quotas).flatMap(({ name, params: { r, t } }) => {
    const { q, w } = byName.get(name) ?? {};
    if (r === undefined) return [];
    return [told(q, r, t === undefined ? undefined : nowMs + Number(t) * 1_000, w)];
  });
}

function ofThree(fields: ReadonlyMap<string, string>, prefix: string, nowMs: number): ToldLimit | undefined {
  const remaining = fields.get(`${prefix}remaining`);
  const limit = fields.get(`${prefix}limit`);
  const reset = fields.get(`${prefix}reset`);
  if (remaining === undefined && reset === undefined) return undefined;
  // Older drafts: `RateLimit-Limit: 100, 100;w=60`, where the first number is the one that counts at present.
  const [first = '', ...policies] = limit?.split(',') ?? [];
  const window = /;\s*w=(\d+)/.exec(policies.length === 1 ? (policies[0] ?? '') : first)?.[1];
  return told(first.split(';')[0], remaining?.split(',')[0], atMs(reset, nowMs), window);
}

function told(
  limit: string | undefined,
  remaining: string | undefined,
  resetAtMs: number | undefined,
  windowS: string | undefined,
): ToldLimit {
  const window = number(windowS);
  return {
    limit: number(limit),
    remaining: number(remaining),
    resetAtMs: resetAtMs === undefined || Number.isNaN(resetAtMs) ? undefined : Math.min(resetAtMs, MAX_DATE_MS),
    windowMs: window === undefined ? undefined : window * 1_000,
  };
}

/** A delay in seconds, epoch seconds, epoch ms, or a date; told apart by its size. */
function atMs(text: string | undefined, nowMs: number): number | undefined {
  const value = number(text);
  if (value !== undefined) {
    if (value >= EPOCH_MS) return value;
    return value >= EPOCH_S ? value * 1_000 : nowMs + value * 1_000;
  }
  const dateMs = /\d{4}/.test(text ?? '') ? Date.parse(text ?? '') : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

function number(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  return /^\d{1,16}(?:\.\d+)?$/.test(trimmed) ? Number(trimmed) : undefined;
}

interface Item {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
}

/** The items of a structured list (RFC 9651 §3.1) with their parameters, as far as quotas need them. */
function items(list: string): Item[] {
  return (list.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []).flatMap((text) => {
    const [, name, rest = ''] = /^\s*("(?:[^"\\]|\\.)*"|[^;\s]+)(.*)$/s.exec(text) ?? [];
    return name === undefined ? [] : [{ name: name.replaceAll('"', ''), params: parameters(rest.split(';')) }];
  });
}

function parameters(parts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    parts.flatMap((part) => {
      const at = part.indexOf('=');
      return at === -1 ? [] : [[part.slice(0, at).trim(), part.slice(at + 1).trim()]];
    }),
  );
}
