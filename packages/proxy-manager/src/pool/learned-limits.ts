import type { Meter, WindowSpec } from '../config/resolve.js';
import type { LearnedLimit } from '../usage/learning-store.js';
import type { MeterReading, WindowReading } from '../usage/usage-store.js';
import type { ToldLimit } from './told-limits.js';
import { ruleOf } from './window-rule.js';

/** Resets are told in whole seconds. */
const SLACK_MS = 1_500;
/** Months and days differ by as much. */
const CALENDAR_SLACK = 0.1;

/**
 * What the provider knows better of the windows of a meter and its account, as far as `reading`, our last one, shows.
 * A quota belongs to the window of its length where that is told, else to the only one with its limit, else to the only
 * window; what fits none tells nothing.
 */
export function learnedFrom(
  told: readonly ToldLimit[],
  meter: Meter,
  reading: MeterReading | undefined,
  nowMs: number,
): readonly LearnedLimit[] {
  const specs = [...meter.windows, ...(meter.account?.windows ?? [])];
  return told.flatMap((one) => {
    const spec = one.remaining === undefined ? undefined : windowOf(one, specs, nowMs);
    if (spec === undefined || one.remaining === undefined) return [];
    const learned = { spec, remaining: Math.floor(one.remaining), ...later(one, spec) };
    return isNews(learned, reading?.windows[specs.indexOf(spec)]) ? [learned] : [];
  });
}

function windowOf(told: ToldLimit, specs: readonly WindowSpec[], nowMs: number): WindowSpec | undefined {
  const { windowMs, limit, resetAtMs = nowMs } = told;
  if (windowMs !== undefined) return only(specs.filter((spec) => isOfLength(spec, windowMs)));
  const named = only(specs.filter((spec) => spec.limit === limit)) ?? only(specs);
  return named !== undefined && resetAtMs - nowMs <= ruleOf(named).lengthMs + SLACK_MS ? named : undefined;
}

function isOfLength(spec: WindowSpec, windowMs: number): boolean {
  const { kind, lengthMs } = ruleOf(spec);
  return kind === 'per' ? Math.abs(lengthMs - windowMs) <= CALENDAR_SLACK * lengthMs : lengthMs === windowMs;
}

function only(specs: readonly WindowSpec[]): WindowSpec | undefined {
  return specs.length === 1 ? specs[0] : undefined;
}

/** Only a fixed window can open later than we thought; the others open by themselves. */
function later({ resetAtMs }: ToldLimit, spec: WindowSpec): Pick<LearnedLimit, 'resetAtMs'> {
  return 'everyMs' in spec && resetAtMs !== undefined ? { resetAtMs } : {};
}

function isNews({ spec, remaining, resetAtMs = 0 }: LearnedLimit, known: WindowReading | undefined): boolean {
  if (spec.limit - remaining > (known?.used ?? 0)) return true;
  return known?.resetsAtMs !== undefined && resetAtMs > known.resetsAtMs + SLACK_MS;
}
