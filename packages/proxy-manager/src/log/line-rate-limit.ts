import type { Meter } from '../config/resolve.js';
import { lengthMs } from '../config/window-length.js';
import type { MeterReading, Pool, WindowReading } from '../usage/usage-store.js';
import { isoTime } from './iso-time.js';
import { andNumber, numeral } from './json-text.js';

const metersById = new WeakMap<Pool, ReadonlyMap<string, Meter>>();

/** `proxy_manager.rate_limit.*`: of the key where one was taken, else of the proxy, the window with the fewest uses left. */
export function andRateLimit(pool: Pool, taken: readonly MeterReading[]): string {
  const reading = keyOf(taken) ?? taken[0];
  if (reading === undefined) return '';
  const index = tightest(reading.windows);
  const window = reading.windows[index];
  if (window === undefined) return '';
  const { limit, used, resetsAtMs } = window;
  let text = `,"rate_limit":{"limit":${numeral(limit)},"used":${numeral(used)}`;
  text += andNumber('remaining', Math.max(0, limit - used));
  if (resetsAtMs !== undefined) text += `,"reset":"${isoTime(resetsAtMs)}"`;
  const { windows = [], account } = meterOf(pool, reading.id) ?? {};
  const spec = windows[index] ?? account?.windows[index - windows.length];
  if (spec !== undefined) text += andNumber('window_s', Math.round(lengthMs(spec) / 1000));
  return `${text}}`;
}

/** The account that the key which was taken counts for. */
export function accountOf(pool: Pool, taken: readonly MeterReading[]): string | undefined {
  const key = keyOf(taken);
  return key && meterOf(pool, key.id)?.account?.id;
}

function keyOf(taken: readonly MeterReading[]): MeterReading | undefined {
  return taken.find(({ kind }) => kind === 'key');
}

function tightest(windows: readonly WindowReading[]): number {
  let best = 0;
  for (let index = 1; index < windows.length; index++) {
    if (left(windows[index]) < left(windows[best])) best = index;
  }
  return best;
}

function left(window: WindowReading | undefined): number {
  return window === undefined ? Infinity : window.limit - window.used;
}

function meterOf(pool: Pool, id: string): Meter | undefined {
  let meters = metersById.get(pool);
  if (meters === undefined) {
    meters = new Map(pool.sections.flatMap((section) => section.meters.map((meter) => [meter.id, meter])));
    metersById.set(pool, meters);
  }
  return meters.get(id);
}
