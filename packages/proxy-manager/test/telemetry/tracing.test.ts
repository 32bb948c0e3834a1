import { AsyncLocalStorage } from 'node:async_hooks';
import { context, createTraceState, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { afterEach, expect, test } from 'vitest';
import type { TraceOptions } from '../../src/telemetry/tracing.js';
import { tracing } from '../../src/telemetry/tracing.js';
import { testExchange } from '../support/exchange.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;

afterEach(() => context.disable());

/** What the log would name, and what the origin would be told. */
async function traced(options: TraceOptions, headers: readonly (readonly [string, string])[] = []) {
  const base = testExchange();
  const exchange = await tracing(options)({ ...base, request: { ...base.request, headers } });
  return { context: exchange.trace.context, headers: exchange.request.headers };
}

/** Runs `work` within a span, as an application does that has set OpenTelemetry up. */
function withinSpan<T>(work: () => T): T {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const span = trace.wrapSpanContext({
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    traceFlags: TraceFlags.SAMPLED,
    traceState: createTraceState('vendor=1'),
  });
  return context.with(trace.setSpan(context.active(), span), work);
}

test('without any trace an exchange is left as it is', async () => {
  expect(await traced({ propagate: true })).toStrictEqual({ context: undefined, headers: [] });
});

test('the active OpenTelemetry span is the trace; the origin is told only when asked for', async () => {
  const seen = { traceId: TRACE_ID, spanId: SPAN_ID, flags: 1, state: 'vendor=1' };
  expect(await withinSpan(() => traced({}))).toStrictEqual({ context: seen, headers: [] });
  expect(await withinSpan(() => traced({ propagate: true }))).toStrictEqual({
    context: seen,
    headers: [
      ['traceparent', TRACEPARENT],
      ['tracestate', 'vendor=1'],
    ],
  });
});

test('a traceparent out of an AsyncLocalStorage, each exchange its own', async () => {
  const storage = new AsyncLocalStorage<string>();
  const options = { traceparent: () => storage.getStore(), propagate: true };
  const other = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00`;
  const [one, two] = await Promise.all([TRACEPARENT, other].map((text) => storage.run(text, () => traced(options))));
  expect(one?.headers).toStrictEqual([['traceparent', TRACEPARENT]]);
  expect(two).toStrictEqual({
    context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), flags: 0 },
    headers: [['traceparent', other]],
  });
});

test("the call's own header wins, and stays as it is written", async () => {
  const own = [['Traceparent', TRACEPARENT]] as const;
  const other = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
  const { context: seen, headers } = await traced({ traceparent: () => other, propagate: true }, own);
  expect(seen).toMatchObject({ traceId: TRACE_ID });
  expect(headers).toBe(own);
});

test.for(['', 'nonsense', `ff-${TRACE_ID}-${SPAN_ID}-01`, `00-${'0'.repeat(32)}-${SPAN_ID}-01`, `00-${TRACE_ID}-01`])(
  'what is no traceparent is no trace: %s',
  async (text) => {
    expect(await traced({ traceparent: () => text, propagate: true })).toStrictEqual({
      context: undefined,
      headers: [],
    });
  },
);
