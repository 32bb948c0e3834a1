import { ConfigError, PoolExhaustedError } from '../errors.js';
import type { RestingCredential } from '../errors.js';
import type { MeterReading, Pool, Refusal, UsageStore } from '../usage/usage-store.js';
import type { PoolHealth } from './health.js';
import type { Reason } from './reasons.js';

/** Of a pool with more credentials than this, why they do not serve is looked up once in so many ms. */
const MANY = 100;
const SHARED_MS = 1_000;

interface Shared {
  /** Which of them, and for whom. */
  readonly name: string;
  readonly atMs: number;
  readonly credentials: Promise<readonly RestingCredential[]>;
}

const shared = new WeakMap<Pool, Shared>();

interface Context {
  readonly store: UsageStore;
  readonly health: PoolHealth;
  readonly pool: Pool;
  readonly host: string | undefined;
  readonly pin: readonly string[] | undefined;
  readonly shun: ReadonlySet<string> | undefined;
}

/** The error for a refused lease: when the first credential is ready again, and why each of them is not. */
export async function exhaustedError({ kind, retryAtMs }: Refusal, context: Context): Promise<Error> {
  const { pool, pin, shun } = context;
  if (retryAtMs === Infinity) {
    return new ConfigError(`endpoint "${pool.endpoint}"`, [`cost: more uses at once than any ${kind} may ever have`]);
  }
  const all = await credentialsOf(kind, context);
  const asked = pin === undefined ? all : all.filter(({ id }) => pin.includes(id));
  const credentials =
    shun === undefined || shun.size === 0 ? asked : asked.map((one) => (shun.has(one.id) ? shunned(one) : one));
  return new PoolExhaustedError(pool.endpoint, kind, new Date(retryAtMs), credentials);
}

function credentialsOf(kind: 'key' | 'proxy', context: Context): Promise<readonly RestingCredential[]> {
  const { pool, host } = context;
  if (pool.sections.every(({ meters }) => meters.length <= MANY)) return lookedUp(kind, context);
  const name = `${kind} ${host}`;
  const atMs = performance.now();
  const last = shared.get(pool);
  if (last?.name === name && atMs - last.atMs < SHARED_MS) return last.credentials;
  const credentials = lookedUp(kind, context);
  shared.set(pool, { name, atMs, credentials });
  return credentials;
}

async function lookedUp(
  kind: 'key' | 'proxy',
  { store, health, pool, host }: Context,
): Promise<readonly RestingCredential[]> {
  // What could be said is not worth failing otherwise.
  const [readings, reasons] = await Promise.all([
    store.read(pool).catch(() => []),
    health.reasons(pool, host).catch(() => new Map<string, Reason>()),
  ]);
  return readings.filter((reading) => reading.kind === kind).map((reading) => told(reading, reasons.get(reading.id)));
}

function shunned({ id, secretType }: RestingCredential): RestingCredential {
  return { id, secretType, until: undefined, because: 'refused in this exchange' };
}

function told(reading: MeterReading, reason: Reason | undefined): RestingCredential {
  const { id, kind, restingUntilMs = 0, windows } = reading;
  const secretType = kind === 'key' ? 'key' : 'ip';
  const base = { id, secretType } as const;
  if (reason !== undefined && reason.untilMs >= restingUntilMs) {
    return { ...base, until: new Date(reason.untilMs), because: reason.because };
  }
  if (restingUntilMs > 0) return { ...base, until: new Date(restingUntilMs), because: 'told to rest' };
  const spent = windows.find(({ used, limit }) => used >= limit) ?? windows[0];
  if (spent === undefined) return { ...base, until: undefined, because: 'ready' };
  const until = spent.resetsAtMs === undefined ? undefined : new Date(spent.resetsAtMs);
  return { ...base, until, because: `used ${spent.used} of ${spent.limit}` };
}
