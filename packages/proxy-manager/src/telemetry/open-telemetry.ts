type Api = typeof import('@opentelemetry/api');

/** Where @opentelemetry/api keeps what an application has registered: a promise of its major version 1. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

let loading: Promise<Api | undefined> | undefined;
let loaded: Api | undefined;

/** True where the application has set up OpenTelemetry, this part of it where one is named: only then is its API loaded. */
export function hasOpenTelemetry(part?: 'metrics'): boolean {
  if (!(REGISTRY in globalThis)) return false;
  const registered: unknown = Reflect.get(globalThis, REGISTRY);
  return part === undefined || (typeof registered === 'object' && registered !== null && part in registered);
}

/** The API, or undefined where it is not installed beside the library. */
export function openTelemetry(): Promise<Api | undefined> {
  loading ??= import('@opentelemetry/api').then(
    (api) => (loaded = api),
    () => undefined,
  );
  return loading;
}

/** The API once it is loaded. */
export function loadedOpenTelemetry(): Api | undefined {
  return loaded;
}
