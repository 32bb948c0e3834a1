import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WindowSpec } from '../../src/config/resolve.js';
import { memoryUsageStore } from '../../src/usage/memory.js';
import type { Pool } from '../../src/usage/usage-store.js';

const START_MS = Date.UTC(2026, 0, 1, 12, 0, 30);
const MINUTE_MS = 60_000;

/** What a provider counts that knows arrivals only: the most uses in one of its windows. */
function mostIn(spec: WindowSpec, arrivals: readonly number[]): number {
  const inOrder = arrivals.toSorted((a, b) => a - b);
  if ('withinMs' in spec) {
    const { withinMs } = spec;
    return Math.max(0, ...inOrder.map((end) => inOrder.filter((at) => at > end - withinMs && at <= end).length));
  }
  const counts = new Map<number, number>();
  let openedMs = -Infinity;
  for (const at of inOrder) {
    if (!('everyMs' in spec)) openedMs = Math.floor(at / MINUTE_MS);
    else if (at >= openedMs + spec.everyMs) openedMs = at;
    counts.set(openedMs, (counts.get(openedMs) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

const MARGIN_MS = 20;
const marginMs = MARGIN_MS;
const limit = fc.integer({ min: 1, max: 5 });
const ms = fc.integer({ min: 2 * MARGIN_MS, max: 200 });
const window: fc.Arbitrary<WindowSpec> = fc.oneof(
  fc.record({ limit, everyMs: ms, marginMs: fc.constant(marginMs) }),
  fc.record({ limit, withinMs: ms, marginMs: fc.constant(marginMs) }),
  fc.record({
    limit,
    per: fc.constant('minute' as const),
    timezone: fc.constant('UTC'),
    marginMs: fc.constant(marginMs),
  }),
);
const attempt = fc.record({
  /** After the one before, in ms. */
  afterMs: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 30 }) },
    { weight: 1, arbitrary: fc.integer({ min: 30_000, max: 60_000 }) },
  ),
  /** On its way there. */
  flightMs: fc.integer({ min: 0, max: MARGIN_MS }),
  /** From there to the note of its arrival, or until it is given back. */
  backMs: fc.integer({ min: 0, max: 100 }),
  outcome: fc.constantFrom('answered', 'answered', 'answered', 'unanswered', 'never sent'),
});

test('a margin as long as the way to the provider keeps its window too, whatever is under way when', async () => {
  const most: number[] = [];
  await fc.assert(
    fc.asyncProperty(window, fc.array(attempt, { maxLength: 60, size: 'max' }), async (spec, attempts) => {
      const clock = { nowMs: START_MS, now: (): number => clock.nowMs };
      const store = memoryUsageStore({ clock });
      const pool: Pool = { endpoint: 'e', sections: [{ kind: 'key', meters: [{ id: 'a', windows: [spec] }] }] };
      const arrivals: number[] = [];
      const later: { readonly atMs: number; readonly run: () => Promise<void> }[] = [];
      const passUntil = async (atMs: number): Promise<void> => {
        for (;;) {
          const [next] = later.toSorted((a, b) => a.atMs - b.atMs);
          if (next === undefined || next.atMs > atMs) break;
          later.splice(later.indexOf(next), 1);
          clock.nowMs = next.atMs;
          await next.run();
        }
        clock.nowMs = atMs;
      };
      for (const { afterMs, flightMs, backMs, outcome } of attempts) {
        await passUntil(clock.nowMs + afterMs);
        const ticket = await store.take({ pool, cost: 1 });
        if (!ticket.granted) continue;
        const atMs = clock.nowMs + flightMs + backMs;
        // Given back while its window lasts: later nobody could tell what began with it.
        if (outcome === 'never sent')
          later.push({ atMs: Math.min(atMs, clock.nowMs + 2 * MARGIN_MS), run: () => store.giveBack(ticket) });
        else arrivals.push(clock.nowMs + ('per' in spec ? 2 * flightMs - MARGIN_MS : flightMs));
        if (outcome !== 'answered') continue;
        const tell = async (): Promise<void> => {
          if (ticket.arrivalMattersFromMs <= clock.nowMs) await store.arrived(ticket);
        };
        later.push({ atMs, run: tell });
      }
      most.push(mostIn(spec, arrivals) / spec.limit);
      expect(mostIn(spec, arrivals)).toBeLessThanOrEqual(spec.limit);
    }),
    { numRuns: 200 },
  );
  // The windows are not kept by leaving them empty.
  expect(most.filter((part) => part === 1).length).toBeGreaterThan(50);
});
