import type { Meter } from '../config/resolve.js';
import { lengthMs } from '../config/window-length.js';
import type { MeterReading, Pool, WindowReading } from '../usage/usage-store.js';

type Fields = Record<string, unknown>;

const metersById = new WeakMap<Pool, ReadonlyMap<string, Meter>>();

/** `proxy_manager.rate_limit.*`: of the key where one was taken, else of the proxy, the window with the fewest uses left. */
export function rateLimitFields(pool: Pool, taken: readonly MeterReading[]): Fields | undefined {
  const reading = taken.find(({ kind }) => kind === 'key') ?? taken[0];
  if (reading === undefined) return undefined;
  const index = tightest(reading.windows);
  const window = reading.windows[index];
  if (window === undefined) return undefined;
  const { limit, used, resetsAtMs } = window;
  const fields: Fields = { limit, used, remaining: Math.max(0, limit - used) };
  if (resetsAtMs !== undefined) fields['reset'] = new Date(resetsAtMs).toISOString();
  const meter = meterOf(pool, reading.id);
  const spec = [...(meter?.windows ?? []), ...(meter?.account?.windows ?? [])][index];
  if (spec !== undefined) fields['window_s'] = Math.round(lengthMs(spec) / 1000);
  return fields;
}

/** The account that the key which was taken counts for. */
export function accountOf(pool: Pool, taken: readonly MeterReading[]): string | undefined {
  const key = taken.find(({ kind }) => kind === 'key');
  return key && meterOf(pool, key.id)?.account?.id;
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
