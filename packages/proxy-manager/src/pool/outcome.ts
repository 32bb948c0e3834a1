import { ConfigError } from '../errors.js';
import type { WireReply } from '../transport/transport.js';
import type { ToldLimit } from './told-limits.js';
import type { Travelled, Verdict, VerdictName } from './verdict.js';
import { VERDICTS, verdictOf } from './verdict.js';

/** What an `outcome` function is told of the exchange; the url holds `{key}` where a key went. */
export interface OutcomeExchange {
  readonly endpoint: string;
  readonly method: string;
  readonly url: string;
  /** From 1. */
  readonly attempt: number;
  readonly credential: { readonly id: string } | undefined;
  readonly proxy: { readonly id: string } | undefined;
}

/** What an `outcome` function is told of the reply. */
export interface OutcomeReply {
  readonly status: number;
  /** By names in lower case, repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where it is streamed, and not there yet. */
  readonly body: Uint8Array | undefined;
  /** The body as text (UTF-8); empty where it is streamed. */
  text(): string;
  /** What the verdict is without this function. */
  readonly verdict: VerdictName;
}

/** What an `outcome` function may say; what it leaves out stays as it is. */
export interface Outcome {
  readonly verdict?: VerdictName;
  /** When the credential may serve again: for `throttled` and `spent`, or where nothing remains. */
  readonly retryAt?: Date;
  /** The quota as the body tells it, in place of the headers. */
  readonly limit?: number;
  readonly remaining?: number;
}

/** Reads a reply as only who knows the provider can; see `ExchangeOptions.outcome`. */
export type OutcomeFunction = (
  exchange: OutcomeExchange,
  reply: OutcomeReply,
) => Outcome | Promise<Outcome | VerdictName | undefined> | VerdictName | undefined;

/** A verdict, and the quotas that go with it. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly told: readonly ToldLimit[];
}

/** The judgement after the user's function has had its say. */
export async function overruled(
  outcome: OutcomeFunction,
  exchange: OutcomeExchange,
  reply: WireReply,
  travelled: Travelled,
  verdict: Verdict,
): Promise<Judgement> {
  const said = await outcome(exchange, seenBy(reply, verdict));
  const { told } = travelled;
  if (said === undefined) return { verdict, told };
  const { verdict: name, retryAt, limit, remaining } = typeof said === 'string' ? { verdict: said } : said;
  if (name !== undefined && !VERDICTS.includes(name)) {
    throw new ConfigError('outcome', [`expected one of ${VERDICTS.join(', ')}, or { verdict }, found another answer`]);
  }
  const untilMs = retryAt?.getTime();
  const judged = name === undefined ? verdict : verdictOf(name, reply, travelled, 'outcome()');
  const rests = judged.kind === 'throttled' || judged.kind === 'spent';
  return {
    verdict: rests && untilMs !== undefined ? { ...judged, untilMs } : judged,
    told: remaining === undefined ? told : [{ limit, remaining, resetAtMs: untilMs, windowMs: undefined }],
  };
}

function seenBy({ status, headers, body }: WireReply, verdict: Verdict): OutcomeReply {
  const fields: Record<string, string> = {};
  for (const [name, value] of headers) fields[name] = name in fields ? `${fields[name]}, ${value}` : value;
  const bytes = body instanceof Uint8Array ? body : undefined;
  return {
    status,
    headers: fields,
    body: bytes,
    text: () => Buffer.from(bytes ?? []).toString(),
    verdict: verdict.kind,
  };
}
