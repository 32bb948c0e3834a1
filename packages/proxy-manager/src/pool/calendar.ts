import type { CalendarPeriod } from '../config/resolve.js';
import { LONGEST_PERIOD_MS } from '../config/window-length.js';

/** A stretch of time in epoch ms, `endMs` not in it. */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

const DAY_MS = 86_400_000;

const calendars = new Map<string, (atMs: number) => Period>();

/** Finds the calendar period that holds a moment, by the clocks of an IANA time zone. A `RangeError` for an unknown one. */
export function calendar(per: CalendarPeriod, timezone: string): (atMs: number) => Period {
  const name = `${per}:${timezone}`;
  let known = calendars.get(name);
  if (known === undefined) {
    known = remembering(per, offsetsOf(timezone));
    calendars.set(name, known);
  }
  return known;
}

function remembering(per: CalendarPeriod, offsetAt: OffsetAt): (atMs: number) => Period {
  let last: Period = { startMs: 0, endMs: 0 };
  return (atMs) => {
    if (atMs < last.startMs || atMs >= last.endMs) last = periodAt(per, atMs, offsetAt);
    return last;
  };
}

/** Ms that the clocks are ahead of UTC. */
type OffsetAt = (atMs: number) => number;

function periodAt(per: CalendarPeriod, atMs: number, offsetAt: OffsetAt): Period {
  const localMs = atMs + offsetAt(atMs);
  if (per === 'minute' || per === 'hour') {
    const lengthMs = LONGEST_PERIOD_MS[per];
    const startMs = atMs - modulo(localMs, lengthMs);
    return { startMs, endMs: startMs + lengthMs };
  }
  const local = new Date(localMs);
  const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()];
  const between = (start: number, end: number): Period => ({
    startMs: firstInstant(start, offsetAt),
    endMs: firstInstant(end, offsetAt),
  });
  if (per === 'year') return between(Date.UTC(year, 0), Date.UTC(year + 1, 0));
  if (per === 'month') return between(Date.UTC(year, month), Date.UTC(year, month + 1));
  if (per === 'day') return between(Date.UTC(year, month, day), Date.UTC(year, month, day + 1));
  const monday = day - modulo(local.getUTCDay() - 1, 7);
  return between(Date.UTC(year, month, monday), Date.UTC(year, month, monday + 7));
}

/** The first instant at which the clocks show `localMs`; where they leap over it, the instant of the leap. */
function firstInstant(localMs: number, offsetAt: OffsetAt): number {
  const [before, after] = [offsetAt(localMs - DAY_MS), offsetAt(localMs + DAY_MS)];
  const instants = [localMs - before, localMs - after].toSorted((a, b) => a - b);
  const shown = instants.find((instant) => instant + offsetAt(instant) === localMs);
  if (shown !== undefined) return shown;
  let [low, high] = [Math.min(...instants), Math.max(...instants)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

function offsetsOf(timezone: string): OffsetAt {
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (atMs) => {
    const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of clock.formatToParts(atMs)) shown[type] = Number(value);
    const { year = 0, month = 1, day, hour, minute, second } = shown;
    return Date.UTC(year, month - 1, day, hour, minute, second) - (atMs - modulo(atMs, 1_000));
  };
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
