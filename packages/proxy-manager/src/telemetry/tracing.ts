import type { Exchange, TraceContext } from '../pipeline/exchange.js';
import { header } from '../pipeline/headers.js';
import { hasOpenTelemetry, openTelemetry } from './open-telemetry.js';
import { formatTraceparent, parseTraceparent } from './trace-context.js';

/** Which trace an exchange belongs to, and whether the origin is told. */
export interface TraceOptions {
  /** Called in the context of each `send`: gives a W3C `traceparent`, for example out of an AsyncLocalStorage. */
  readonly traceparent?: () => string | undefined;
  /**
   * Send `traceparent` (and `tracestate`) along, unless the call has one.
   * @default false
   */
  readonly propagate?: boolean;
}

/**
 * Gives an exchange its trace: that of the call's own `traceparent` header, else of `options.traceparent`, else of the
 * active OpenTelemetry span.
 */
export function tracing({ traceparent, propagate = false }: TraceOptions = {}): (
  exchange: Exchange,
) => Exchange | Promise<Exchange> {
  function enter(exchange: Exchange, context: (TraceContext & { readonly state?: string }) | undefined): Exchange {
    exchange.trace.context = context;
    if (context === undefined || !propagate) return exchange;
    const { request } = exchange;
    const added: [string, string][] = [['traceparent', formatTraceparent(context)]];
    if (context.state !== undefined) added.push(['tracestate', context.state]);
    return { ...exchange, request: { ...request, headers: [...request.headers, ...added] } };
  }

  return function trace(exchange) {
    const own = header(exchange.request.headers, 'traceparent');
    if (own !== undefined) {
      exchange.trace.context = parseTraceparent(own);
      return exchange;
    }
    const given = parseTraceparent(traceparent?.());
    if (given !== undefined || !hasOpenTelemetry()) return enter(exchange, given);
    return activeSpan().then((context) => enter(exchange, context));
  };
}

async function activeSpan(): Promise<(TraceContext & { readonly state?: string }) | undefined> {
  const api = await openTelemetry();
  const span = api?.trace.getActiveSpan()?.spanContext();
  if (api === undefined || span === undefined || !api.isSpanContextValid(span)) return undefined;
  const state = span.traceState?.serialize();
  return { traceId: span.traceId, spanId: span.spanId, flags: span.traceFlags, ...(state ? { state } : {}) };
}
