import type { RequestDefaults, RequestOptions, SendOptions } from '../config/options.js';
import type { exchangeAbort } from '../pipeline/abort.js';
import { Bare } from './bare.js';

/** axios's merge: the call over the defaults, `params` joined; headers are merged where they are read. */
export function overDefaults(defaults: RequestDefaults, call: SendOptions): SendOptions {
  const params: unknown =
    isRecord(defaults.params) && isRecord(call.params)
      ? { ...defaults.params, ...call.params }
      : (call.params ?? defaults.params);
  // Spread into a literal these objects of ever other fields take ten times as long.
  const config: Record<string, unknown> = Object.assign(new Bare(), defaults, { headers: undefined }, call, { params });
  for (const name of Object.keys(call)) {
    if (config[name] === undefined && name !== 'headers') config[name] = Reflect.get(defaults, name);
  }
  return config;
}

/** The options of the Request itself and of its manager: they are not part of any call, and hold the pool. */
const NOT_OF_A_CALL = new Set([
  'clock',
  'dataDir',
  'elasticsearch',
  'endpoint',
  'fingerprintKey',
  'installAssets',
  'log',
  'manager',
  'onStoreFailure',
  'redis',
  'secretType',
  'secrets',
  'session',
  'trace',
  'usage',
]);

/** What a Request was made with, as far as it is for its calls. */
export function callOptions(options: RequestOptions): RequestDefaults {
  const ofCalls = Object.fromEntries(Object.entries(options).filter(([name]) => !NOT_OF_A_CALL.has(name)));
  return Object.assign(new Bare(), ofCalls);
}

/** The caller's signal, and axios's older `cancelToken` as one more. */
export function callerAbort({
  signal,
  cancelToken,
}: SendOptions): Pick<Parameters<typeof exchangeAbort>[0], 'alsoOn' | 'signal'> {
  return {
    signal: (signal ?? undefined) as AbortSignal | undefined,
    alsoOn:
      cancelToken &&
      ((abort) => {
        cancelToken.subscribe(abort);
        return () => cancelToken.unsubscribe(abort);
      }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
