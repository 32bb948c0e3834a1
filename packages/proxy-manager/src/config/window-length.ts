import type { CalendarPeriod, WindowSpec } from './resolve.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The longest that each period can be, a change of the clocks included. */
export const LONGEST_PERIOD_MS: Readonly<Record<CalendarPeriod, number>> = {
  minute: 60_000,
  hour: HOUR_MS,
  day: DAY_MS + 2 * HOUR_MS,
  week: 7 * DAY_MS + 2 * HOUR_MS,
  month: 31 * DAY_MS + 2 * HOUR_MS,
  year: 366 * DAY_MS + 2 * HOUR_MS,
};

/** How long a window lasts, a calendar period at most, in ms. */
export function lengthMs(spec: WindowSpec): number {
  if ('everyMs' in spec) return spec.everyMs;
  return 'withinMs' in spec ? spec.withinMs : LONGEST_PERIOD_MS[spec.per];
}

/** How long a use can count in a window, in ms. */
export function spanMs(spec: WindowSpec): number {
  return lengthMs(spec) + (spec.marginMs ?? 0);
}
