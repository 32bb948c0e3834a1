import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pool, Refusal, Ticket } from '../../src/usage/usage-store.js';
import { memoryUsageStore } from '../../src/usage/memory.js';

/** The rule of choice said once more, as plainly as it can be: look at every meter, every time. */
class PlainPool {
  readonly #meters: PlainMeter[];
  #takes = 0;
  #nowMs: number;

  constructor(limits: readonly Limit[], nowMs: number) {
    this.#nowMs = nowMs;
    this.#meters = limits.map((limit, position) => ({
      limit,
      position,
      total: 0,
      lastTake: 0,
      restUntilMs: 0,
      window: undefined,
    }));
  }

  tick(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    for (const meter of this.#meters) {
      if (meter.window !== undefined && meter.window.endsMs <= this.#nowMs) meter.window = undefined;
    }
  }

  take(cost: number, pin: number | undefined, avoid: readonly number[]): { answer: object; giveBack: () => void } {
    const asked = this.#meters.filter(({ position }) => pin === undefined || position === pin);
    const ready = asked.filter((meter) => this.#readyAtMs(meter, cost) <= this.#nowMs);
    const [best] = ready.toSorted(
      (a, b) =>
        Number(avoid.includes(a.position)) - Number(avoid.includes(b.position)) ||
        usesOf(a) - usesOf(b) ||
        a.lastTake - b.lastTake ||
        a.position - b.position,
    );
    if (best === undefined) {
      const retryAtMs = Math.min(...asked.map((meter) => this.#readyAtMs(meter, cost)));
      return { answer: { retryAtMs }, giveBack: () => {} };
    }
    this.#takes += 1;
    const opensIt = best.window === undefined;
    best.lastTake = this.#takes;
    best.total += cost;
    if (best.limit !== undefined) {
      best.window ??= { used: 0, endsMs: this.#nowMs + best.limit.everyMs };
      best.window.used += cost;
    }
    const { window, limit } = best;
    const giveBack = (): void => {
      best.total -= cost;
      if (window === undefined || limit === undefined) return;
      window.used -= cost;
      if (opensIt && best.window === window) window.endsMs = this.#nowMs + limit.everyMs;
      if (window.used === 0 && best.window === window) best.window = undefined;
    };
    return { answer: { id: `m${best.position}` }, giveBack };
  }

  rest(position: number, untilMs: number): void {
    const meter = this.#meters[position];
    if (meter !== undefined) meter.restUntilMs = Math.max(meter.restUntilMs, untilMs);
  }

  counts(): unknown {
    return this.#meters.map(({ total, window }) => ({ total, used: window?.used ?? 0, resetsAtMs: window?.endsMs }));
  }

  #readyAtMs({ limit, window, restUntilMs }: PlainMeter, cost: number): number {
    if (limit === undefined || (window?.used ?? 0) + cost <= limit.limit) return restUntilMs;
    return cost > limit.limit ? Infinity : Math.max(restUntilMs, window?.endsMs ?? 0);
  }
}

const START_MS = 1_000;

type Limit = { readonly limit: number; readonly everyMs: number } | undefined;

interface PlainMeter {
  readonly limit: Limit;
  readonly position: number;
  total: number;
  lastTake: number;
  restUntilMs: number;
  window: { used: number; endsMs: number } | undefined;
}

const usesOf = ({ limit, total, window }: PlainMeter): number => (limit === undefined ? total : (window?.used ?? 0));

const limits = fc.array(
  fc.option(fc.record({ limit: fc.integer({ min: 1, max: 4 }), everyMs: fc.integer({ min: 1, max: 50 }) }), {
    nil: undefined,
    freq: 5,
  }),
  { minLength: 1, maxLength: 5 },
);
const meter = fc.nat({ max: 4 });
const takeStep = fc.record({
  do: fc.constant('take' as const),
  cost: fc.integer({ min: 1, max: 5 }),
  pin: fc.option(meter, { nil: undefined, freq: 5 }),
  avoid: fc.array(meter, { maxLength: 3 }),
});
const waitStep = fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: -20, max: 60 }) });
const restStep = fc.record({ do: fc.constant('rest' as const), meter, ms: fc.integer({ min: 0, max: 60 }) });
const giveBackStep = fc.record({ do: fc.constant('give back' as const), take: fc.nat({ max: 20 }) });
const step = fc.oneof(
  { weight: 6, arbitrary: takeStep },
  { weight: 3, arbitrary: waitStep },
  { weight: 1, arbitrary: restStep },
  { weight: 2, arbitrary: giveBackStep },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** What was answered to each step, and the counts after it. */
type History = readonly { readonly answer?: object; readonly counts: unknown }[];

async function onStore(specs: readonly Limit[], steps: readonly Step[]): Promise<History> {
  const clock = { nowMs: START_MS, now: (): number => clock.nowMs };
  const store = memoryUsageStore({ clock });
  const meters = specs.map((spec, position) => ({ id: `m${position}`, windows: spec === undefined ? [] : [spec] }));
  const pool: Pool = { endpoint: 'e', sections: [{ kind: 'key', meters }] };
  // A ledger knows the time of its writes; this one changes nothing else.
  const look = (): Promise<void> => store.rest(pool, 'm0', 0);
  await look();
  const tickets: (Ticket | Refusal)[] = [];
  const history = [];
  for (const one of steps) {
    let answer: object | undefined;
    if (one.do === 'take') {
      const { cost, pin } = one;
      const avoid = new Set(one.avoid.map((position) => `m${position}`));
      const known = pin === undefined ? {} : { pin: [`m${pin % meters.length}`] };
      const taken = await store.take({ pool, cost, avoid, ...known });
      tickets.push(taken);
      answer = taken.granted ? { id: taken.taken[0]?.id } : { retryAtMs: taken.retryAtMs };
    } else if (one.do === 'rest') {
      await store.rest(pool, `m${one.meter % meters.length}`, clock.nowMs + one.ms);
    } else if (one.do === 'give back') {
      const [ticket] = tickets.splice(one.take, 1);
      if (ticket?.granted === true) await store.giveBack(ticket);
    } else {
      clock.nowMs += one.ms;
      await look();
    }
    const counts = (await store.read(pool)).map(({ total, windows: [window] }) => ({
      total,
      used: window?.used ?? 0,
      resetsAtMs: window?.resetsAtMs,
    }));
    history.push({ ...(answer && { answer }), counts });
  }
  return history;
}

function onPlainPool(specs: readonly Limit[], steps: readonly Step[]): History {
  let nowMs = START_MS;
  const plain = new PlainPool(specs, nowMs);
  const tickets: { answer: object; giveBack: () => void }[] = [];
  return steps.map((one) => {
    let answer: object | undefined;
    if (one.do === 'take') {
      const pin = one.pin === undefined ? undefined : one.pin % specs.length;
      const taken = plain.take(one.cost, pin, one.avoid);
      tickets.push(taken);
      ({ answer } = taken);
    } else if (one.do === 'rest') {
      plain.rest(one.meter % specs.length, nowMs + one.ms);
    } else if (one.do === 'give back') {
      const [ticket] = tickets.splice(one.take, 1);
      ticket?.giveBack();
    } else {
      nowMs += one.ms;
      plain.tick(nowMs);
    }
    return { ...(answer && { answer }), counts: plain.counts() };
  });
}

describe('ledger', () => {
  test('chooses, counts, rests and gives back like the plain model, whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 60 }), async (specs, steps) => {
        expect(await onStore(specs, steps)).toEqual(onPlainPool(specs, steps));
      }),
      { numRuns: 500 },
    );
  });
});
