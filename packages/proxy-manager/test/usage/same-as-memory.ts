import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Clock } from '../../src/clock.js';
import type { Meter, WindowSpec } from '../../src/config/resolve.js';
import { memoryUsageStore } from '../../src/usage/memory.js';
import type { MeterReading, Pool, Refusal, Ticket, UsageStore } from '../../src/usage/usage-store.js';

/** Above 64 uses a sliding window counts them in slots, which the plain model knows nothing of. */
const limit = fc.integer({ min: 2, max: 200 });
const marginMs = fc.constantFrom(0, 0, 3);
const window: fc.Arbitrary<WindowSpec> = fc.oneof(
  fc.record({ limit, everyMs: fc.constantFrom(40, 1_000), marginMs }),
  fc.record({ limit, withinMs: fc.constantFrom(30, 2_000), marginMs }),
  fc.record({ limit, per: fc.constantFrom('minute' as const, 'day' as const), timezone: fc.constant('UTC'), marginMs }),
);
const kindOf = (spec: WindowSpec): string => JSON.stringify({ ...spec, limit: 0, marginMs: 0 });
const windows = fc.uniqueArray(window, { maxLength: 3, selector: kindOf });
const meters = fc
  .array(fc.record({ windows, shares: fc.nat({ max: 9 }) }), { minLength: 1, maxLength: 8 })
  .map((chosen) =>
    chosen.map(({ windows: own, shares }, position): Meter => ({
      // A name may hold anything.
      id: `"m\\${position}\u0000`,
      windows: own,
      ...(shares === 0 && { account: { id: 'a', windows: [{ limit: 20, everyMs: 100 }] } }),
    })),
  );
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ costs: fc.array(fc.constantFrom(1, 1, 1, 2, 5), { minLength: 1, maxLength: 80 }) }),
  },
  { weight: 3, arbitrary: fc.record({ waitMs: fc.constantFrom(1, 2, 20, 100, 1_500, 61_000) }) },
  { weight: 1, arbitrary: fc.record({ restMs: fc.constantFrom(10, 3_000), meter: fc.nat({ max: 7 }) }) },
  { weight: 1, arbitrary: fc.record({ giveBack: fc.nat({ max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ arrived: fc.nat({ max: 60 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** Checks that a store answers in every detail what the memory store does, with one section and with two. */
export async function assertSameAsMemory(open: (clock: Clock) => Promise<UsageStore>, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      meters,
      fc.option(meters),
      fc.array(step, { maxLength: 40, size: 'max' }),
      async (keys, proxies, list) => {
        const clock = { nowMs: Date.UTC(2026, 0, 1, 12, 0, 30), now: (): number => clock.nowMs };
        const stores = [await open(clock), memoryUsageStore({ clock })] as const;
        const pool: Pool = {
          endpoint: randomUUID(),
          sections: [
            { kind: 'key', meters: keys },
            ...(proxies === null ? [] : [{ kind: 'proxy' as const, meters: proxies }]),
          ],
        };
        const tickets: (readonly Ticket[])[] = [];
        for (const one of list) await doBoth(stores, pool, clock, one, tickets);
      },
    ),
    { numRuns: runs },
  );
}

async function doBoth(
  stores: readonly [UsageStore, UsageStore],
  pool: Pool,
  clock: { nowMs: number },
  one: Step,
  tickets: (readonly Ticket[])[],
): Promise<void> {
  const both = <T>(verb: (store: UsageStore, at: 0 | 1) => Promise<T>): Promise<[T, T]> =>
    Promise.all([verb(stores[0], 0), verb(stores[1], 1)]);
  if ('costs' in one) {
    const [ours, memorys] = await both((store) => Promise.all(one.costs.map((cost) => store.take({ pool, cost }))));
    expect(ours.map(shown)).toEqual(memorys.map(shown));
    for (const [at, ticket] of ours.entries()) {
      const same = memorys[at];
      if (ticket.granted && same?.granted === true) tickets.push([ticket, same]);
    }
  } else if ('waitMs' in one) clock.nowMs += one.waitMs;
  else if ('restMs' in one) {
    const id = pool.sections[0]?.meters[one.meter]?.id ?? '';
    await both((store) => store.rest(pool, id, clock.nowMs + one.restMs));
  } else {
    const verb = 'giveBack' in one ? 'giveBack' : 'arrived';
    const [pair] = tickets.splice('giveBack' in one ? one.giveBack : one.arrived, 1);
    if (pair !== undefined) await both(async (store, at) => pair[at] && store[verb](pair[at]));
  }
  const [ours, memorys] = await both((store) => store.read(pool));
  expect(ours.map(counts)).toEqual(memorys.map(counts));
}

/** The number of the last take is the store's own. */
function counts({ lastTake, ...others }: MeterReading): object {
  return { ...others, isUsed: lastTake > 0 };
}

function shown(answer: Refusal | Ticket): object {
  if (!answer.granted) return answer;
  const { taken, cost, arrivalMattersFromMs } = answer;
  return { taken: taken.map(counts), cost, arrivalMattersFromMs };
}
