import type { CalendarPeriod, WindowSpec } from '../config/resolve.js';
import { LONGEST_PERIOD_MS } from '../config/window-length.js';
import type { Period } from './calendar.js';
import { calendar } from './calendar.js';

/** A sliding window with more uses than this counts them in so many slots: a use then counts up to one slot longer. */
const SLOTS = 64;

interface Rule {
  /** Kind and length: tells a window from the other windows of its meter, whatever its limit. */
  readonly name: string;
  readonly limit: number;
  /** The longest that it can be, without the margin. */
  readonly lengthMs: number;
  readonly marginMs: number;
}

/** From the first use. */
export interface FixedRule extends Rule {
  readonly kind: 'every';
}

export interface SlidingRule extends Rule {
  readonly kind: 'within';
  /** Uses stop counting at multiples of this. */
  readonly slotMs: number;
}

export interface CalendarRule extends Rule {
  readonly kind: 'per';
  readonly periodAt: (atMs: number) => Period;
}

/** A window's spec, made ready to count by. */
export type WindowRule = CalendarRule | FixedRule | SlidingRule;

export function ruleOf(spec: WindowSpec): WindowRule {
  const { limit, marginMs = 0 } = spec;
  if ('everyMs' in spec) {
    return { kind: 'every', name: `every:${spec.everyMs}`, limit, marginMs, lengthMs: spec.everyMs };
  }
  if ('withinMs' in spec) {
    const { withinMs } = spec;
    const slotMs = limit <= SLOTS ? 1 : Math.ceil((withinMs + marginMs) / SLOTS);
    return { kind: 'within', name: `within:${withinMs}`, limit, marginMs, lengthMs: withinMs, slotMs };
  }
  const { per, timezone } = spec;
  return {
    kind: 'per',
    name: `per:${per}:${timezone}`,
    limit,
    marginMs,
    lengthMs: LONGEST_PERIOD_MS[per],
    periodAt: calendar(per, timezone),
  };
}

const kept = new Map<string, WindowRule>();

/** The rule of a window that only its name is left of, since no limit of ours names it. */
export function ruleNamed(name: string): WindowRule {
  let rule = kept.get(name);
  if (rule === undefined) {
    const [kind = '', length = '', ...timezone] = name.split(':');
    const limit = Number.MAX_SAFE_INTEGER;
    if (kind === 'every') rule = ruleOf({ limit, everyMs: Number(length) });
    else if (kind === 'within') rule = ruleOf({ limit, withinMs: Number(length) });
    else rule = ruleOf({ limit, per: length as CalendarPeriod, timezone: timezone.join(':') });
    kept.set(name, rule);
  }
  return rule;
}

/** When a use taken at `nowMs` stops counting in a window that slides or follows the calendar, in epoch ms. */
export function slotEndMs(rule: CalendarRule | SlidingRule, nowMs: number): number {
  if (rule.kind === 'per') return rule.periodAt(nowMs + rule.marginMs).endMs + rule.marginMs;
  return Math.ceil((nowMs + rule.lengthMs + rule.marginMs) / rule.slotMs) * rule.slotMs;
}
