import { ConfigError, PoolExhaustedError } from '../errors.js';
import type { RestingCredential } from '../errors.js';
import type { MeterReading, Pool, Refusal, UsageStore } from '../usage/usage-store.js';
import type { PoolHealth } from './health.js';
import type { Reason } from './reasons.js';

/** So many credentials are told of one by one. */
const TOLD = 20;

/** The error for a refused lease: when the first credential is ready again, and why each of them is not. */
export async function exhaustedError(
  { kind, retryAtMs }: Refusal,
  context: {
    readonly store: UsageStore;
    readonly health: PoolHealth;
    readonly pool: Pool;
    readonly host: string | undefined;
    readonly pin: readonly string[] | undefined;
    readonly shun: ReadonlySet<string> | undefined;
  },
): Promise<Error> {
  const { store, health, pool, host, pin, shun } = context;
  if (retryAtMs === Infinity) {
    return new ConfigError(`endpoint "${pool.endpoint}"`, [`cost: more uses at once than any ${kind} may ever have`]);
  }
  const meters = pool.sections
    .filter((section) => section.kind === kind)
    .flatMap((section) => section.meters)
    .filter(({ id }) => pin === undefined || pin.includes(id));
  const some: Pool = { endpoint: pool.endpoint, sections: [{ kind, meters: meters.slice(0, TOLD) }] };
  // What could be said is not worth failing otherwise.
  const [readings, reasons] = await Promise.all([
    store.read(some).catch(() => []),
    health.reasons(some, host).catch(() => new Map<string, Reason>()),
  ]);
  const credentials = readings.map((reading) => told(reading, reasons.get(reading.id), shun));
  const retryAt = new Date(retryAtMs);
  return new PoolExhaustedError(pool.endpoint, kind, retryAt, {
    credentials,
    others: meters.length - credentials.length,
  });
}

function told(
  reading: MeterReading,
  reason: Reason | undefined,
  shun: ReadonlySet<string> | undefined,
): RestingCredential {
  const { id, kind, restingUntilMs = 0, windows } = reading;
  const secretType = kind === 'key' ? 'key' : 'ip';
  const base = { id, secretType } as const;
  if (shun?.has(id) === true) return { ...base, until: undefined, because: 'refused in this exchange' };
  if (reason !== undefined && reason.untilMs >= restingUntilMs) {
    return { ...base, until: new Date(reason.untilMs), because: reason.because };
  }
  if (restingUntilMs > 0) return { ...base, until: new Date(restingUntilMs), because: 'told to rest' };
  const spent = windows.find(({ used, limit }) => used >= limit) ?? windows[0];
  if (spent === undefined) return { ...base, until: undefined, because: 'ready' };
  const until = spent.resetsAtMs === undefined ? undefined : new Date(spent.resetsAtMs);
  return { ...base, until, because: `used ${spent.used} of ${spent.limit}` };
}
