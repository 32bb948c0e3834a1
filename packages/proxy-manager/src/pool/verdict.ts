import type { OutcomeRule } from '../config/resolve.js';
import { header } from '../pipeline/headers.js';
import type { TransportFault } from '../transport/fault.js';
import type { WireReply } from '../transport/transport.js';
import { botWall } from './bot-walls.js';
import { matchingRule } from './outcome-rules.js';
import { proxysOwn } from './proxy-signs.js';
import { retryAfterMs } from './retry-after.js';
import type { ToldLimit } from './told-limits.js';

/**
 * What one attempt says about whom, decided once, before the cache is written and the retry is decided:
 * - `good`: the use counts, nothing rests;
 * - `throttled`, `spent`: this credential rests until `untilMs` (epoch), or for as long as the ladder says;
 * - `refused`: the key is not accepted;
 * - `blocked`: the host does not want this proxy;
 * - `proxy-dead`: the proxy failed, by itself (`everywhere`) or perhaps for this host alone;
 * - `down`: the origin itself failed, no credential is blamed.
 */
export type Verdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'spent' | 'throttled'; readonly untilMs?: number | undefined; readonly why?: string }
  | { readonly kind: 'blocked' | 'down' | 'refused'; readonly why?: string }
  | { readonly kind: 'proxy-dead'; readonly scope: 'everywhere' | 'host'; readonly why?: string };

export type VerdictName = Verdict['kind'];

export const VERDICTS: readonly VerdictName[] = Object.freeze([
  'good',
  'throttled',
  'spent',
  'refused',
  'blocked',
  'proxy-dead',
  'down',
]);

/** How the request travelled, as far as the verdict depends on it. */
export interface Travelled {
  readonly nowMs: number;
  readonly rules: readonly OutcomeRule[];
  readonly hasKey: boolean;
  /** `plain`: the proxy was asked for an http url, so that the reply may be its own. */
  readonly proxy: 'none' | 'plain' | 'tunnel';
  /** What the reply tells of quotas. */
  readonly told: readonly ToldLimit[];
}

/** Words of a body that say of a 402, 403 or 429: not too fast, but used up. */
const USED_UP =
  /insufficient[_ ](?:quota|balance|credits?|funds)|quota[_ ](?:has been )?exceeded|exceeded your (?:current |daily |monthly )?quota|(?:daily|monthly) (?:request )?(?:limit|quota)|out of credits/i;

const SEARCHED_BYTES = 65_536;

/** The verdict on a reply: the first rule of the endpoint that matches, else what its status means. */
export function judgeReply(reply: WireReply, travelled: Travelled): Verdict {
  const rule = matchingRule(travelled.rules, reply);
  if (rule !== undefined) {
    return verdictOf(
      rule.verdict,
      reply,
      travelled,
      `outcomes[${travelled.rules.indexOf(rule)}], status ${reply.status}`,
    );
  }
  const name = byDefault(reply, travelled);
  return typeof name === 'string' ? verdictOf(name, reply, travelled, `status ${reply.status}`) : name;
}

/** The verdict that a rule or function of the user names, with what it needs from the reply. */
export function verdictOf(
  kind: VerdictName,
  { headers }: Pick<WireReply, 'headers'>,
  { nowMs, proxy, told }: Travelled,
  why: string,
): Verdict {
  if (kind === 'good') return { kind };
  const laterMs = retryAfterMs(header(headers, 'retry-after'), nowMs);
  if (kind === 'throttled') return { kind, untilMs: laterMs, why };
  if (kind === 'spent') return { kind, untilMs: resetMs(told, nowMs) ?? laterMs, why };
  if (kind !== 'proxy-dead') return { kind, why };
  return proxy === 'none' ? { kind: 'down', why } : { kind, scope: 'everywhere', why };
}

/** The verdict on a fault of the network. */
export function judgeFault(fault: TransportFault, throughProxy: boolean): Verdict {
  const { code: why, phase } = fault;
  if (!throughProxy || phase === 'response') return { kind: 'down', why };
  if (phase === 'proxy') return { kind: 'proxy-dead', scope: 'everywhere', why };
  // Through a proxy a silence or a hang-up may be its own as well as the origin's.
  return phase === 'tunnel' || UNCLEAR.has(why) ? { kind: 'proxy-dead', scope: 'host', why } : { kind: 'down', why };
}

const UNCLEAR: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ERR_NETWORK', 'ETIMEDOUT']);

function byDefault(reply: WireReply, { hasKey, proxy, told }: Travelled): Verdict | VerdictName {
  const { status } = reply;
  if (proxy === 'plain') {
    if (status === 407) return 'proxy-dead';
    const why = proxysOwn(reply);
    if (why !== undefined) return { kind: 'proxy-dead', scope: 'host', why };
  }
  if (proxy !== 'none') {
    const wall = botWall(reply);
    if (wall !== undefined) return { kind: 'blocked', why: `status ${status}, a wall of ${wall}` };
  }
  if (status === 402) return 'spent';
  if (status === 403 || status === 429) {
    if (told.some(({ remaining }) => remaining === 0) || saysUsedUp(reply)) return 'spent';
    if (status === 429) return 'throttled';
    return proxy === 'none' ? 'good' : 'blocked';
  }
  if (status === 401) return hasKey ? 'refused' : 'good';
  if (status === 503 && retryAfterMs(header(reply.headers, 'retry-after'), 0) !== undefined) return 'throttled';
  return status >= 500 ? 'down' : 'good';
}

function saysUsedUp({ body }: WireReply): boolean {
  if (!(body instanceof Uint8Array)) return false;
  return USED_UP.test(Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, SEARCHED_BYTES)).toString());
}

/** When the last of the quotas with nothing left has something again. */
function resetMs(told: readonly ToldLimit[], nowMs: number): number | undefined {
  const resets = told
    .filter(({ remaining }) => remaining === 0)
    .flatMap(({ resetAtMs = 0 }) => (resetAtMs > nowMs ? [resetAtMs] : []));
  return resets.length === 0 ? undefined : Math.max(...resets);
}
