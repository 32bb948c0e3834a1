type Api = typeof import('@opentelemetry/api');

/** Where @opentelemetry/api keeps what an application has registered: a promise of its major version 1. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

let loading: Promise<Api | undefined> | undefined;

/** True where the application has set OpenTelemetry up: only then is its API loaded. */
export function hasOpenTelemetry(): boolean {
  return REGISTRY in globalThis;
}

/** The API, or undefined where it is not installed beside the library. */
export function openTelemetry(): Promise<Api | undefined> {
  loading ??= import('@opentelemetry/api').catch(() => undefined);
  return loading;
}
