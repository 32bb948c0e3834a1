import { fieldsOf, itemsOf } from './endpoint-options.js';
import type { Path, Report } from './problem.js';
import { found } from './problem.js';
import type { CalendarPeriod, WindowSpec } from './resolve.js';
import { NOTHING } from './shown.js';
import { lengthMs } from './window-length.js';

/** A duration as secrets.json writes it: `500ms`, `60s`, `5m`, `24h`, `7d`, `1.5h`. */
export const DURATION: RegExp = /^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/;

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A century: beyond it a date that is told to the caller could not be written. */
const LONGEST_MS = 52_560_000 * 60_000;

/** The windows of an endpoint or key: `limit` within `refresh_rate` minutes, then `limits`; none: unlimited. */
export function readWindows(
  entry: Readonly<Record<string, unknown>>,
  path: Path,
  report: Report,
): readonly WindowSpec[] {
  const { limit, refresh_rate: minutes } = entry;
  if (limit !== undefined && minutes === undefined) {
    report([...path, 'refresh_rate'], 'expected minutes (limit needs it), found nothing');
  }
  const windows: WindowSpec[] = [];
  if (typeof limit === 'number' && typeof minutes === 'number') {
    windows.push(Object.freeze({ limit, everyMs: Math.max(1, Math.round(minutes * 60_000)) }));
  }
  const named = new Map(windows.map((window) => [kindOf(window), 'limit and refresh_rate']));
  for (const [index, item] of itemsOf(entry.limits).entries()) {
    const where = [...path, 'limits', index];
    const window = readWindow(fieldsOf(item), where, report);
    if (window === undefined) continue;
    const same = named.get(kindOf(window));
    if (same !== undefined) report(where, `expected a window of its own, found that of ${same} again`);
    named.set(kindOf(window), `[${index}]`);
    windows.push(Object.freeze(window));
  }
  return Object.freeze(windows);
}

function readWindow(
  { uses, within, every, per, timezone, margin }: Readonly<Record<string, unknown>>,
  path: Path,
  report: Report,
): WindowSpec | undefined {
  if ([within, every, per].filter((field) => field !== undefined).length !== 1) {
    report(path, 'expected one of within, every and per, found none or several');
    return undefined;
  }
  if (timezone !== undefined && per === undefined) {
    report([...path, 'timezone'], 'expected it with per only, for other windows follow no calendar');
  }
  const durations = Object.entries({ within, every, margin }).map(([field, value]) =>
    readDuration(value, [...path, field], report),
  );
  const [withinMs, everyMs, marginMs = 0] = durations;
  if (typeof uses !== 'number') return undefined;
  const window = windowOf(uses, withinMs, everyMs, per, readTimezone(timezone, [...path, 'timezone'], report));
  if (window !== undefined && marginMs > lengthMs(window) / 2) {
    report([...path, 'margin'], 'expected at most half of the window, found more');
  }
  return window === undefined || marginMs === 0 ? window : { ...window, marginMs };
}

function windowOf(
  limit: number,
  withinMs: number | undefined,
  everyMs: number | undefined,
  per: unknown,
  timezone: string,
): WindowSpec | undefined {
  if (withinMs !== undefined) return { limit, withinMs };
  if (everyMs !== undefined) return { limit, everyMs };
  // Another word than a period has been told by the shape.
  return typeof per === 'string' ? { limit, per: per as CalendarPeriod, timezone } : undefined;
}

function readDuration(value: unknown, path: Path, report: Report): number | undefined {
  if (typeof value !== 'string' || !DURATION.test(value)) return undefined;
  const ms = Math.round(Number.parseFloat(value) * (UNITS_MS[value.replace(/^[\d.]+/, '')] ?? 0));
  if (ms < 1 || ms > LONGEST_MS) report(path, 'expected a duration of 1 ms to a century, found another');
  return ms;
}

function readTimezone(value: unknown, path: Path, report: Report): string {
  if (typeof value !== 'string') return 'UTC';
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: value }).resolvedOptions().timeZone;
  } catch {
    const where = `expected a time zone such as America/Los_Angeles or UTC, found ${found(value, NOTHING)}`;
    report(path, `${where} that this Node.js does not know`);
    return 'UTC';
  }
}

/** What tells one window from another, whatever its limit. */
function kindOf(window: WindowSpec): string {
  if ('everyMs' in window) return `every ${window.everyMs}`;
  return 'withinMs' in window ? `within ${window.withinMs}` : `per ${window.per} ${window.timezone}`;
}
