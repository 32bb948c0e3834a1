import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Clock } from '../../src/clock.js';
import type { Meter, WindowSpec } from '../../src/config/resolve.js';
import type { Pool, Ticket, UsageStore } from '../../src/usage/usage-store.js';
import { PlainLedger } from './plain-ledger.js';

const START_MS = Date.UTC(2026, 0, 1, 12, 0, 30);

const limit = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 5, max: 60 }) },
);
const ms = fc.integer({ min: 8, max: 50 });
const marginMs = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
);
const window: fc.Arbitrary<WindowSpec> = fc.oneof(
  fc.record({ limit, everyMs: ms, marginMs }),
  fc.record({ limit, withinMs: ms, marginMs }),
  fc.record({ limit, per: fc.constant('minute' as const), timezone: fc.constant('UTC'), marginMs }),
);
const windows = fc.uniqueArray(window, {
  maxLength: 3,
  selector: (spec) =>
    'everyMs' in spec ? `every ${spec.everyMs}` : 'withinMs' in spec ? `within ${spec.withinMs}` : 'per',
});
const meters: fc.Arbitrary<Meter[]> = fc
  .record({
    accounts: fc.tuple(windows, windows),
    meters: fc.array(fc.record({ windows, account: fc.option(fc.nat({ max: 1 }), { nil: undefined }) }), {
      minLength: 1,
      maxLength: 6,
    }),
  })
  .map((chosen) =>
    chosen.meters.map(({ windows: own, account }, position) => ({
      id: `m${position}`,
      windows: own,
      ...(account !== undefined && { account: { id: `a${account}`, windows: chosen.accounts[account] ?? [] } }),
    })),
  );
const meter = fc.nat({ max: 5 }).map((position) => `m${position}`);
const wish = fc.record({
  cost: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 5 }) }),
  pin: fc.option(meter, { nil: undefined, freq: 5 }),
  avoid: fc.array(meter, { maxLength: 3 }),
  resting: fc.option(fc.tuple(meter, fc.integer({ min: -5, max: 60 })), { nil: undefined, freq: 3 }),
});
type Wish = typeof wish extends fc.Arbitrary<infer One> ? One : never;
const ONE: Wish = { cost: 1, pin: undefined, avoid: [], resting: undefined };
/** Those of one step come up together, as a store that gathers them gets them. */
const wishes = fc.oneof(
  { weight: 3, arbitrary: fc.array(wish, { minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.array(wish, { minLength: 2, maxLength: 12 }) },
  { weight: 2, arbitrary: fc.array(fc.constant(ONE), { minLength: 1, maxLength: 12 }) },
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('take' as const), wishes }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: -5, max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 20, max: 40_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('rest' as const), meter, ms: fc.integer({ min: 0, max: 60 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('giveBack' as const), take: fc.nat({ max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('arrived' as const), take: fc.nat({ max: 20 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** A use is counted in the window that follows, and then the one use of the window before it is given back. */
const FOLLOWS_WHAT_IS_GIVEN_BACK: [Meter[], Step[]] = [
  [{ id: 'm0', windows: [{ limit: 2, everyMs: 8, marginMs: 1 }] }],
  [
    { do: 'take', wishes: [ONE] },
    { do: 'wait', ms: 7 },
    { do: 'take', wishes: [ONE] },
    { do: 'giveBack', take: 0 },
    { do: 'wait', ms: 1 },
  ],
];

/**
 * Checks that a store answers and counts like the plain model, whatever happens in whatever order. `open` gives a store
 * that goes by the given clock.
 */
export async function assertAgreesWithModel(
  open: (clock: Clock) => Promise<UsageStore>,
  { runs, steps }: { readonly runs: number; readonly steps: number },
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(meters, fc.array(step, { maxLength: steps, size: 'max' }), async (chosen, list) => {
      const clock = { nowMs: START_MS, now: (): number => clock.nowMs };
      const store = await open(clock);
      try {
        await compare(store, clock, chosen, list);
      } finally {
        await store.close();
      }
    }),
    { numRuns: runs, examples: [FOLLOWS_WHAT_IS_GIVEN_BACK] },
  );
}

async function compare(
  store: UsageStore,
  clock: { nowMs: number },
  chosen: readonly Meter[],
  steps: readonly Step[],
): Promise<void> {
  const pool: Pool = { endpoint: randomUUID(), sections: [{ kind: 'key', meters: chosen }] };
  const plain = new PlainLedger(pool, clock.nowMs);
  const known = (id: string): string => chosen[Number(id.slice(1)) % chosen.length]?.id ?? '';
  const tickets: { readonly real: Ticket; readonly model: ReturnType<PlainLedger['take']> }[] = [];
  // A ledger knows the time of its writes; this one changes nothing else.
  const look = (): Promise<void> => store.rest(pool, known('m0'), 0);
  await look();
  for (const [at, one] of steps.entries()) {
    const told = `step ${at}, ${JSON.stringify(one)}`;
    if (one.do === 'take') {
      const wanted = one.wishes.map(({ cost, pin, avoid, resting }) => ({
        cost,
        ...(avoid.length > 0 && { avoid: new Set(avoid.map(known)) }),
        ...(pin !== undefined && { pin: [known(pin)] }),
        ...(resting && { resting: new Map([[known(resting[0]), clock.nowMs + resting[1]]]) }),
      }));
      const answers = await Promise.all(wanted.map((demand) => store.take({ pool, ...demand })));
      for (const [nth, real] of answers.entries()) {
        const model = plain.take(wanted[nth] ?? { cost: 1 });
        const answer = real.granted ? { id: real.taken[0]?.id } : { retryAtMs: real.retryAtMs };
        assertSame(`${told}, take ${nth}`, answer, 'path' in model ? { id: model.path[0]?.id } : model);
        if (real.granted) tickets.push({ real, model });
      }
    } else if (one.do === 'rest') {
      await store.rest(pool, known(one.meter), clock.nowMs + one.ms);
      plain.rest(known(one.meter), clock.nowMs + one.ms);
    } else if (one.do === 'wait') {
      clock.nowMs += one.ms;
      plain.tick(clock.nowMs);
      await look();
    } else {
      const [ticket] = tickets.splice(one.take, 1);
      if (ticket !== undefined && 'path' in ticket.model) {
        await store[one.do](ticket.real);
        plain[one.do](ticket.model);
      }
    }
    const counts = (await store.read(pool)).map(({ id, total, restingUntilMs, windows: read }) => ({
      id,
      total,
      restingUntilMs,
      windows: read,
    }));
    assertSame(told, counts, plain.counts());
  }
}

function assertSame(told: string, real: unknown, model: unknown): void {
  if (isDeepStrictEqual(real, model)) return;
  throw new Error(`${told}: the store gave ${JSON.stringify(real)}, the model ${JSON.stringify(model)}`);
}
